import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModel } from '../../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors } from '../../../../lib/engine/checkpoint/safetensors.ts';
import { buildUnet } from '../../../../lib/engine/networks/unet/build.ts';
import { parseUnetConfig } from '../../../../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../../../../lib/engine/networks/unet/denoiser.ts';
import { float32, type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../../support/parity.ts';
import { runGraph, testRuntime } from '../../support/graphs.ts';

// Class and added embeddings, unusual kernels and paddings, text-only levels: made by training/golden/variants.py.

const folder = 'test/golden/unet-variants';
const names = readdirSync(folder);

it('has its references', () => expect(names).toHaveLength(8));

describe.each(names)('%s equals diffusers', (name) => {
  const open = async () => {
    const { config, weights } = await (await openModel(join(folder, name))).network(name);
    const reference = await readSafetensors(join(folder, name, 'reference/unet.safetensors'));
    return {
      config: parseUnetConfig(config),
      weights,
      feeds: Object.fromEntries(reference) as Record<string, Tensor>,
    };
  };

  it('whole', async () => {
    const { config, weights, feeds } = await open();
    const outputs = await runGraph(
      buildUnet(config, { rows: 2, height: 6, width: 6, tokens: 5, weights }),
      feeds,
    );
    expectForward(outputs['sample']!, feeds['output.sample']!, name);
  });

  it('cut, at the second of two steps decoded together', async () => {
    const { config, weights, feeds } = await open();
    const runtime = await testRuntime();
    const denoiser = new UnetDenoiser(config, weights, (graph) => runtime.open(graph));
    const prepared = await denoiser.prepare({
      encoderHiddenStates: feeds['encoder_hidden_states'] as Tensor<'float32'>,
      classLabels: feeds['class_labels'] as Tensor<'float32'> | undefined,
      textEmbeds: feeds['text_embeds'] as Tensor<'float32'> | undefined,
      timeIds: feeds['time_ids'] as Tensor<'float32'> | undefined,
    });
    const features = await denoiser.encode(feeds['sample'] as Tensor<'float32'>, 333, prepared);
    const { shape, data } = await denoiser.decode(features, [100, 333], prepared);
    const second = float32(shape.slice(1), data.subarray(data.length / 2));
    expectForward(second, feeds['output.sample']!, name);
    await denoiser.dispose();
  });
});
