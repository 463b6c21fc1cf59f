import type { Shape } from '../lib/engine/tensor/tensor.ts';

/** Names and shapes of every tensor of Stable Diffusion 1.5 in diffusers layout. */
export type TensorShapes = Map<string, Shape>;

export const unetConfig = {
  _class_name: 'UNet2DConditionModel',
  act_fn: 'silu',
  attention_head_dim: 8,
  block_out_channels: [320, 640, 1280, 1280],
  cross_attention_dim: 768,
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  in_channels: 4,
  layers_per_block: 2,
  norm_eps: 1e-5,
  norm_num_groups: 32,
  out_channels: 4,
  sample_size: 64,
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
};

export const vaeConfig = {
  _class_name: 'AutoencoderKL',
  act_fn: 'silu',
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array.from({ length: 4 }, () => 'DownEncoderBlock2D'),
  in_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
  out_channels: 3,
  sample_size: 512,
  scaling_factor: 0.18215,
  up_block_types: Array.from({ length: 4 }, () => 'UpDecoderBlock2D'),
};

export const textConfig = {
  architectures: ['CLIPTextModel'],
  hidden_act: 'quick_gelu',
  hidden_size: 768,
  intermediate_size: 3072,
  layer_norm_eps: 1e-5,
  max_position_embeddings: 77,
  model_type: 'clip_text_model',
  num_attention_heads: 12,
  num_hidden_layers: 12,
  projection_dim: 768,
  vocab_size: 49408,
  bos_token_id: 0,
  eos_token_id: 2,
};

/** Collects tensors under one path. */
class Scope {
  private readonly tensors: TensorShapes;
  private readonly path: string;

  constructor(tensors: TensorShapes, path = '') {
    this.tensors = tensors;
    this.path = path;
  }

  at(name: string): Scope {
    return new Scope(this.tensors, `${this.path}${name}.`);
  }

  put(name: string, shape: Shape): void {
    this.tensors.set(this.path + name, shape);
  }

  linear(name: string, inputs: number, outputs: number, bias = true): void {
    this.put(`${name}.weight`, [outputs, inputs]);
    if (bias) this.put(`${name}.bias`, [outputs]);
  }

  conv(name: string, inputs: number, outputs: number, kernel = 3): void {
    this.put(`${name}.weight`, [outputs, inputs, kernel, kernel]);
    this.put(`${name}.bias`, [outputs]);
  }

  norm(name: string, channels: number): void {
    this.put(`${name}.weight`, [channels]);
    this.put(`${name}.bias`, [channels]);
  }

  resnet(name: string, inputs: number, outputs: number, time: number | null): void {
    const s = this.at(name);
    s.norm('norm1', inputs);
    s.conv('conv1', inputs, outputs);
    if (time !== null) s.linear('time_emb_proj', time, outputs);
    s.norm('norm2', outputs);
    s.conv('conv2', outputs, outputs);
    if (inputs !== outputs) s.conv('conv_shortcut', inputs, outputs, 1);
  }

  transformer(name: string, channels: number, text: number): void {
    const s = this.at(name);
    s.norm('norm', channels);
    s.conv('proj_in', channels, channels, 1);
    const block = s.at('transformer_blocks.0');
    for (const [attention, width] of [
      ['attn1', channels],
      ['attn2', text],
    ] as const) {
      block.linear(`${attention}.to_q`, channels, channels, false);
      block.linear(`${attention}.to_k`, width, channels, false);
      block.linear(`${attention}.to_v`, width, channels, false);
      block.linear(`${attention}.to_out.0`, channels, channels);
    }
    for (const norm of ['norm1', 'norm2', 'norm3']) block.norm(norm, channels);
    block.linear('ff.net.0.proj', channels, 8 * channels);
    block.linear('ff.net.2', 4 * channels, channels);
    s.conv('proj_out', channels, channels, 1);
  }
}

/** A ControlNet for it. */
export const controlConfig = {
  ...unetConfig,
  _class_name: 'ControlNetModel',
  conditioning_channels: 3,
  conditioning_embedding_out_channels: [16, 32, 96, 256],
};

export function unetTensors(): TensorShapes {
  const tensors: TensorShapes = new Map();
  const s = new Scope(tensors);
  const { block_out_channels: channels, layers_per_block: layers, cross_attention_dim: text } = unetConfig;
  const first = channels[0]!;
  const last = channels.length - 1;
  const time = 4 * first;
  const skips = encoderTensors(s);
  let current = channels[last]!;
  [...channels].reverse().forEach((width, i) => {
    const block = s.at(`up_blocks.${i}`);
    for (let j = 0; j <= layers; j++) {
      block.resnet(`resnets.${j}`, current + skips.pop()!, width, time);
      if (i !== 0) block.transformer(`attentions.${j}`, width, text);
      current = width;
    }
    if (i !== last) block.conv('upsamplers.0.conv', width, width);
  });
  s.norm('conv_norm_out', first);
  s.conv('conv_out', first, unetConfig.out_channels);
  return tensors;
}

export function controlTensors(): TensorShapes {
  const tensors: TensorShapes = new Map();
  const s = new Scope(tensors);
  const { conditioning_embedding_out_channels: hint, block_out_channels: channels } = controlConfig;
  const skips = encoderTensors(s);
  const embedding = s.at('controlnet_cond_embedding');
  embedding.conv('conv_in', controlConfig.conditioning_channels, hint[0]!);
  hint.slice(1).forEach((width, i) => {
    embedding.conv(`blocks.${2 * i}`, hint[i]!, hint[i]!);
    embedding.conv(`blocks.${2 * i + 1}`, hint[i]!, width);
  });
  embedding.conv('conv_out', hint.at(-1)!, channels[0]!);
  skips.forEach((width, i) => s.conv(`controlnet_down_blocks.${i}`, width, width, 1));
  s.conv('controlnet_mid_block', channels.at(-1)!, channels.at(-1)!, 1);
  return tensors;
}

/** Conv_in to mid block, which a ControlNet has as well. Returns the widths of the skips. */
function encoderTensors(s: Scope): number[] {
  const { block_out_channels: channels, layers_per_block: layers, cross_attention_dim: text } = unetConfig;
  const first = channels[0]!;
  const last = channels.length - 1;
  const time = 4 * first;
  s.conv('conv_in', unetConfig.in_channels, first);
  s.linear('time_embedding.linear_1', first, time);
  s.linear('time_embedding.linear_2', time, time);
  const skips = [first];
  channels.forEach((width, i) => {
    const block = s.at(`down_blocks.${i}`);
    for (let j = 0; j < layers; j++) {
      block.resnet(`resnets.${j}`, j === 0 ? channels[Math.max(0, i - 1)]! : width, width, time);
      if (i !== last) block.transformer(`attentions.${j}`, width, text);
      skips.push(width);
    }
    if (i === last) return;
    block.conv('downsamplers.0.conv', width, width);
    skips.push(width);
  });
  const middle = channels[last]!;
  s.resnet('mid_block.resnets.0', middle, middle, time);
  s.transformer('mid_block.attentions.0', middle, text);
  s.resnet('mid_block.resnets.1', middle, middle, time);
  return skips;
}

export function vaeTensors(): TensorShapes {
  const tensors: TensorShapes = new Map();
  const s = new Scope(tensors);
  const { block_out_channels: channels, layers_per_block: layers, latent_channels: latents } = vaeConfig;
  const last = channels.length - 1;
  const middle = channels[last]!;
  const encoder = s.at('encoder');
  encoder.conv('conv_in', vaeConfig.in_channels, channels[0]!);
  channels.forEach((width, i) => {
    for (let j = 0; j < layers; j++) {
      encoder.resnet(
        `down_blocks.${i}.resnets.${j}`,
        j === 0 ? channels[Math.max(0, i - 1)]! : width,
        width,
        null,
      );
    }
    if (i !== last) encoder.conv(`down_blocks.${i}.downsamplers.0.conv`, width, width);
  });
  vaeEnds(encoder, middle, channels[last]!, 2 * latents);
  const decoder = s.at('decoder');
  decoder.conv('conv_in', latents, middle);
  let current = middle;
  [...channels].reverse().forEach((width, i) => {
    for (let j = 0; j <= layers; j++) {
      decoder.resnet(`up_blocks.${i}.resnets.${j}`, current, width, null);
      current = width;
    }
    if (i !== last) decoder.conv(`up_blocks.${i}.upsamplers.0.conv`, width, width);
  });
  vaeEnds(decoder, middle, channels[0]!, vaeConfig.out_channels);
  s.conv('quant_conv', 2 * latents, 2 * latents, 1);
  s.conv('post_quant_conv', latents, latents, 1);
  return tensors;
}

/** Mid block and output of either half. */
function vaeEnds(s: Scope, middle: number, inputs: number, outputs: number): void {
  s.resnet('mid_block.resnets.0', middle, middle, null);
  s.resnet('mid_block.resnets.1', middle, middle, null);
  const attention = s.at('mid_block.attentions.0');
  attention.norm('group_norm', middle);
  for (const name of ['to_q', 'to_k', 'to_v', 'to_out.0']) attention.linear(name, middle, middle);
  s.norm('conv_norm_out', inputs);
  s.conv('conv_out', inputs, outputs);
}

export function textTensors(): TensorShapes {
  const tensors: TensorShapes = new Map();
  const s = new Scope(tensors).at('text_model');
  const { hidden_size: width, intermediate_size: inner } = textConfig;
  s.put('embeddings.token_embedding.weight', [textConfig.vocab_size, width]);
  s.put('embeddings.position_embedding.weight', [textConfig.max_position_embeddings, width]);
  for (let i = 0; i < textConfig.num_hidden_layers; i++) {
    const layer = s.at(`encoder.layers.${i}`);
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'out_proj'])
      layer.linear(`self_attn.${name}`, width, width);
    layer.norm('layer_norm1', width);
    layer.norm('layer_norm2', width);
    layer.linear('mlp.fc1', width, inner);
    layer.linear('mlp.fc2', inner, width);
  }
  s.norm('final_layer_norm', width);
  return tensors;
}
