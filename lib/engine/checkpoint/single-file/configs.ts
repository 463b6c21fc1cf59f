import type { WeightRef } from '../weight-source.ts';

/** Tensors by name: all that a single file says about its networks is their shapes. */
export type Refs = ReadonlyMap<string, WeightRef>;

export const unetPrefix = 'model.diffusion_model.';
export const vaePrefix = 'first_stage_model.';

function sizeAt(refs: Refs, name: string, axis: number): number {
  return refs.get(name)?.shape[axis] ?? 0;
}

/** How many of `name(0)`, `name(1)`, ... there are in a row. */
function countOf(refs: Refs, name: (i: number) => string): number {
  let count = 0;
  while (refs.has(name(count))) count++;
  return count;
}

export interface UnetLayout {
  readonly layers: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/** config.json of UNet2DConditionModel from shapes. SD 1.x has 8 heads everywhere, SD 2.x heads of 64 channels. */
export function unetLayout(refs: Refs, prefix = unetPrefix): UnetLayout {
  const at = (name: string) => prefix + name;
  const blocks = countOf(refs, (i) => at(i === 0 ? 'input_blocks.0.0.weight' : blockKey(refs, prefix, i)));
  const downsampler = Array.from({ length: blocks }, (_, i) => i).find((i) =>
    refs.has(at(`input_blocks.${i}.0.op.weight`)),
  );
  const layers = (downsampler ?? blocks) - 1;
  const levels = Math.round(blocks / (layers + 1));
  const channels: number[] = [];
  const attends: boolean[] = [];
  for (let level = 0; level < levels; level++) {
    const first = 1 + level * (layers + 1);
    channels.push(sizeAt(refs, at(`input_blocks.${first}.0.in_layers.2.weight`), 0));
    attends.push(refs.has(at(`input_blocks.${first}.1.norm.weight`)));
  }
  const linear = refs.get(at('middle_block.1.proj_in.weight'))?.shape.length === 2;
  const text = sizeAt(refs, at('middle_block.1.transformer_blocks.0.attn2.to_k.weight'), 1);
  return {
    layers,
    config: {
      _class_name: 'UNet2DConditionModel',
      in_channels: sizeAt(refs, at('input_blocks.0.0.weight'), 1),
      out_channels: sizeAt(refs, at('out.2.weight'), 0),
      block_out_channels: channels,
      layers_per_block: layers,
      down_block_types: attends.map((each) => (each ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
      up_block_types: attends.map((each) => (each ? 'CrossAttnUpBlock2D' : 'UpBlock2D')).reverse(),
      cross_attention_dim: text,
      attention_head_dim: linear ? channels.map((width) => width / 64) : 8,
      use_linear_projection: linear,
      transformer_layers_per_block: countOf(refs, (i) =>
        at(`middle_block.1.transformer_blocks.${i}.norm1.weight`),
      ),
    },
  };
}

/** A tensor that input block i has for certain: its downsampler's or its resnet's. */
function blockKey(refs: Refs, prefix: string, i: number): string {
  const op = `input_blocks.${i}.0.op.weight`;
  return refs.has(prefix + op) ? op : `input_blocks.${i}.0.in_layers.0.weight`;
}

export interface VaeLayout {
  readonly levels: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/** config.json of AutoencoderKL from shapes; its scaling factor is that of every SD 1.x and 2.x autoencoder. */
export function vaeLayout(refs: Refs): VaeLayout {
  const at = (name: string) => vaePrefix + name;
  const levels = countOf(refs, (i) => at(`encoder.down.${i}.block.0.norm1.weight`));
  const channels = Array.from({ length: levels }, (_, i) =>
    sizeAt(refs, at(`encoder.down.${i}.block.0.conv1.weight`), 0),
  );
  return {
    levels,
    config: {
      _class_name: 'AutoencoderKL',
      in_channels: sizeAt(refs, at('encoder.conv_in.weight'), 1),
      out_channels: sizeAt(refs, at('decoder.conv_out.weight'), 0),
      latent_channels: sizeAt(refs, at('decoder.conv_in.weight'), 1),
      block_out_channels: channels,
      layers_per_block: countOf(refs, (i) => at(`encoder.down.0.block.${i}.norm1.weight`)),
      down_block_types: channels.map(() => 'DownEncoderBlock2D'),
      up_block_types: channels.map(() => 'UpDecoderBlock2D'),
      scaling_factor: 0.18215,
    },
  };
}

/**
 * config.json of CLIPTextModel from its renamed tensors. OpenAI's CLIP activates with quick_gelu, OpenCLIP with gelu;
 * both have heads of 64 channels.
 */
export function textConfig(refs: Refs, dialect: 'clip' | 'open-clip'): Readonly<Record<string, unknown>> {
  const root = refs.has('text_model.final_layer_norm.weight') ? 'text_model.' : '';
  const width = sizeAt(refs, `${root}embeddings.token_embedding.weight`, 1);
  return {
    architectures: ['CLIPTextModel'],
    vocab_size: sizeAt(refs, `${root}embeddings.token_embedding.weight`, 0),
    hidden_size: width,
    intermediate_size: sizeAt(refs, `${root}encoder.layers.0.mlp.fc1.weight`, 0),
    max_position_embeddings: sizeAt(refs, `${root}embeddings.position_embedding.weight`, 0),
    num_hidden_layers: countOf(refs, (i) => `${root}encoder.layers.${i}.layer_norm1.weight`),
    num_attention_heads: Math.max(1, width / 64),
    hidden_act: dialect === 'clip' ? 'quick_gelu' : 'gelu',
    eos_token_id: 2,
  };
}

/** scheduler_config.json of the official SD 1.x and 2.x folders; only the prediction type differs. */
export function schedulerConfig(
  predictionType: 'epsilon' | 'v_prediction',
): Readonly<Record<string, unknown>> {
  return {
    _class_name: 'DDIMScheduler',
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    num_train_timesteps: 1000,
    clip_sample: false,
    set_alpha_to_one: false,
    steps_offset: 1,
    prediction_type: predictionType,
  };
}
