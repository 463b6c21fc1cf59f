import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TaskName } from '../../lib/contracts/task-inputs.ts';
import { readSafetensors, writeSafetensors } from '../../lib/engine/checkpoint/safetensors.ts';
import { schedulerNameOf } from '../../lib/engine/schedulers/index.ts';
import type { GenerateInput, GrayPicture, Picture } from '../../lib/engine/tasks/task.ts';
import type { Tensor } from '../../lib/engine/tensor/tensor.ts';

// References: training/golden/modes.py. Exact runs by diffusers' pipelines, propagated ones by an independent Python loop.

export interface ModeCase {
  case: string;
  task: TaskName;
  strength: number;
  scheduler?: string;
  keySteps?: number[];
  channels?: number;
}

/** What test/golden says of the tasks beyond text to image, as requests to the engine. */
export interface Modes {
  readonly cases: readonly ModeCase[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly image: Picture;
  readonly mask: GrayPicture;
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly requestOf: (entry: Partial<ModeCase> & { task: TaskName }) => GenerateInput;
  /** Steps that a strength leaves out. */
  readonly skipped: (strength?: number) => number;
}

const model = fileURLToPath(new URL('../golden/tiny-sd', import.meta.url));

/** `inpainting` is where {@link writeInpaintingModel} wrote. */
export async function readModes(inpainting: string): Promise<Modes> {
  const golden = JSON.parse(await readFile(join(model, 'reference/modes.json'), 'utf8')) as {
    prompt: string;
    negativePrompt: string;
    steps: number;
    guidance: number;
    seed: number;
    alpha: number;
    width: number;
    height: number;
    cases: ModeCase[];
  };
  const tensors = await readSafetensors(join(model, 'reference/modes.safetensors'));
  const { width, height, steps } = golden;
  const area = width * height;
  const planes = tensors.get('image')!.data as Uint8Array;
  const data = Uint8Array.from({ length: 3 * area }, (_, i) => planes[(i % 3) * area + Math.floor(i / 3)]!);
  const image: Picture = { width, height, data };
  const mask: GrayPicture = { width, height, data: tensors.get('mask')!.data as Uint8Array };
  const skipped = (strength = 1) => steps - Math.trunc(steps * strength);
  return {
    ...{ tensors, image, mask, width, height, steps, skipped },
    cases: golden.cases,
    requestOf({ task, strength, scheduler, keySteps, channels }) {
      const { prompt, negativePrompt, guidance, seed, alpha } = golden;
      return {
        ...{ task, prompt, negativePrompt, steps, seed, width, height, strength, image },
        model: channels === 9 ? inpainting : model,
        guidanceScale: guidance,
        count: 1,
        scheduler: scheduler === undefined ? undefined : schedulerNameOf({ _class_name: scheduler }),
        plan:
          keySteps === undefined ? 'exact' : { keySteps: keySteps.map((step) => step + skipped(strength)) },
        injection: keySteps === undefined ? 0 : alpha,
        decodeWidth: 'auto',
        noiseKind: 'torch-cpu',
        mask: task === 'inpaint' ? mask : undefined,
      };
    },
  };
}

/** tiny-sd with a first convolution that reads a mask and a masked picture too. */
export async function writeInpaintingModel(folder: string): Promise<void> {
  await cp(model, folder, { recursive: true });
  const config = join(folder, 'unet/config.json');
  const values = JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>;
  await writeFile(config, JSON.stringify({ ...values, in_channels: 9 }));
  const file = join(folder, 'unet/diffusion_pytorch_model.safetensors');
  const weights = Object.fromEntries(await readSafetensors(file));
  const wider = (await readSafetensors(join(model, 'reference/modes.safetensors'))).get('conv_in.weight')!;
  await writeSafetensors(file, { ...weights, 'conv_in.weight': wider });
}
