import { videoSchema } from '../../lib/contracts/task-inputs.ts';
import { compareVideos } from '../../lib/media/compare.ts';
import { findFfmpeg } from '../../lib/media/ffmpeg.ts';
import { pictureJson } from '../../lib/media/metadata.ts';
import { encodePoster } from '../../lib/media/poster.ts';
import { mediaTypes } from '../../lib/media/video-arguments.ts';
import { writeVideo } from '../../lib/media/video.ts';
import type { FinishedPicture, StoredPicture } from '../../lib/studio/jobs/queue.ts';
import type { Handler } from '../loop.ts';
import { draw, type HandlerTools, seedOf } from './draw.ts';

/** Has frames drawn, and stores each run of them as a video with a poster. */
export function drawVideo(tools: HandlerTools): Handler {
  const { assets, embedMetadata, version } = tools;
  return async (work, context) => {
    const { params, compareWith } = work;
    const { frames, fps, format, interpolateFps } = params.video ?? videoSchema.parse({});
    // Asked before an hour of drawing, not after it.
    const ffmpeg = await findFfmpeg(tools.ffmpeg);
    const { pictures, receipt } = await draw(work, context, tools);
    const { steps } = receipt;
    const finished: FinishedPicture[] = [];
    const embed = await embedMetadata();
    const started = performance.now();
    for (let first = 0; first < pictures.length; first += frames) {
      const clip = pictures.slice(first, first + frames);
      const [poster] = clip;
      if (poster === undefined) break;
      const seed = seedOf(params, first / frames);
      const comment = embed ? pictureJson({ params, receipt, seed, version }) : undefined;
      const stored = await assets.putFile(mediaTypes[format], (path) =>
        writeVideo(
          ffmpeg,
          clip,
          path,
          { format, fps, interpolateFps, comment },
          {
            signal: context.signal,
            onFrame: () =>
              context.report({ stage: 'save', progress: 1, step: steps, steps, etaSeconds: null }),
          },
        ),
      );
      const { hash: posterHash } = await assets.put(await encodePoster(poster), 'image/webp');
      finished.push({
        ...stored,
        width: poster.width,
        height: poster.height,
        seed,
        video: { posterHash, frames: clip.length, fps },
      });
    }
    receipt.seconds.ffmpeg = (performance.now() - started) / 1000;
    const filesOf = (rows: readonly StoredPicture[]) =>
      rows.map((row) => ({ ...row, path: assets.path(row.hash, row.type), fps: interpolateFps ?? fps }));
    const comparison =
      compareWith === null
        ? null
        : await compareVideos(ffmpeg, filesOf(compareWith), filesOf(finished), context.signal);
    return { pictures: finished, receipt, comparison };
  };
}
