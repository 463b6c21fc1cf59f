import { adapterFamilies } from '../../../contracts/adapters.ts';
import { EncoreError } from '../../../contracts/errors.ts';
import type { Shape } from '../../tensor/tensor.ts';
import type { WeightSource } from '../weight-source.ts';
import type { WeightDelta } from './delta.ts';
import { deltasOf } from './layer.ts';
import type { LoraFile, LoraLayer } from './open.ts';

export const adaptedNetworks = ['unet', 'text_encoder'] as const;
export type AdaptedNetwork = (typeof adaptedNetworks)[number];

/** A LoRA laid over the networks of one model. */
export interface BoundLora {
  readonly lora: LoraFile;
  /** By network, then by the name of the weight that is changed. */
  readonly deltas: Readonly<Record<AdaptedNetwork, ReadonlyMap<string, WeightDelta>>>;
  /** Tensors of the file that are used. */
  readonly matched: readonly string[];
  /** Tensors of the file that this model has no place for. */
  readonly unmatched: readonly string[];
}

/**
 * Finds the weights that each layer of a LoRA changes. Throws `checkpoint_unsupported` where nothing fits, or what fits by
 * name does not by shape: the LoRA was made for another family, which the message names.
 */
export function bindLora(
  lora: LoraFile,
  networks: Readonly<Record<AdaptedNetwork, WeightSource>>,
  model: string,
): BoundLora {
  const find = {
    unet: finder(networks.unet, 'unet'),
    text_encoder: finder(networks.text_encoder, 'text_encoder'),
    other: () => undefined,
  };
  const deltas = { unet: new Map<string, WeightDelta>(), text_encoder: new Map<string, WeightDelta>() };
  const matched: string[] = [];
  const unmatched = [...lora.unknown];
  for (const layer of lora.layers) {
    const names = [...layer.parts.values()].map(({ name }) => name);
    const target = find[layer.component](layer);
    if (target === undefined || layer.component === 'other') {
      unmatched.push(...names);
      continue;
    }
    const weights = networks[layer.component];
    for (const { suffix, delta } of deltasOf(layer, shapesOf(weights, target), (problem) => {
      throw misfit(lora, model, problem);
    })) {
      const name = `${target}.${suffix}`;
      const into = deltas[layer.component];
      if (into.has(name)) {
        throw new EncoreError(
          'checkpoint_invalid',
          `${lora.file.file} changes "${name}" twice, under two spellings`,
        );
      }
      into.set(name, { ...delta, source: lora.hash });
    }
    matched.push(...names);
  }
  if (matched.length === 0)
    throw misfit(lora, model, `none of its ${unmatched.length} tensors has a place there`);
  return { lora, deltas, matched, unmatched };
}

function misfit({ file, info }: LoraFile, model: string, problem: string): EncoreError {
  const family = info.family === null ? '' : `, made for ${adapterFamilies[info.family]}`;
  const base = info.base === null ? '' : ` (its file says ${info.base})`;
  return new EncoreError(
    'checkpoint_unsupported',
    `${file.name} is a LoRA${family}${base} and does not fit ${model}: ${problem}`,
    { remedy: 'Use it with the model it was made for.' },
  );
}

/** Path of a layer in the network, without `.weight`; undefined where the network has no such layer. */
type Find = (layer: LoraLayer) => string | undefined;

const weightSuffix = /\.(weight|bias)$/;

function finder(weights: WeightSource, network: AdaptedNetwork): Find {
  const layers = new Set(
    weights.names().flatMap((name) => (weightSuffix.test(name) ? [name.replace(weightSuffix, '')] : [])),
  );
  // transformers saved its text encoder with and without this prefix, by version.
  const bare = (path: string) => (network === 'text_encoder' ? path.replace(/^text_model[._]/, '') : path);
  const byPath = new Map([...layers].map((path) => [bare(path), path]));
  const byFlat = new Map([...layers].map((path) => [bare(path).replaceAll('.', '_'), path]));
  return ({ module, flat }) => {
    const path = bare(module);
    return flat ? byFlat.get(path) : (byPath.get(path) ?? byPath.get(modernised(path, network)));
  };
}

/** Names of the first LoRAs of diffusers: `to_out` for `to_out.0`, and those of the UNet in the text encoder. */
function modernised(path: string, network: AdaptedNetwork): string {
  if (network === 'unet') return path.replace(/\.to_out$/, '.to_out.0');
  return path.replace(/\.to_([qkv])$/, '.$1_proj').replace(/\.to_out$/, '.out_proj');
}

/** Shapes of a layer's weight and bias. */
function shapesOf(
  weights: WeightSource,
  path: string,
): { weight: Shape | undefined; bias: Shape | undefined } {
  const shape = (name: string): Shape | undefined =>
    weights.has(name) ? weights.get(name).shape : undefined;
  return { weight: shape(`${path}.weight`), bias: shape(`${path}.bias`) };
}
