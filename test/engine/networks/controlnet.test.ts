import { describe, expect, it } from 'vitest';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { buildControlNet } from '../../../lib/engine/networks/controlnet/build.ts';
import { parseControlNetConfig } from '../../../lib/engine/networks/controlnet/config.ts';
import { ControlNet } from '../../../lib/engine/networks/controlnet/controlnet.ts';
import { type Tensor } from '../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../support/parity.ts';
import { random, runGraph, testRuntime } from '../support/graphs.ts';

// Checkpoint and reference are made by training/golden/controlnet.py.

async function open() {
  const { config, weights } = await (await openModel('test/golden/tiny-controlnet')).network('controlnet');
  const tensors = await readSafetensors('test/golden/tiny-controlnet/reference/controlnet.safetensors');
  const reference = Object.fromEntries(tensors) as Record<string, Tensor<'float32'>>;
  const runtime = await testRuntime();
  const parsed = parseControlNetConfig(config);
  return {
    config: parsed,
    weights,
    reference,
    net: new ControlNet(parsed, weights, (graph) => runtime.open(graph)),
  };
}

const size = { batch: 1, rows: 2, height: 6, width: 8, tokens: 5 };

describe('ControlNet', () => {
  it('equals diffusers', async () => {
    const { config, weights, reference } = await open();
    const outputs = await runGraph(buildControlNet(config, { ...size, weights }), reference);
    expect(Object.keys(outputs)).toHaveLength(5);
    for (const [name, value] of Object.entries(outputs))
      expectForward(value, reference[`output.${name}`]!, name);
  });

  it('embeds picture and text once and gives the same residuals', async () => {
    const { net, reference } = await open();
    const conditioning = { encoderHiddenStates: reference['encoder_hidden_states']! };
    const prepared = await net.prepare(conditioning, reference['controlnet_cond']!);
    const residuals = await net.residuals(reference['sample']!, 481, prepared, 0.7);
    expect(residuals.downBlockResSamples).toHaveLength(4);
    residuals.downBlockResSamples.forEach((value, i) =>
      expectForward(value, reference[`output.down_block_res_samples.${i}`]!, `skip ${i}`),
    );
    expectForward(residuals.midBlockResSample, reference['output.mid_block_res_sample']!, 'mid');
    await net.dispose();
  });

  it('says nothing at scale 0', async () => {
    const { net, reference } = await open();
    const conditioning = { encoderHiddenStates: reference['encoder_hidden_states']! };
    const prepared = await net.prepare(conditioning, reference['controlnet_cond']!);
    const { midBlockResSample } = await net.residuals(reference['sample']!, 481, prepared, 0);
    expect(midBlockResSample.data.every((value) => value === 0)).toBe(true);
    await net.dispose();
  });

  it.each<[string, number[]]>([
    ['channels', [1, 1, 24, 32]],
    ['a size that does not divide', [1, 3, 22, 32]],
    ['a batch that does not divide the rows', [3, 3, 24, 32]],
  ])('refuses a picture of other %s', async (_, shape) => {
    const { net, reference } = await open();
    const conditioning = { encoderHiddenStates: reference['encoder_hidden_states']! };
    await expect(net.prepare(conditioning, random(shape))).rejects.toMatchObject({
      code: 'invalid_tensor',
      message: `a control picture must be [B, 3, H, W] with B a divisor of 2 rows and H, W multiples of 4, got [${shape.join(', ')}]`,
    });
    await net.dispose();
  });

  it('names what it does not support', () => {
    expect(() => parseControlNetConfig({ global_pool_conditions: true })).toThrow(
      'config.global_pool_conditions',
    );
  });
});
