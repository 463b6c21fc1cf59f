import { stat } from 'node:fs/promises';
import { dirname, join, parse, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { EncoreError } from '../contracts/errors.ts';
import {
  generationRequestSchema,
  limits,
  schedulerNames,
  withoutReferences,
  type GenerationParams,
  type Plan,
  type SchedulerName,
} from '../contracts/generation.ts';
import { defaultInjection } from '../contracts/plan.ts';
import { writeFileAtomically } from '../engine/checkpoint/atomic-file.ts';
import { readSafetensors, writeSafetensors } from '../engine/checkpoint/safetensors.ts';
import type { RuntimeOptions } from '../engine/runtime/runtime.ts';
import { deviceNames } from '../engine/runtime/session.ts';
import { Engine } from '../engine/tasks/engine.ts';
import { inspectModel } from '../engine/tasks/inspect-model.ts';
import type { GenerateInput, Progress, TaskResult } from '../engine/tasks/task.ts';
import { toFloat32 } from '../engine/tensor/arithmetic.ts';
import type { Tensor } from '../engine/tensor/tensor.ts';
import { encodePng } from '../media/png.ts';
import { environment, runtimeOptions } from './environment.ts';
import { print, printJson } from './output.ts';
import { parsePlan } from './plan-option.ts';

interface GenerateOptions {
  model: string;
  prompt?: string;
  negative: string;
  steps?: number;
  scheduler?: SchedulerName;
  guidance?: number;
  seed: number;
  width?: number;
  height?: number;
  count: number;
  plan?: Plan;
  injection?: number | 'off';
  decodeWidth: number | 'auto';
  eta: number;
  clipSkip?: number;
  noise: 'philox' | 'torch-cpu';
  device: RuntimeOptions['device'];
  latents?: string;
  promptEmbeds?: string;
  dumpLatents?: string;
  out: string;
  json?: boolean;
}

export function generateCommand(): Command {
  return new Command('generate')
    .description('draw pictures from a sentence')
    .option('--model <dir|name>', 'diffusers folder, or the name of an installed model', 'toybox')
    .option('--prompt <text>', 'what to draw')
    .option('--negative <text>', 'what to keep away from', '')
    .option('--steps <n>', "denoising steps (default: the model's)", number)
    .option('--scheduler <name>', `${schedulerNames.join(', ')} (default: the model's)`, schedulerName)
    .option('--guidance <g>', "classifier-free guidance; 1 or less is off (default: the model's)", number)
    .option('--seed <n>', 'picture i of several is drawn from seed + i', number, 0)
    .option('--width <pixels>', "default: the model's", number)
    .option('--height <pixels>', "default: the model's", number)
    .option('--count <n>', 'pictures', number, 1)
    .option('--plan <plan>', 'exact, faster, fastest, uniform:K, or key steps like 0,1,2,5', parsePlan)
    .option(
      '--injection <alpha>',
      'prior noise injection, or off (default: 0.003, off for exact runs)',
      orOff,
    )
    .option('--decode-width <n>', 'most steps decoded in one call', orAuto, 'auto')
    .option('--clip-skip <n>', 'layers left out at the end of the text encoder', number)
    .option('--eta <eta>', 'ddim: 0 deterministic .. 1 as noisy as ddpm', number, 0)
    .addOption(
      new Option('--noise <generator>', "torch's generator to follow: CUDA's or the CPU's")
        .choices(['philox', 'torch-cpu'])
        .default('philox'),
    )
    .addOption(
      new Option('--device <name>', 'where to run').choices(['auto', ...deviceNames]).default('auto'),
    )
    .option('--latents <file>', 'initial latents, scaled; they fix size and count; noise from there too')
    .option('--prompt-embeds <file>', 'prompt_embeds and negative_prompt_embeds instead of text')
    .option('--dump-latents <file>', 'writes the latents before the autoencoder')
    .option('--out <file>', 'where the picture goes; several get -1, -2, ... before .png', 'out.png')
    .option('--json', 'print the receipt as one JSON object')
    .action(generate);
}

async function generate(options: GenerateOptions): Promise<void> {
  const model = await modelFolder(options.model);
  expectWritable(options);
  const tensors = await tensorsOf(options);
  const params = await paramsOf(options, model, tensors);

  const cancel = new AbortController();
  const interrupt = () => cancel.abort();
  process.once('SIGINT', interrupt);
  const engine = new Engine(runtimeOptions(options.device));
  const bar = process.stderr.isTTY ? progressBar() : undefined;
  try {
    const { decodeWidth, eta, noise: noiseKind } = options;
    const input: GenerateInput = {
      ...withoutReferences(params),
      ...tensors,
      model,
      decodeWidth,
      eta,
      noiseKind,
    };
    const result = await engine.generate(input, {
      signal: cancel.signal,
      onProgress: (progress) => bar?.update(progress),
    });
    bar?.stop();
    const paths = await save(result, params, options);
    if (options.json) printJson({ ...result.receipt, path: paths[0], paths });
    else {
      for (const path of paths) print(path);
      for (const notice of result.receipt.notices) process.stderr.write(`${notice}\n`);
    }
  } finally {
    bar?.stop();
    process.removeListener('SIGINT', interrupt);
    await engine.dispose();
  }
}

/** Model folders that come with Encore, then those of the data directory; a path wins over a name. */
async function modelFolder(model: string): Promise<string> {
  const bundled = fileURLToPath(new URL('../../models', import.meta.url));
  const folders = [resolve(model)];
  if (/^[\w.-]+$/.test(model)) folders.push(join(bundled, model), join(environment.home, 'models', model));
  for (const folder of folders) {
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined) return folder;
  }
  throw new EncoreError('unknown_model', `there is no model "${model}"`, {
    remedy: `Looked for ${folders.join(', ')}.`,
  });
}

type GivenTensors = Pick<GenerateInput, 'latents' | 'noise' | 'promptEmbeds' | 'negativePromptEmbeds'>;

async function tensorsOf({ latents, promptEmbeds }: GenerateOptions): Promise<GivenTensors> {
  const given: GivenTensors = {};
  if (latents !== undefined) {
    const file = await readSafetensors(latents);
    given.latents = required(file, latents, 'latents');
    given.noise = optional(file, latents, 'noise');
  }
  if (promptEmbeds !== undefined) {
    const file = await readSafetensors(promptEmbeds);
    given.promptEmbeds = required(file, promptEmbeds, 'prompt_embeds');
    given.negativePromptEmbeds = optional(file, promptEmbeds, 'negative_prompt_embeds');
  }
  return given;
}

type Tensors = ReadonlyMap<string, Tensor>;

function required(tensors: Tensors, file: string, name: string): Tensor<'float32'> {
  const found = optional(tensors, file, name);
  if (found !== undefined) return found;
  throw new EncoreError('invalid_tensor', `${file} holds no "${name}"`, {
    remedy: `It has ${[...tensors.keys()].join(', ') || 'no tensors'}.`,
  });
}

function optional(tensors: Tensors, file: string, name: string): Tensor<'float32'> | undefined {
  const found = tensors.get(name);
  if (found === undefined) return undefined;
  const value = toFloat32(found);
  if (value.data.every(Number.isFinite)) return value;
  throw new EncoreError('invalid_tensor', `${file}: "${name}" holds NaN or infinity`);
}

/** The request as the API would read it, with the model's defaults filled in. */
async function paramsOf(
  options: GenerateOptions,
  model: string,
  tensors: GivenTensors,
): Promise<GenerationParams> {
  const defaults = await inspectModel(model);
  const steps = options.steps ?? defaults.steps;
  const plan = options.plan ?? defaults.plan;
  if (options.prompt === undefined && tensors.promptEmbeds === undefined) {
    throw new EncoreError('invalid_request', 'neither --prompt nor --prompt-embeds was given');
  }
  const scheduler = options.scheduler ?? defaults.scheduler;
  if (scheduler === undefined) {
    throw new EncoreError('unknown_scheduler', `the scheduler that ${options.model} names is not supported`, {
      remedy: `Choose one with --scheduler: ${schedulerNames.join(', ')}.`,
    });
  }
  const [count, , height, width] = tensors.latents?.shape ?? [];
  const request = {
    task: 'text-to-image' as const,
    prompt: options.prompt ?? '',
    negativePrompt: options.negative,
    model: options.model,
    width: options.width ?? defaults.width,
    height: options.height ?? defaults.height,
    steps,
    guidanceScale: options.guidance ?? defaults.guidanceScale,
    seed: options.seed,
    count: options.count,
    scheduler,
    plan,
    injection: options.injection ?? 'off',
    clipSkip: options.clipSkip,
  };
  const schema =
    tensors.promptEmbeds === undefined
      ? generationRequestSchema
      : generationRequestSchema.safeExtend({ prompt: z.string().max(limits.promptLength) });
  const parsed = schema.safeParse(request);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = issue.path.map(String).join('.');
    const value = JSON.stringify(request[issue.path[0] as keyof typeof request]);
    throw new EncoreError('invalid_parameter', `${name} ${value}: ${issue.message}`);
  }
  const alpha = options.injection ?? defaultInjection(plan, steps);
  const size = width !== undefined && height !== undefined && count !== undefined ? { count } : {};
  return { ...request, ...parsed.data, ...size, injection: alpha === 'off' ? 0 : alpha };
}

function expectWritable({ out, dumpLatents }: GenerateOptions): void {
  if (!/\.png$/i.test(out)) {
    throw new EncoreError('invalid_parameter', `--out ${out}: pictures are written as .png`);
  }
  if (dumpLatents !== undefined && !/\.safetensors$/i.test(dumpLatents)) {
    throw new EncoreError(
      'invalid_parameter',
      `--dump-latents ${dumpLatents}: latents are written as .safetensors`,
    );
  }
}

async function save(
  { pictures, latents, receipt }: TaskResult,
  params: GenerationParams,
  { out, dumpLatents }: GenerateOptions,
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

interface Bar {
  update(progress: Progress): void;
  stop(): void;
}

const stages = { load: 'Opening', text: 'Reading', denoise: 'Drawing', vae: 'Developing' } as const;

function progressBar(): Bar {
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

function schedulerName(text: string): SchedulerName {
  const known = schedulerNames.find((name) => name === text);
  if (known !== undefined) return known;
  throw new EncoreError('unknown_scheduler', `there is no scheduler "${text}"`, {
    remedy: `Choose one of ${schedulerNames.join(', ')}.`,
  });
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Not a number.');
  return value;
}

function orOff(text: string): number | 'off' {
  return text === 'off' ? 'off' : number(text);
}

function orAuto(text: string): number | 'auto' {
  if (text === 'auto') return 'auto';
  const value = number(text);
  if (!Number.isInteger(value) || value < 1 || value > limits.maxSteps) {
    throw new InvalidArgumentError(`Use auto, or a whole number from 1 to ${limits.maxSteps}.`);
  }
  return value;
}
