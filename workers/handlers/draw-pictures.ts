import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { comparePictures } from '../../lib/media/compare.ts';
import { encodePng } from '../../lib/media/png.ts';
import { previewDataUrl } from '../../lib/media/preview.ts';
import type { AssetStore } from '../../lib/studio/assets/store.ts';
import type { ModelCatalog } from '../../lib/studio/models/catalog.ts';
import type { EngineProcess } from '../engine-process.ts';
import type { Handler } from '../loop.ts';

export interface HandlerTools {
  engine: Pick<EngineProcess, 'run'>;
  models: Pick<ModelCatalog, 'get'>;
  assets: Pick<AssetStore, 'put' | 'path'>;
  /** Whether files say how they were made; the user may change it at any time. */
  embedMetadata: () => Promise<boolean>;
  /** Of Encore, for the files. */
  version: string;
}

/** Seeds are 32-bit; picture i of a batch is drawn from seed + i. */
const SEEDS = 2 ** 32;

/** Has pictures drawn and puts them on the disk, each with what is needed to make it again. */
export function drawPictures({ engine, models, assets, embedMetadata, version }: HandlerTools): Handler {
  return async ({ params, compareWith }, { signal, crashes, report, preview, log }) => {
    const { path: folder } = await models.get(params.model);
    const decodeWidth = crashes === 0 ? 'auto' : 1;
    if (crashes > 0) log.warn({ crashes }, 'tried again with the smallest decode width');
    const { pictures, receipt } = await engine.run(
      { runId: randomUUID(), folder, params, decodeWidth },
      {
        signal,
        onProgress: ({ fraction, ...progress }) => report({ ...progress, progress: fraction }),
        onPreview: (step, picture) => preview(step, () => previewDataUrl(picture)),
      },
    );
    if (crashes > 0)
      receipt.notices.push('The first try ended early; this was drawn with less memory at a time.');
    report({ stage: 'save', progress: 1, step: receipt.steps, steps: receipt.steps, etaSeconds: 0 });
    const finished = [];
    const embed = await embedMetadata();
    for (const [index, picture] of pictures.entries()) {
      const seed = (params.seed + index) % SEEDS;
      const file = await encodePng(picture, embed ? { params, receipt, seed, version } : null);
      finished.push({
        ...(await assets.put(file, 'image/png')),
        width: picture.width,
        height: picture.height,
        seed,
      });
    }
    const comparison =
      compareWith === null
        ? null
        : await comparePictures(
            await Promise.all(compareWith.map(({ hash, type }) => readFile(assets.path(hash, type)))),
            pictures,
          );
    return { pictures: finished, receipt, comparison };
  };
}
