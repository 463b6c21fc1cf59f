import type { Size } from '../../lib/contracts/sizes.ts';
import { api } from '../_lib/api.ts';
import type { Draft, Start } from '../_lib/draft.ts';
import { takesReferences, taskOf, type SentPictures } from '../_lib/request.ts';
import { rasterise } from '../_lib/sketch/render.ts';
import type { Sketch } from '../_lib/sketch/sketch.ts';
import { loadBase } from '../_lib/sketch/use-base.ts';

/** Nothing was painted where something must be. The message is for the person. */
export class NothingPainted extends Error {
  override readonly name = 'NothingPainted';
}

/** What was sent of a sketch that has not changed since need not be sent again. */
const sent = new WeakMap<Sketch, { size: string; id: string }>();

/**
 * Sends what was painted and drawn in the page. Throws {@link NothingPainted} for an empty mask or drawing, and what the
 * API throws.
 * @param size of the picture to be drawn
 */
export async function sendPictures(draft: Draft, size: Size): Promise<SentPictures> {
  const task = taskOf(draft);
  const { start, references } = draft;
  const mask = start?.use === 'paint' && task === 'inpaint' ? await sendMask(start) : undefined;
  const drawings: Record<string, string> = {};
  for (const { key, source } of takesReferences(task) ? references : []) {
    if (source.kind !== 'drawing') continue;
    drawings[key] = await send(source.sketch, size, source.shape, 'drawing', 'The drawing is still empty.');
  }
  return { ...(mask !== undefined && { mask }), drawings };
}

async function sendMask({ mask, picture }: Start): Promise<string> {
  const { base } = mask;
  if (base !== undefined && mask.operations.length === 0) return base;
  return send(mask, picture, picture, 'mask', 'The mask is empty: paint over what is to be drawn anew.');
}

async function send(
  sketch: Sketch,
  size: Size,
  shape: Size,
  name: string,
  whenEmpty: string,
): Promise<string> {
  const sizeName = `${size.width}x${size.height}`;
  const before = sent.get(sketch);
  if (before?.size === sizeName) return before.id;
  const base = sketch.base === undefined ? null : await loadBase(sketch.base);
  const file = await rasterise(sketch, base, size, shape);
  if (file === null) throw new NothingPainted(whenEmpty);
  const { id } = await api.upload(file, `${name}.png`);
  sent.set(sketch, { size: sizeName, id });
  return id;
}
