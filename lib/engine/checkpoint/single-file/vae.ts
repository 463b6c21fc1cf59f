import type { Shape } from '../../tensor/tensor.ts';
import type { WeightRef } from '../weight-source.ts';
import { renameAll, rule, type Rule } from './rules.ts';

const resnet = { nin_shortcut: 'conv_shortcut' };

/** Projections of the attention are 1 x 1 convolutions there and linear layers in diffusers. */
const asLinear = (shape: Shape) => (shape.length === 4 ? shape.slice(0, 2) : shape);

/** `first_stage_model.` of a checkpoint with `levels` resolutions under the names of AutoencoderKL. */
export function vaeWeights(
  refs: Iterable<WeightRef>,
  prefix: string,
  levels: number,
): Map<string, WeightRef> {
  // ldm counts up blocks from the finest level, diffusers in the order they run.
  const up = (level: number) => `decoder.up_blocks.${levels - 1 - level}`;
  return renameAll(
    refs,
    prefix,
    [
      rule('encoder.down.#.block.#', 'encoder.down_blocks.$1.resnets.$2'),
      rule('encoder.down.#.downsample', 'encoder.down_blocks.$1.downsamplers.0'),
      rule('decoder.up.#.block.#', (level, block) => `${up(level)}.resnets.${block}`),
      rule('decoder.up.#.upsample', (level) => `${up(level)}.upsamplers.0`),
      ...half('encoder'),
      ...half('decoder'),
      rule('quant_conv', 'quant_conv'),
      rule('post_quant_conv', 'post_quant_conv'),
    ],
    resnet,
  );
}

/** What encoder and decoder share. */
function half(side: string): Rule[] {
  const attention = `${side}.mid_block.attentions.0`;
  return [
    rule(`${side}.mid.block_1`, `${side}.mid_block.resnets.0`),
    rule(`${side}.mid.block_2`, `${side}.mid_block.resnets.1`),
    rule(`${side}.mid.attn_1.norm`, `${attention}.group_norm`),
    rule(`${side}.mid.attn_1.q`, `${attention}.to_q`, asLinear),
    rule(`${side}.mid.attn_1.k`, `${attention}.to_k`, asLinear),
    rule(`${side}.mid.attn_1.v`, `${attention}.to_v`, asLinear),
    rule(`${side}.mid.attn_1.proj_out`, `${attention}.to_out.0`, asLinear),
    rule(`${side}.norm_out`, `${side}.conv_norm_out`),
    rule(`${side}.conv_in`, `${side}.conv_in`),
    rule(`${side}.conv_out`, `${side}.conv_out`),
  ];
}
