import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSafetensorsStream } from '../lib/engine/checkpoint/safetensors.ts';
import { sizeOf, type Shape } from '../lib/engine/tensor/tensor.ts';
import {
  controlConfig,
  controlTensors,
  textConfig,
  textTensors,
  unetConfig,
  unetTensors,
  vaeConfig,
  vaeTensors,
  type TensorShapes,
} from './sd15-tensors.ts';

const cache = fileURLToPath(new URL('.cache', import.meta.url));

/**
 * A full-size Stable Diffusion 1.5 with random weights, made once (4.3 GB): its speed and memory are those of a trained
 * one. Weights are drawn as torch initialises layers (uniform within 1 / sqrt(fan-in), norms 1 and 0), which keeps the
 * network well-conditioned: float32 results mean something.
 */
export async function sd15Checkpoint(log: (line: string) => void): Promise<string> {
  const root = join(cache, 'sd15-random');
  if (existsSync(root)) return root;
  const temporary = `${root}.part`;
  await rm(temporary, { recursive: true, force: true });
  const folder = async (name: string, config: unknown, configName = 'config.json') => {
    await mkdir(join(temporary, name), { recursive: true });
    await writeFile(join(temporary, name, configName), JSON.stringify(config, null, 2));
    return join(temporary, name);
  };
  log('making a random Stable Diffusion 1.5 checkpoint in bench/.cache (once, 4.3 GB)');
  await write(
    join(await folder('unet', unetConfig), 'diffusion_pytorch_model.safetensors'),
    unetTensors(),
    1,
  );
  await write(join(await folder('vae', vaeConfig), 'diffusion_pytorch_model.safetensors'), vaeTensors(), 2);
  await write(join(await folder('text_encoder', textConfig), 'model.safetensors'), textTensors(), 3);
  await folder('scheduler', schedulerConfig, 'scheduler_config.json');
  await cp('test/golden/tiny-sd/tokenizer', join(temporary, 'tokenizer'), { recursive: true });
  await writeFile(join(temporary, 'model_index.json'), JSON.stringify(modelIndex, null, 2));
  await rename(temporary, root);
  return root;
}

/** A ControlNet for it, of full size and with random weights, made once (1.4 GB). */
export async function sd15ControlNet(log: (line: string) => void): Promise<string> {
  const root = join(cache, 'sd15-control-random');
  if (existsSync(root)) return root;
  const temporary = `${root}.part`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  log('making a random ControlNet in bench/.cache (once, 1.4 GB)');
  await writeFile(join(temporary, 'config.json'), JSON.stringify(controlConfig, null, 2));
  await write(join(temporary, 'diffusion_pytorch_model.safetensors'), controlTensors(), 4);
  await rename(temporary, root);
  return root;
}

const schedulerConfig = {
  _class_name: 'DDIMScheduler',
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  prediction_type: 'epsilon',
  set_alpha_to_one: false,
  steps_offset: 1,
};

const modelIndex = {
  _class_name: 'StableDiffusionPipeline',
  feature_extractor: [null, null],
  requires_safety_checker: false,
  safety_checker: [null, null],
  scheduler: ['diffusers', 'DDIMScheduler'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  unet: ['diffusers', 'UNet2DConditionModel'],
  vae: ['diffusers', 'AutoencoderKL'],
};

async function write(path: string, tensors: TensorShapes, seed: number): Promise<void> {
  const entries = [...tensors].map(([name, shape], i) => ({
    name,
    dtype: 'float32' as const,
    shape,
    bytes: () => randomWeights(name, shape, (seed << 16) + i),
  }));
  await writeSafetensorsStream(path, entries, { format: 'pt' });
}

/** Elements drawn at a time. */
const piece = 1 << 18;

function* randomWeights(name: string, shape: Shape, seed: number): Generator<Uint8Array> {
  const size = sizeOf(shape);
  const norm = /norm\d?\.(weight|bias)$|layer_norm|group_norm/.exec(name) !== null;
  const fanIn = shape.length > 1 ? sizeOf(shape.slice(1)) : 1000;
  const bound = /embedding\.weight$/.test(name) ? 0.03 : 1 / Math.sqrt(fanIn);
  // xorshift32; seeds are never 0.
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  for (let start = 0; start < size; start += piece) {
    const values = new Float32Array(Math.min(piece, size - start));
    if (norm) values.fill(name.endsWith('weight') ? 1 : 0);
    else {
      for (let i = 0; i < values.length; i++) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        values[i] = (state / 2 ** 31) * bound;
      }
    }
    yield new Uint8Array(values.buffer);
  }
}
