import type { WeightRef } from '../weight-source.ts';
import { renameAll, rule } from './rules.ts';

/** ResBlock of ldm/modules/diffusionmodules/openaimodel.py to ResnetBlock2D. */
const resnet = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
};

/**
 * `model.diffusion_model.` of an SD 1.x or 2.x checkpoint under the names of UNet2DConditionModel. Input and output
 * blocks are numbered through; a level has `layers` of them on the way down, then its downsampler, and `layers` + 1 on
 * the way up, the last with its upsampler.
 */
export function unetWeights(
  refs: Iterable<WeightRef>,
  prefix: string,
  layers: number,
): Map<string, WeightRef> {
  const level = (block: number) => Math.floor((block - 1) / (layers + 1));
  const layer = (block: number) => (block - 1) % (layers + 1);
  const up = (block: number) => `up_blocks.${Math.floor(block / (layers + 1))}`;
  return renameAll(
    refs,
    prefix,
    [
      rule('time_embed.0', 'time_embedding.linear_1'),
      rule('time_embed.2', 'time_embedding.linear_2'),
      rule('input_blocks.0.0', 'conv_in'),
      rule('input_blocks.#.0.op', (block) => `down_blocks.${level(block)}.downsamplers.0.conv`),
      rule('input_blocks.#.0', (block) => `down_blocks.${level(block)}.resnets.${layer(block)}`),
      rule('input_blocks.#.1', (block) => `down_blocks.${level(block)}.attentions.${layer(block)}`),
      rule('middle_block.0', 'mid_block.resnets.0'),
      rule('middle_block.1', 'mid_block.attentions.0'),
      rule('middle_block.2', 'mid_block.resnets.1'),
      // The upsampler stands where the attention would, on levels that have none.
      rule('output_blocks.#.1.conv', (block) => `${up(block)}.upsamplers.0.conv`),
      rule('output_blocks.#.2.conv', (block) => `${up(block)}.upsamplers.0.conv`),
      rule('output_blocks.#.0', (block) => `${up(block)}.resnets.${block % (layers + 1)}`),
      rule('output_blocks.#.1', (block) => `${up(block)}.attentions.${block % (layers + 1)}`),
      rule('out.0', 'conv_norm_out'),
      rule('out.2', 'conv_out'),
    ],
    resnet,
  );
}
