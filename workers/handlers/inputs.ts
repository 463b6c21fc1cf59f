import { readFile } from 'node:fs/promises';
import { EncoreError } from '../../lib/contracts/errors.ts';
import type { GenerationParams } from '../../lib/contracts/generation.ts';
import type { Adapter } from '../../lib/contracts/models.ts';
import type { ControlInput } from '../../lib/engine/tasks/task.ts';
import { fitPictures } from '../../lib/media/fit.ts';
import { controlPicture } from '../../lib/media/control-picture.ts';
import type { AssetStore } from '../../lib/studio/assets/store.ts';
import type { ModelCatalog } from '../../lib/studio/models/catalog.ts';
import type { Found } from '../../lib/studio/models/read-installed.ts';
import type { Work } from '../loop.ts';
import type { EngineInputs } from '../protocol.ts';

export interface InputTools {
  models: Pick<ModelCatalog, 'find' | 'list'>;
  assets: Pick<AssetStore, 'path'>;
}

/**
 * Everything was there when the request was stored; what has gone since ends the job.
 * @throws EncoreError `not_found` for a picture, `unknown_model`, `invalid_parameter` for a mask of another shape
 */
export async function openInputs(
  { params, inputs }: Pick<Work, 'params' | 'inputs'>,
  { models, assets }: InputTools,
): Promise<EngineInputs> {
  const file = async (field: string): Promise<Buffer | undefined> => {
    const input = inputs.find((row) => row.field === field);
    if (input === undefined) return undefined;
    return readFile(assets.path(input.hash, input.type)).catch((cause: unknown) => {
      throw new EncoreError('not_found', `The picture for ${field} is no longer in the data directory.`, {
        cause,
      });
    });
  };
  const { width, height, resize, outpaint, paddingMaskCrop } = params;
  const fitted = await fitPictures({
    width,
    height,
    resize,
    outpaint,
    paddingMaskCrop,
    image: await file('image'),
    mask: await file('mask'),
  });
  const control: ControlInput[] = [];
  // Of what is drawn, or of the picture where only a part of it is.
  const size = fitted.image ?? fitted;
  for (const [i, { model, scale, start, end, mode, preprocessor }] of (params.control ?? []).entries()) {
    const bytes = await file(`control.${i}.image`);
    if (bytes === undefined) throw new EncoreError('not_found', `There is no picture for control.${i}.`);
    control.push({
      model: (await adapter(models, model, 'controlnet')).path,
      image: await controlPicture(bytes, size, params.resize ?? 'crop', preprocessor),
      ...{ scale, start, end, mode },
    });
  }
  return {
    ...fitted,
    ...(control.length === 0 ? {} : { control }),
    ...(await openAdapters(params, models)),
  };
}

/** The LoRAs and the motion adapter that were asked for, and every embedding: a prompt calls them by their names. */
async function openAdapters(
  { loras = [], video }: GenerationParams,
  models: InputTools['models'],
): Promise<Pick<EngineInputs, 'loras' | 'embeddings' | 'motionAdapter'>> {
  const embeddings = (await models.list()).filter(({ item }) => item.kind === 'embedding');
  const opened = [];
  for (const { id, weight } of loras) opened.push({ file: (await adapter(models, id, 'lora')).path, weight });
  return {
    ...(opened.length === 0 ? {} : { loras: opened }),
    ...(video?.adapter === undefined
      ? {}
      : { motionAdapter: (await adapter(models, video.adapter, 'motion')).path }),
    ...(embeddings.length === 0 ? {} : { embeddings: embeddings.map(({ path }) => path) }),
  };
}

async function adapter(models: InputTools['models'], id: string, kind: Adapter['kind']): Promise<Found> {
  const found = await models.find(id);
  if (found?.item.kind === kind) return found;
  throw new EncoreError('unknown_model', `The ${kind} "${id}" is no longer installed.`, {
    remedy: 'Install it again, then retry.',
  });
}
