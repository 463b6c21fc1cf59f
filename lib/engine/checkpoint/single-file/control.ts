import { EncoreError } from '../../../contracts/errors.ts';
import type { NetworkSource } from '../model.ts';
import { openSafetensors } from '../safetensors.ts';
import { weightMap } from '../weight-map.ts';
import { unetLayout, type Refs } from './configs.ts';
import { renameAll, rule } from './rules.ts';
import { unetWeights } from './unet.ts';

const prefixes = ['control_model.', ''];
/** First convolution of what embeds the control picture. */
const hintStart = 'input_hint_block.0.weight';

/** Under which prefix a file holds a ControlNet; undefined where it holds none. */
export function controlPrefix(refs: Refs): string | undefined {
  return prefixes.find((prefix) => refs.has(prefix + hintStart));
}

/**
 * Opens a ControlNet of SD 1.x or 2.x in one .safetensors file, as its authors saved it (cldm/cldm.py of
 * lllyasviel/ControlNet), under the names of ControlNetModel. Throws `checkpoint_unsupported` for other kinds of file.
 */
export async function openControlFile(path: string): Promise<NetworkSource> {
  const file = await openSafetensors(path);
  const { tensors } = file;
  const prefix = controlPrefix(tensors);
  if (prefix === undefined) {
    const isDiffusers = tensors.has('controlnet_cond_embedding.conv_in.weight');
    throw new EncoreError('checkpoint_unsupported', `${path} is no ControlNet in one file`, {
      remedy: isDiffusers
        ? 'It is the weights of a diffusers folder: name the folder, with its config.json.'
        : 'It has no input_hint_block: name a ControlNet for Stable Diffusion 1.x or 2.x.',
    });
  }
  const { layers, config } = unetLayout(tensors, prefix);
  const hint = hintWidths(tensors, prefix);
  const refs = [...tensors.values()];
  // Every even entry of the hint block is a convolution, the others are activations; the last ends in conv_in's width.
  const last = 2 * hint.length;
  const own = renameAll(refs, prefix, [
    rule('input_hint_block.0', 'controlnet_cond_embedding.conv_in'),
    rule('input_hint_block.#', (i) =>
      i === last ? 'controlnet_cond_embedding.conv_out' : `controlnet_cond_embedding.blocks.${i / 2 - 1}`,
    ),
    rule('zero_convs.#.0', 'controlnet_down_blocks.$1'),
    rule('middle_block_out.0', 'controlnet_mid_block'),
  ]);
  return {
    name: 'controlnet',
    className: 'ControlNetModel',
    config: {
      ...config,
      _class_name: 'ControlNetModel',
      // It writes no latents; this is what the shape of a whole UNet is read with.
      out_channels: config.in_channels,
      conditioning_channels: tensors.get(prefix + hintStart)?.shape[1],
      conditioning_embedding_out_channels: [hint[0], ...hint.filter((_, i) => i > 0 && i % 2 === 0)],
    },
    weights: weightMap(file.file, new Map([...unetWeights(refs, prefix, layers), ...own]), file.unsupported),
    files: [file],
  };
}

/** Output channels of the hint block's convolutions, the last left out: a pair of them for every halving. */
function hintWidths(refs: Refs, prefix: string): number[] {
  const widths: number[] = [];
  for (let i = 0; ; i += 2) {
    const shape = refs.get(`${prefix}input_hint_block.${i}.weight`)?.shape;
    if (shape === undefined) return widths.slice(0, -1);
    widths.push(shape[0] ?? 0);
  }
}
