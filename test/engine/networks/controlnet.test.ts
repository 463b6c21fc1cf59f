import { describe, expect, it } from 'vitest';
import { openModel } from '../../../lib/engine/checkpoint/model-source.ts';
import { readSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { buildControlNet, buildControlNetStages } from '../../../lib/engine/networks/controlnet/build.ts';
import { parseControlNetConfig } from '../../../lib/engine/networks/controlnet/config.ts';
import { ControlNet } from '../../../lib/engine/networks/controlnet/controlnet.ts';
import { countMacs } from '../../../lib/engine/onnx/macs.ts';
import { concatRows, rows } from '../../../lib/engine/tensor/arithmetic.ts';
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
    const prepared = await net.prepare(conditioning, reference['controlnet_cond']!, 1);
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
    const prepared = await net.prepare(conditioning, reference['controlnet_cond']!, 1);
    const { midBlockResSample } = await net.residuals(reference['sample']!, 481, prepared, 0);
    expect(midBlockResSample.data.every((value) => value === 0)).toBe(true);
    await net.dispose();
  });

  it('is silent in the shapes it speaks in', async () => {
    const { net, reference } = await open();
    const conditioning = { encoderHiddenStates: reference['encoder_hidden_states']! };
    const prepared = await net.prepare(conditioning, reference['controlnet_cond']!, 1);
    const spoken = await net.residuals(reference['sample']!, 481, prepared, 1);
    const silent = net.silence(prepared);
    const all = ({ downBlockResSamples, midBlockResSample }: typeof spoken) => [
      ...downBlockResSamples,
      midBlockResSample,
    ];
    expect(all(silent).map(({ shape }) => shape)).toEqual(all(spoken).map(({ shape }) => shape));
    expect(all(silent).every(({ data }) => data.every((value) => value === 0))).toBe(true);
    await net.dispose();
  });

  it('gives samples of a batch the same picture, each for itself', async () => {
    const { net, reference } = await open();
    const text = reference['encoder_hidden_states']!;
    const [a, b] = [random([1, 4, 6, 8], 3), random([1, 4, 6, 8], 4)];
    const picture = reference['controlnet_cond']!;
    const alone = await net.prepare({ encoderHiddenStates: text }, picture, 1);
    // Rows are [unconditional 2, conditional 2].
    const [negative, positive] = [rows(text, 0, 1), rows(text, 1, 2)];
    const pair = concatRows([negative, negative, positive, positive]);
    const together = await net.prepare({ encoderHiddenStates: pair }, picture, 2);
    const { midBlockResSample } = await net.residuals(concatRows([a, b]), 481, together, 0.7);
    for (const [i, sample] of [a, b].entries()) {
      const { midBlockResSample: own } = await net.residuals(sample, 481, alone, 0.7);
      const picked = concatRows([rows(midBlockResSample, i, i + 1), rows(midBlockResSample, 2 + i, 3 + i)]);
      expectForward(picked, own, `sample ${i}`);
    }
    await net.dispose();
  });

  it('computes what both halves of guidance share once', async () => {
    const { config, weights, net } = await open();
    const macs = (batch: number) =>
      countMacs(buildControlNetStages(config, { ...size, batch, weights }).encoder);
    expect(macs(1)).toBeLessThan(macs(2));
    await net.dispose();
  });

  it('costs about as much per step as its encoder, and its picture once', async () => {
    const { net } = await open();
    const cost = net.cost(6, 8);
    expect(cost.step).toBeGreaterThan(0);
    expect(cost.prompt).toBeGreaterThan(0);
    expect(net.cost(12, 16).step).toBeGreaterThan(3 * cost.step);
    await net.dispose();
  });

  it.each<[string, number[]]>([
    ['channels', [1, 1, 24, 32]],
    ['a size that does not divide', [1, 3, 22, 32]],
    ['more than one', [2, 3, 24, 32]],
  ])('refuses a picture of other %s', async (_, shape) => {
    const { net, reference } = await open();
    const conditioning = { encoderHiddenStates: reference['encoder_hidden_states']! };
    await expect(net.prepare(conditioning, random(shape), 1)).rejects.toMatchObject({
      code: 'invalid_tensor',
      message: `a control picture must be [1, 3, H, W] with H, W multiples of 4, got [${shape.join(', ')}]`,
    });
    await net.dispose();
  });

  it('refuses samples that do not divide the rows', async () => {
    const { net, reference } = await open();
    const conditioning = { encoderHiddenStates: reference['encoder_hidden_states']! };
    await expect(net.prepare(conditioning, reference['controlnet_cond']!, 3)).rejects.toMatchObject({
      code: 'invalid_tensor',
    });
    await net.dispose();
  });

  it('names what it does not support', () => {
    expect(() => parseControlNetConfig({ global_pool_conditions: true })).toThrow(
      'config.global_pool_conditions',
    );
  });
});
