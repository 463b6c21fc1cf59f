import { basename, extname } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { EncoreError } from '../../contracts/errors.ts';
import { videoFormats, videoSchema, type Motion, type Video } from '../../contracts/task-inputs.ts';
import type { Picture } from '../../engine/tasks/task.ts';
import { findFfmpeg } from '../../media/ffmpeg.ts';
import { pictureJson, type PictureMetadata } from '../../media/metadata.ts';
import type { VideoFormat } from '../../media/video-arguments.ts';
import { writeVideo } from '../../media/video.ts';
import { environment } from '../environment.ts';
import { installed } from '../installed.ts';
import type { OptionGroup } from './group.ts';
import { number } from './values.ts';

export interface VideoFileOptions {
  out: string;
  frames?: number;
  fps?: number;
  motionX?: number;
  motionY?: number;
  motionPath?: NonNullable<Motion['path']>;
  zoom?: number;
  interpolateFps?: number;
  motionAdapter?: string;
}

const defaults = videoSchema.parse({});

/** A video instead of a picture: asked for by any of these, or by the name of the file it goes to. */
export const video: OptionGroup<VideoFileOptions> = {
  heading: 'Videos:',
  declare(command: Command) {
    command
      .option('--frames <n>', `draw a video of n frames (default: ${defaults.frames})`, number)
      .option('--fps <n>', `frames per second (default: ${defaults.fps})`, number)
      .option('--motion-x <n>', `512ths of the width per frame (default: ${defaults.motion.x})`, number)
      .option('--motion-y <n>', `512ths of the height per frame (default: ${defaults.motion.y})`, number)
      .option('--motion-path <x,y ...>', 'where the view goes instead, in 512ths: "60,0 60,60 0,0"', places)
      .option('--zoom <n>', 'nearer with each frame (1.02) or further (0.98)', number)
      .option('--interpolate-fps <n>', 'smooth the video to so many frames per second', number)
      .option(
        '--motion-adapter <dir|name>',
        'AnimateDiff, which moves by itself, in place of Text2Video-Zero',
      );
  },
  request(options) {
    const { out, frames, fps, motionX, motionY, motionPath: path, zoom, interpolateFps } = options;
    const { motionAdapter } = options;
    const format = formatOf(out);
    if (format === undefined && !asksForVideo(options)) return {};
    if (format === undefined) {
      throw new EncoreError(
        'invalid_parameter',
        `--out ${out}: a video is written as .${videoFormats.join(', .')}`,
        { remedy: 'Name such a file with --out.' },
      );
    }
    const motion = { x: motionX ?? defaults.motion.x, y: motionY ?? defaults.motion.y, zoom, path };
    const adapter = motionAdapter && basename(motionAdapter).slice(-200);
    return { video: { frames, fps, motion, format, interpolateFps, adapter } };
  },
  async input({ motionAdapter }) {
    if (motionAdapter === undefined) return {};
    return { motionAdapter: await installed(motionAdapter, 'motion') };
  },
};

/** Whether any of its options was given. */
export function asksForVideo(options: Omit<VideoFileOptions, 'out'>): boolean {
  const { frames, fps, motionX, motionY, motionPath, zoom, interpolateFps, motionAdapter } = options;
  return [frames, fps, motionX, motionY, motionPath, zoom, interpolateFps, motionAdapter].some(
    (value) => value !== undefined,
  );
}

/** `60,0 60,60`: pairs with spaces between them. */
function places(text: string): NonNullable<Motion['path']> {
  return text
    .trim()
    .split(/\s+/)
    .map((pair) => {
      const [x, y, ...more] = pair.split(',').map(number);
      if (x === undefined || y === undefined || more.length > 0) {
        throw new InvalidArgumentError('Use pairs like 60,0 60,60.');
      }
      return { x, y };
    });
}

/** The video format that a file's name asks for. */
export function formatOf(path: string): VideoFormat | undefined {
  const extension = extname(path).slice(1).toLowerCase();
  return videoFormats.find((format) => format === extension);
}

export async function saveVideo(
  frames: readonly Picture[],
  path: string,
  { format, fps, interpolateFps }: Video,
  metadata: PictureMetadata,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const options = { format, fps, interpolateFps, comment: pictureJson(metadata) };
  await writeVideo(await findFfmpeg(environment.ffmpeg), frames, path, options, { signal });
  const { seconds } = metadata.receipt;
  seconds.ffmpeg = (seconds.ffmpeg ?? 0) + (performance.now() - started) / 1000;
}
