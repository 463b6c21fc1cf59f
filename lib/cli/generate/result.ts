import { access, constants, stat } from 'node:fs/promises';
import { dirname, parse, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import packageJson from '../../../package.json' with { type: 'json' };
import { EncoreError } from '../../contracts/errors.ts';
import { limits, type GenerationParams } from '../../contracts/generation.ts';
import { videoFormats } from '../../contracts/task-inputs.ts';
import { writeFileAtomically } from '../../engine/checkpoint/atomic-file.ts';
import { writeSafetensors } from '../../engine/checkpoint/safetensors.ts';
import type { Progress, TaskResult } from '../../engine/tasks/task.ts';
import { encodePng } from '../../media/png.ts';
import { findFfmpeg } from '../../media/ffmpeg.ts';
import { environment } from '../environment.ts';
import { print, printJson } from '../output.ts';
import type { OptionGroup } from './group.ts';
import { formatOf, saveVideo } from './video.ts';

export interface ResultOptions {
  out: string;
  count: number;
  /** File of latents, whose size is drawn. */
  latents?: string;
  dumpLatents?: string;
  json?: boolean;
}

/** Where things go. */
export const result: OptionGroup<ResultOptions> = {
  heading: 'Result:',
  declare(command) {
    command
      .option(
        '--out <file>',
        '.png, or .mp4, .webm, .gif, .webp for a video; several get -1, -2, ... (default: out.png, or the next name that is free)',
      )
      .option('--dump-latents <file>', 'write the latents, before the autoencoder (.safetensors)')
      .option('--json', 'print the receipt as one JSON object');
  },
};

/** Where pictures or videos go that were given no name: nothing that is there is written over. */
export async function freeName(count: number, isVideo: boolean): Promise<string> {
  for (let n = 1; ; n++) {
    const name = `out${n === 1 ? '' : `-${n}`}.${isVideo ? videoFormats[0] : 'png'}`;
    const taken = await Promise.all(
      pathsOf(name, Math.min(count, limits.maxCount)).map((path) => exists(path)),
    );
    if (!taken.some(Boolean)) return name;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Before anything is drawn. */
export async function expectWritable({ out, count, dumpLatents }: ResultOptions): Promise<void> {
  const format = formatOf(out);
  if (format !== undefined) await findFfmpeg(environment.ffmpeg);
  else if (!/\.png$/i.test(out)) {
    throw new EncoreError(
      'invalid_parameter',
      `--out ${out}: pictures are written as .png, videos as .${videoFormats.join(', .')}`,
    );
  }
  if (dumpLatents !== undefined && !/\.safetensors$/i.test(dumpLatents)) {
    throw new EncoreError(
      'invalid_parameter',
      `--dump-latents ${dumpLatents}: latents are written as .safetensors`,
    );
  }
  // More are refused for that, later.
  const paths = pathsOf(out, Math.min(count, limits.maxCount));
  for (const path of [...paths, ...(dumpLatents === undefined ? [] : [resolve(dumpLatents)])]) {
    const folder = dirname(path);
    const found = await stat(folder).catch(() => undefined);
    if (!found?.isDirectory()) {
      throw new EncoreError('invalid_parameter', `there is no folder ${folder} to write to`);
    }
    await access(folder, constants.W_OK).catch((cause: unknown) => {
      throw new EncoreError('invalid_parameter', `nothing may be written into ${folder}`, { cause });
    });
    if ((await stat(path).catch(() => undefined))?.isDirectory()) {
      throw new EncoreError('invalid_parameter', `${path} is a folder, not a file to write`);
    }
  }
}

/** Where `count` pictures go: several get numbers. */
function pathsOf(out: string, count: number): string[] {
  const { name, ext } = parse(out);
  return Array.from({ length: count }, (_, i) =>
    resolve(dirname(out), count === 1 ? `${name}${ext}` : `${name}-${i + 1}${ext}`),
  );
}

/** Writes the pictures with how they were made, and tells where they are. */
export async function finish(
  drawn: TaskResult,
  params: GenerationParams,
  options: ResultOptions,
  signal: AbortSignal,
): Promise<void> {
  const paths = await save(drawn, params, options, signal);
  if (options.json) return printJson({ ...drawn.receipt, path: paths[0], paths });
  for (const path of paths) print(path);
  for (const notice of drawn.receipt.notices) process.stderr.write(`${notice}\n`);
}

async function save(
  { pictures, latents, receipt }: TaskResult,
  params: GenerationParams,
  { out, dumpLatents, latents: given }: ResultOptions,
  signal: AbortSignal,
): Promise<string[]> {
  const each = params.video?.frames ?? 1;
  const paths = pathsOf(out, pictures.length / each);
  for (const [i, path] of paths.entries()) {
    const frames = pictures.slice(i * each, (i + 1) * each);
    const seed = (params.seed + i) % 2 ** 32;
    const { width, height } = frames[0]!;
    const asked = given === undefined ? params : { ...params, width, height };
    const metadata = { params: asked, receipt, seed, version: packageJson.version };
    if (params.video === undefined) {
      const file = await encodePng(frames[0]!, metadata);
      await writeFileAtomically(path, async (handle) => {
        await handle.writeFile(file);
      });
    } else await saveVideo(frames, path, params.video, metadata, signal);
  }
  if (dumpLatents !== undefined) await writeSafetensors(dumpLatents, { latents });
  return paths;
}

export interface Bar {
  update(progress: Progress): void;
  stop(): void;
}

const stages = { load: 'Opening', text: 'Reading', denoise: 'Drawing', vae: 'Developing' } as const;

export function progressBar(): Bar {
  const bar = new SingleBar({
    format: '{stage} [{bar}] {percentage}%  {step}/{steps}  {left}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(1, 0, { stage: stages.load, step: 0, steps: '?', left: '' });
  return {
    update({ stage, fraction, step, steps, etaSeconds }) {
      const left = etaSeconds === null ? '' : `${Math.ceil(etaSeconds)} s left`;
      bar.update(fraction, { stage: stages[stage], step, steps, left });
    },
    stop: () => bar.stop(),
  };
}
