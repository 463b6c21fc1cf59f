import { fileURLToPath } from 'node:url';
import { EncoreError } from '../../../contracts/errors.ts';
import type { ModelSource, NetworkSource } from '../model.ts';
import { openSafetensors, type SafetensorsFile } from '../safetensors.ts';
import { weightMap } from '../weight-map.ts';
import {
  schedulerConfig,
  textConfig,
  unetLayout,
  unetPrefix,
  vaeLayout,
  vaePrefix,
  type Refs,
} from './configs.ts';
import { controlPrefix } from './control.ts';
import { clipPrefix, clipWeights, openClipPrefix, openClipWeights } from './text.ts';
import { unetWeights } from './unet.ts';
import { vaeWeights } from './vae.ts';

/** OpenAI's vocabulary, which every SD 1.x and 2.x uses and no single file carries. */
const tokenizers = fileURLToPath(new URL('../../../../models/tokenizers', import.meta.url));

const classes = {
  scheduler: 'DDIMScheduler',
  text_encoder: 'CLIPTextModel',
  tokenizer: 'CLIPTokenizer',
  unet: 'UNet2DConditionModel',
  vae: 'AutoencoderKL',
};
type Component = keyof typeof classes;

/**
 * Opens an SD 1.x or 2.x checkpoint in one .safetensors file, as the original code saves it, under the names of
 * diffusers. Nothing is converted: tensors are pointed at where they lie. What it is follows from names and shapes.
 * Throws `checkpoint_unsupported` for other kinds of file, naming what it looks like.
 */
export async function openSingleFile(path: string): Promise<ModelSource> {
  const file = await openSafetensors(path);
  const { tensors } = file;
  const dialect = dialectOf(file);
  const refs = [...tensors.values()];
  const unet = unetLayout(tensors);
  const vae = vaeLayout(tensors);
  const text = dialect === 'clip' ? clipWeights(refs) : openClipWeights(refs, openClipLayers(tensors));
  const predictionType = predictionTypeOf(file, unet.config);
  const networks: Record<
    'unet' | 'vae' | 'text_encoder',
    { config: NetworkSource['config']; weights: Refs }
  > = {
    unet: {
      config: { ...unet.config, sample_size: sampleSize[predictionType] },
      weights: unetWeights(refs, unetPrefix, unet.layers),
    },
    vae: { config: vae.config, weights: vaeWeights(refs, vaePrefix, vae.levels) },
    text_encoder: { config: textConfig(text, dialect), weights: text },
  };
  const isNetwork = (name: string): name is keyof typeof networks => Object.hasOwn(networks, name);
  return {
    path: file.file,
    layout: 'single-file',
    className: 'StableDiffusionPipeline',
    index: {},
    components: new Map(Object.entries(classes)),
    folder(name) {
      if (name === 'tokenizer') return `${tokenizers}/${dialect}`;
      throw notInFile(path, name);
    },
    async config(name) {
      if (isNetwork(name)) return networks[name].config;
      if (name === 'scheduler') return schedulerConfig(predictionType);
      if (name === 'tokenizer') return {};
      throw notInFile(path, name);
    },
    async network(name) {
      if (!isNetwork(name)) throw notInFile(path, name);
      const { config, weights } = networks[name];
      // Types that no network reads are told apart by their names in the file.
      return {
        name,
        className: classes[name],
        config,
        weights: weightMap(`${file.file} (${name})`, weights, file.unsupported),
        files: [file],
      };
    },
  };
}

function dialectOf({ file, tensors }: SafetensorsFile): 'clip' | 'open-clip' {
  const names = [...tensors.keys()];
  const has = (prefix: string) => names.some((name) => name.startsWith(prefix));
  const refuse = (what: string, remedy: string) =>
    new EncoreError('checkpoint_unsupported', `${file} ${what}`, { remedy });
  if (has('conditioner.embedders.'))
    throw refuse('is a Stable Diffusion XL checkpoint', 'Use a Stable Diffusion 1.x or 2.x one.');
  if (has('lora_') || names.some((name) => /lora_(up|down|A|B)\./.test(name))) {
    throw refuse('is a LoRA, not a model', 'Name the model it was made for.');
  }
  if (controlPrefix(tensors) !== undefined)
    throw refuse('is a ControlNet, not a model', 'Name the model it was made for.');
  if (!has(unetPrefix)) {
    throw refuse(
      'is no Stable Diffusion checkpoint: it has no model.diffusion_model tensors',
      'Name a model folder, or a whole checkpoint in one file.',
    );
  }
  if (!has(vaePrefix)) throw refuse('has no autoencoder', 'Use a checkpoint that was saved with its VAE.');
  if (has(clipPrefix)) return 'clip';
  if (has(openClipPrefix)) return 'open-clip';
  throw refuse('has no text encoder', 'Use a whole checkpoint, not a UNet alone.');
}

/** SD 2.x reads the states before OpenCLIP's last block, so that block is left out. */
function openClipLayers(tensors: Refs): number {
  let blocks = 0;
  while (tensors.has(`${openClipPrefix}transformer.resblocks.${blocks}.ln_1.weight`)) blocks++;
  return blocks - 1;
}

/**
 * What the file's metadata say (modelspec), else what checkpoints of this shape are: SD 2.x at 768 pixels and the files
 * derived from it predict v, its inpainting model and SD 1.x predict noise.
 */
function predictionTypeOf(
  { metadata }: SafetensorsFile,
  unet: NetworkSource['config'],
): 'epsilon' | 'v_prediction' {
  const said = metadata['modelspec.prediction_type'];
  if (said === 'v' || said === 'v_prediction') return 'v_prediction';
  if (said === 'epsilon') return 'epsilon';
  return unet.use_linear_projection === true && unet.in_channels === 4 ? 'v_prediction' : 'epsilon';
}

/** Latents a side. What predicts v was trained at 768 pixels, the others at 512. */
const sampleSize = { epsilon: 64, v_prediction: 96 } as const;

function notInFile(path: string, name: string): EncoreError {
  return new EncoreError('checkpoint_invalid', `${path} has no "${name}"`, {
    remedy: `It has ${Object.keys(classes satisfies Record<Component, string>).join(', ')}.`,
  });
}
