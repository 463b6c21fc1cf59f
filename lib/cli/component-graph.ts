import { EncoreError } from '../contracts/errors.ts';
import type { NetworkSource } from '../engine/checkpoint/model-source.ts';
import { buildClipText } from '../engine/networks/clip/build.ts';
import { parseClipTextConfig } from '../engine/networks/clip/config.ts';
import { buildControlNet } from '../engine/networks/controlnet/build.ts';
import { parseControlNetConfig } from '../engine/networks/controlnet/config.ts';
import {
  buildUnet,
  buildUnetDecoder,
  buildUnetEncoder,
  type UnetSize,
} from '../engine/networks/unet/build.ts';
import { parseUnetConfig } from '../engine/networks/unet/config.ts';
import { buildDecoder, buildEncoder } from '../engine/networks/vae/autoencoder.ts';
import { parseAutoencoderConfig } from '../engine/networks/vae/config.ts';
import type { Graph } from '../engine/onnx/graph.ts';
import type { Shape } from '../engine/tensor/tensor.ts';

/** Parts of a model that `forward` runs, and the component of the checkpoint each belongs to. */
export const parts = {
  text_encoder: 'text_encoder',
  unet: 'unet',
  'unet.encoder': 'unet',
  'unet.decoder': 'unet',
  'vae.encoder': 'vae',
  'vae.decoder': 'vae',
  controlnet: 'controlnet',
} as const;
export type Part = keyof typeof parts;

/** Shape of an input by name; throws where it is not given or has another rank. */
export type InputShape = (name: string, rank: number) => Shape;

/** The graph of one part for inputs of these shapes. Throws `checkpoint_unsupported` for a class it does not know. */
export function partGraph(part: Part, network: NetworkSource, shape: InputShape): Graph {
  const { weights } = network;
  switch (part) {
    case 'text_encoder': {
      expectClass(network, 'CLIPTextModel', 'CLIPTextModelWithProjection');
      const [rows = 0, tokens = 0] = shape('input_ids', 2);
      return buildClipText(parseClipTextConfig(network.config), { rows, tokens, weights });
    }
    case 'unet':
    case 'unet.encoder':
    case 'unet.decoder':
      expectClass(network, 'UNet2DConditionModel');
      return unetGraph(part, network, shape);
    case 'controlnet': {
      expectClass(network, 'ControlNetModel');
      const [rows = 0, , height = 0, width = 0] = shape('sample', 4);
      const [pictures = 0] = shape('controlnet_cond', 4);
      const [, tokens = 0] = shape('encoder_hidden_states', 3);
      const size = { batch: rows, pictures, rows, height, width, tokens, weights };
      return buildControlNet(parseControlNetConfig(network.config), size);
    }
    case 'vae.encoder':
    case 'vae.decoder': {
      const [batch = 0, , height = 0, width = 0] = shape('sample', 4);
      expectClass(network, 'AutoencoderKL', 'AutoencoderTiny');
      const config = parseAutoencoderConfig(network.className, network.config);
      const size = { batch, height, width, weights };
      return part === 'vae.encoder' ? buildEncoder(config, size) : buildDecoder(config, size);
    }
  }
}

function unetGraph(
  part: 'unet' | 'unet.encoder' | 'unet.decoder',
  network: NetworkSource,
  shape: InputShape,
): Graph {
  const config = parseUnetConfig(network.config);
  // The first skip is conv_in's output, as large as the sample.
  const [rows = 0, , height = 0, width = 0] = shape(
    part === 'unet.decoder' ? 'down_block_res_samples.0' : 'sample',
    4,
  );
  const [, tokens = 0] = shape('encoder_hidden_states', 3);
  const size: UnetSize = { rows, height, width, tokens, weights: network.weights };
  if (part === 'unet') return buildUnet(config, size);
  if (part === 'unet.encoder') return buildUnetEncoder(config, size);
  const [steps = 0] = shape('timesteps', 1);
  return buildUnetDecoder(config, { ...size, steps });
}

function expectClass({ name, className }: NetworkSource, ...known: string[]): void {
  if (known.includes(className)) return;
  throw new EncoreError('checkpoint_unsupported', `${name} is a ${className}, not a ${known.join(' or ')}`);
}
