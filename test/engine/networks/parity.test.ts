import { describe, it } from 'vitest';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { buildClipText } from '../../../lib/engine/networks/clip/build.ts';
import { parseClipTextConfig } from '../../../lib/engine/networks/clip/config.ts';
import { buildUnet, buildUnetDecoder, buildUnetEncoder } from '../../../lib/engine/networks/unet/build.ts';
import { parseUnetConfig } from '../../../lib/engine/networks/unet/config.ts';
import { buildDecoder, buildEncoder } from '../../../lib/engine/networks/vae/autoencoder.ts';
import { parseAutoencoderConfig } from '../../../lib/engine/networks/vae/config.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../support/parity.ts';
import { runGraph } from '../support/graphs.ts';

// Against torch, diffusers and transformers: checkpoints and references are made by training/golden/tiny.py.

const models = ['tiny-sd', 'tiny-sd2', 'tiny-toy'];

async function open(model: string, component: string) {
  const { config, weights, className } = await (await openModel(`test/golden/${model}`)).network(component);
  const tensors = await readSafetensors(`test/golden/${model}/reference/${component}.safetensors`);
  const reference = (name: string): Tensor => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`${model}/reference/${component}.safetensors has no ${name}`);
    return tensor;
  };
  return { config, weights, className, reference };
}

const asFloat = ({ shape, data }: Tensor) => float32(shape, Float32Array.from(data as Float32Array, Number));

describe.each(models)('%s equals its Python', (model) => {
  it('text encoder', async () => {
    const { config, weights, reference } = await open(model, 'text_encoder');
    const [rows = 0, tokens = 0] = reference('input_ids').shape;
    const graph = buildClipText(parseClipTextConfig(config), { rows, tokens, weights });
    const outputs = await runGraph(graph, { input_ids: reference('input_ids') });
    for (const name of ['last_hidden_state', 'pooler_output'])
      expectForward(outputs[name]!, reference(name), name);
  });

  it.each(['', '_odd'])('unet and its halves%s', async (size) => {
    const { config: json, weights, reference } = await open(model, 'unet');
    const config = parseUnetConfig(json);
    const feeds = {
      sample: reference(`sample${size}`),
      timestep: asFloat(reference('timestep')),
      timesteps: asFloat(reference('timesteps')),
      encoder_hidden_states: reference(`encoder_hidden_states${size}`),
    };
    const [rows = 0, , height = 0, width = 0] = feeds.sample.shape;
    const [, tokens = 0] = feeds.encoder_hidden_states.shape;
    const built = { rows, height, width, tokens, weights };

    const whole = await runGraph(buildUnet(config, built), feeds);
    expectForward(whole['sample']!, reference(`output.sample${size}`), 'sample');
    const features = await runGraph(buildUnetEncoder(config, built), feeds);
    for (const [name, value] of Object.entries(features))
      expectForward(value, reference(`output.${name}${size}`), name);
    const [steps = 0] = feeds.timesteps.shape;
    const decoded = await runGraph(buildUnetDecoder(config, { ...built, steps }), { ...feeds, ...features });
    expectForward(decoded['sample']!, reference(`output.decoded${size}`), 'decoded');
  });

  it('autoencoder', async () => {
    const { config: json, className, weights, reference } = await open(model, 'vae');
    const config = parseAutoencoderConfig(className, json);
    const size = ({ shape: [batch = 0, , height = 0, width = 0] }: Tensor) => ({
      batch,
      height,
      width,
      weights,
    });
    const latents = reference('decoder.sample');
    const decoded = await runGraph(buildDecoder(config, size(latents)), { sample: latents });
    expectForward(decoded['sample']!, reference('decoder.output.sample'), 'decoder');
    const pixels = reference('encoder.sample');
    const encoded = await runGraph(buildEncoder(config, size(pixels)), { sample: pixels });
    for (const [name, value] of Object.entries(encoded))
      expectForward(value, reference(`encoder.output.${name}`), name);
  });
});
