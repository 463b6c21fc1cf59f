import { randomUUID } from 'node:crypto';
import type { GenerationParams } from '../../lib/contracts/generation.ts';
import { previewDataUrl } from '../../lib/media/preview.ts';
import type { AssetStore } from '../../lib/studio/assets/store.ts';
import type { ModelCatalog } from '../../lib/studio/models/catalog.ts';
import type { EngineProcess } from '../engine-process.ts';
import type { HandlerContext, Work } from '../loop.ts';
import type { EngineResult } from '../protocol.ts';
import { openInputs } from './inputs.ts';

export interface HandlerTools {
  engine: Pick<EngineProcess, 'run'>;
  models: Pick<ModelCatalog, 'get' | 'find' | 'list'>;
  assets: Pick<AssetStore, 'put' | 'putFile' | 'path'>;
  /** Whether files say how they were made; the user may change it at any time. */
  embedMetadata: () => Promise<boolean>;
  /** Of Encore, for the files. */
  version: string;
  /** Path of the ffmpeg that the user chose. */
  ffmpeg: string | undefined;
}

/** Has the engine draw what was asked for: what every task has in common. */
export async function draw(
  work: Work,
  { signal, crashes, report, preview, log }: HandlerContext,
  tools: HandlerTools,
): Promise<EngineResult> {
  const { params } = work;
  const { path: folder } = await tools.models.get(params.model);
  const inputs = await openInputs(work, tools);
  const decodeWidth = crashes === 0 ? 'auto' : 1;
  if (crashes > 0) log.warn({ crashes }, 'tried again with the smallest decode width');
  const result = await tools.engine.run(
    { runId: randomUUID(), folder, params, inputs, decodeWidth },
    {
      signal,
      onProgress: ({ fraction, ...progress }) => report({ ...progress, progress: fraction }),
      onPreview: (step, picture) => preview(step, () => previewDataUrl(picture)),
    },
  );
  if (crashes > 0)
    result.receipt.notices.push('The first try ended early; this was drawn with less memory at a time.');
  return result;
}

/** Seeds are 32-bit; picture i of a batch is drawn from seed + i. */
export function seedOf({ seed }: GenerationParams, index: number): number {
  return (seed + index) % 2 ** 32;
}
