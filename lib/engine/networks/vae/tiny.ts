import { GraphBuilder } from '../../onnx/builder.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { compile } from '../../onnx/passes/compile.ts';
import { conv2d } from '../layers.ts';
import type { AutoencoderSize } from './size.ts';
import type { AutoencoderTinyConfig } from './config.ts';

/**
 * Decoder of AutoencoderTiny. Input `sample` [B, C, h, w] (latents divided by scaling_factor), output `sample`
 * [B, 3, H, W] in -1 .. 1. diffusers: models/autoencoders/vae.py DecoderTiny
 */
export function buildTinyDecoder(config: AutoencoderTinyConfig, size: AutoencoderSize): Graph {
  const root = GraphBuilder.create('vae.decoder', size);
  const layers = layerCounter(root.at('decoder.layers'));
  const latents = root.input('sample', root.dtype, [
    size.batch,
    config.latentChannels,
    size.height,
    size.width,
  ]);
  const clamped = root.mul(root.emit('Tanh', [root.div(latents, 3)]), 3);
  let h = root.activation(conv2d(layers(), clamped, { padding: 1 }), config.activation);
  layers(); // the activation is a layer of its own
  config.decoder.forEach(({ blocks }, stage) => {
    for (let i = 0; i < blocks; i++) h = tinyBlock(layers(), config, h);
    if (stage < config.decoder.length - 1) {
      const [, , height = 0, width = 0] = h.shape;
      h = layers().resizeNearest(h, height * config.upsampling, width * config.upsampling);
    }
    h = conv2d(layers(), h, { padding: 1 });
  });
  root.output('sample', root.sub(root.mul(h, 2), 1));
  return compile(root.finish());
}

/**
 * Encoder of AutoencoderTiny. Input `sample` [B, 3, H, W] in -1 .. 1, output `latents` [B, C, h, w], before
 * scaling_factor. diffusers: models/autoencoders/vae.py EncoderTiny
 */
export function buildTinyEncoder(config: AutoencoderTinyConfig, size: AutoencoderSize): Graph {
  const root = GraphBuilder.create('vae.encoder', size);
  const layers = layerCounter(root.at('encoder.layers'));
  const pixels = root.input('sample', root.dtype, [size.batch, config.inChannels, size.height, size.width]);
  let h = root.div(root.add(pixels, 1), 2);
  config.encoder.forEach(({ blocks }, stage) => {
    h = conv2d(layers(), h, { padding: 1, stride: stage === 0 ? 1 : 2 });
    for (let i = 0; i < blocks; i++) h = tinyBlock(layers(), config, h);
  });
  root.output('latents', conv2d(layers(), h, { padding: 1 }));
  return compile(root.finish());
}

/** AutoencoderTinyBlock. x: [B, C, h, w]. diffusers: models/unets/unet_2d_blocks.py */
function tinyBlock(g: GraphBuilder, config: AutoencoderTinyConfig, x: Value): Value {
  let h = g.activation(conv2d(g.at('conv.0'), x, { padding: 1 }), config.activation);
  h = g.activation(conv2d(g.at('conv.2'), h, { padding: 1 }), config.activation);
  h = conv2d(g.at('conv.4'), h, { padding: 1 });
  const skip = g.at('skip').has('weight') ? conv2d(g.at('skip'), x) : x;
  return g.activation(g.add(h, skip), 'relu');
}

/** The members of a torch Sequential, one after the other. */
function layerCounter(g: GraphBuilder): () => GraphBuilder {
  let next = 0;
  return () => g.at(next++);
}
