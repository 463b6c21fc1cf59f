import { readFile } from 'node:fs/promises';
import { comparePictures } from '../../lib/media/compare.ts';
import { encodePng } from '../../lib/media/png.ts';
import type { Handler } from '../loop.ts';
import { draw, type HandlerTools, seedOf } from './draw.ts';

/** Has pictures drawn and puts them on the disk, each with what is needed to make it again. */
export function drawPictures(tools: HandlerTools): Handler {
  const { assets, embedMetadata, version } = tools;
  return async (work, context) => {
    const { params, compareWith } = work;
    const { pictures, receipt } = await draw(work, context, tools);
    const { steps } = receipt;
    context.report({ stage: 'save', progress: 1, step: steps, steps, etaSeconds: 0 });
    const finished = [];
    const embed = await embedMetadata();
    for (const [index, picture] of pictures.entries()) {
      const seed = seedOf(params, index);
      const file = await encodePng(picture, embed ? { params, receipt, seed, version } : null, params.task);
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
