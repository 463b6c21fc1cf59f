import { GraphBuilder } from '../../onnx/builder.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { compile } from '../../onnx/passes/compile.ts';
import { conv2d, groupNorm, linear, toImage, toSequence } from '../layers.ts';
import { downsample2d, resnetBlock2d, upsample2d } from '../resnet.ts';
import type { AutoencoderKLConfig } from './config.ts';
import type { AutoencoderSize } from './size.ts';

/** Of every norm in AutoencoderKL. */
const epsilon = 1e-6;

/**
 * Decoder of AutoencoderKL. Input `sample` [B, C, h, w] (latents divided by scaling_factor), output `sample`
 * [B, 3, H, W] in about -1 .. 1. diffusers: models/autoencoders/vae.py Decoder
 */
export function buildKlDecoder(config: AutoencoderKLConfig, size: AutoencoderSize): Graph {
  const root = GraphBuilder.create('vae.decoder', size);
  const latents = root.input('sample', root.dtype, [
    size.batch,
    config.latentChannels,
    size.height,
    size.width,
  ]);
  const g = root.at('decoder');
  let h = config.hasPostQuantConv ? conv2d(root.at('post_quant_conv'), latents) : latents;
  h = midBlock(g.at('mid_block'), config, conv2d(g.at('conv_in'), h, { padding: 1 }));
  for (let level = 0; level < config.channels.length; level++) {
    const block = g.at('up_blocks', level);
    for (let i = 0; i <= config.layers; i++) h = resnet(block.at('resnets', i), config, h);
    const [, , height = 0, width = 0] = h.shape;
    if (level < config.channels.length - 1)
      h = upsample2d(block.at('upsamplers.0'), h, 2 * height, 2 * width);
  }
  root.output('sample', head(g, config, h));
  return compile(root.finish());
}

/**
 * Encoder of AutoencoderKL. Input `sample` [B, 3, H, W] in -1 .. 1, output `moments` [B, 2C, h, w]: mean, then
 * logarithm of the variance, before scaling_factor. diffusers: models/autoencoders/vae.py Encoder
 */
export function buildKlEncoder(config: AutoencoderKLConfig, size: AutoencoderSize): Graph {
  const root = GraphBuilder.create('vae.encoder', size);
  const pixels = root.input('sample', root.dtype, [size.batch, config.inChannels, size.height, size.width]);
  const g = root.at('encoder');
  let h = conv2d(g.at('conv_in'), pixels, { padding: 1 });
  for (let level = 0; level < config.channels.length; level++) {
    const block = g.at('down_blocks', level);
    for (let i = 0; i < config.layers; i++) h = resnet(block.at('resnets', i), config, h);
    if (level < config.channels.length - 1) h = downsample2d(block.at('downsamplers.0'), h, 0);
  }
  h = head(g, config, midBlock(g.at('mid_block'), config, h));
  root.output('moments', config.hasQuantConv ? conv2d(root.at('quant_conv'), h) : h);
  return compile(root.finish());
}

function midBlock(g: GraphBuilder, config: AutoencoderKLConfig, x: Value): Value {
  let h = resnet(g.at('resnets.0'), config, x);
  if (config.midAttention) h = attentionBlock(g.at('attentions.0'), config, h);
  return resnet(g.at('resnets.1'), config, h);
}

function resnet(g: GraphBuilder, { groups, activation }: AutoencoderKLConfig, x: Value): Value {
  return resnetBlock2d(g, x, null, { groups, epsilon, activation });
}

/** One head over all channels, with its own norm and residual. x: [B, C, h, w] */
function attentionBlock(g: GraphBuilder, config: AutoencoderKLConfig, x: Value): Value {
  const [, , height = 0, width = 0] = x.shape;
  const h = toSequence(g, groupNorm(g.at('group_norm'), x, config.groups, epsilon));
  // Checkpoints from before diffusers 0.17 say query, key, value and proj_attn.
  const old = g.has('query.weight');
  const names = old ? ['query', 'key', 'value', 'proj_attn'] : ['to_q', 'to_k', 'to_v', 'to_out.0'];
  const [q, k, v, out] = names.map((name) => g.at(name)) as [
    GraphBuilder,
    GraphBuilder,
    GraphBuilder,
    GraphBuilder,
  ];
  const mixed = g.attention(linear(q, h), linear(k, h), linear(v, h), { heads: 1 });
  return g.add(x, toImage(g, linear(out, mixed), height, width));
}

function head(g: GraphBuilder, { groups, activation }: AutoencoderKLConfig, x: Value): Value {
  const h = g.activation(groupNorm(g.at('conv_norm_out'), x, groups, epsilon), activation);
  return conv2d(g.at('conv_out'), h, { padding: 1 });
}
