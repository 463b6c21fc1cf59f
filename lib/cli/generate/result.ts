import { stat } from 'node:fs/promises';
import { dirname, parse, resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import packageJson from '../../../package.json' with { type: 'json' };
import { EncoreError } from '../../contracts/errors.ts';
import type { GenerationParams } from '../../contracts/generation.ts';
import { writeFileAtomically } from '../../engine/checkpoint/atomic-file.ts';
import { writeSafetensors } from '../../engine/checkpoint/safetensors.ts';
import type { Progress, TaskResult } from '../../engine/tasks/task.ts';
import { encodePng } from '../../media/png.ts';
import { print, printJson } from '../output.ts';
import type { OptionGroup } from './group.ts';

export interface ResultOptions {
  out: string;
  dumpLatents?: string;
  json?: boolean;
}

/** Where things go. */
export const result: OptionGroup<ResultOptions> = {
  declare(command) {
    command
      .option('--dump-latents <file>', 'writes the latents before the autoencoder')
      .option('--out <file>', 'where the picture goes; several get -1, -2, ... before .png', 'out.png')
      .option('--json', 'print the receipt as one JSON object');
  },
};

/** Before anything is drawn. */
export async function expectWritable({ out, dumpLatents }: ResultOptions): Promise<void> {
  if (!/\.png$/i.test(out)) {
    throw new EncoreError('invalid_parameter', `--out ${out}: pictures are written as .png`);
  }
  if (dumpLatents !== undefined && !/\.safetensors$/i.test(dumpLatents)) {
    throw new EncoreError(
      'invalid_parameter',
      `--dump-latents ${dumpLatents}: latents are written as .safetensors`,
    );
  }
  for (const folder of [out, dumpLatents ?? out].map((path) => dirname(resolve(path)))) {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory()) continue;
    throw new EncoreError('invalid_parameter', `there is no folder ${folder} to write to`);
  }
}

/** Writes the pictures with how they were made, and tells where they are. */
export async function finish(
  drawn: TaskResult,
  params: GenerationParams,
  options: ResultOptions,
): Promise<void> {
  const paths = await save(drawn, params, options);
  if (options.json) return printJson({ ...drawn.receipt, path: paths[0], paths });
  for (const path of paths) print(path);
  for (const notice of drawn.receipt.notices) process.stderr.write(`${notice}\n`);
}

async function save(
  { pictures, latents, receipt }: TaskResult,
  params: GenerationParams,
  { out, dumpLatents }: ResultOptions,
): Promise<string[]> {
  const paths: string[] = [];
  const { name, ext } = parse(out);
  for (const [i, picture] of pictures.entries()) {
    const path = resolve(dirname(out), pictures.length === 1 ? `${name}${ext}` : `${name}-${i + 1}${ext}`);
    const seed = (params.seed + i) % 2 ** 32;
    const { width, height } = picture;
    const metadata = { params: { ...params, width, height }, receipt, seed, version: packageJson.version };
    const file = await encodePng(picture, metadata);
    await writeFileAtomically(path, async (handle) => {
      await handle.writeFile(file);
    });
    paths.push(path);
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
