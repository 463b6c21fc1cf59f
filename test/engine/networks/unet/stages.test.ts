import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openModel } from '../../../../lib/engine/checkpoint/model-source.ts';
import { buildUnetDecoder, buildUnetEncoder } from '../../../../lib/engine/networks/unet/build.ts';
import { parseUnetConfig } from '../../../../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../../../../lib/engine/networks/unet/denoiser.ts';
import { buildUnetStages } from '../../../../lib/engine/networks/unet/stages.ts';
import { countMacs } from '../../../../lib/engine/onnx/macs.ts';
import { print } from '../../../../lib/engine/onnx/print.ts';
import { float32, type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { expectForward } from '../../../support/parity.ts';
import { random, runGraph, testRuntime } from '../../support/graphs.ts';

const models = ['tiny-sd', 'tiny-sd2', 'tiny-toy'] as const;

async function unet(model: string, overrides: Record<string, unknown> = {}) {
  const { config, weights } = await (await openModel(`test/golden/${model}`)).network('unet');
  return { config: parseUnetConfig({ ...config, ...overrides }), weights };
}

const times = (...values: number[]) => float32([values.length], Float32Array.from(values));

/** Rows of a batch repeated for both halves of guidance. */
function repeated(x: Tensor<'float32'>, count: number): Tensor<'float32'> {
  const out = float32([(x.shape[0] ?? 0) * count, ...x.shape.slice(1)]);
  for (let i = 0; i < count; i++) out.data.set(x.data, i * x.data.length);
  return out;
}

function step(x: Tensor<'float32'>, s: number): Tensor<'float32'> {
  const size = x.data.length / (x.shape[0] ?? 1);
  return float32(x.shape.slice(1), x.data.slice(s * size, (s + 1) * size));
}

describe('the three stages together are the plain halves', () => {
  it('for any config, size, batch, guidance, span and control', async () => {
    const cases = fc.record({
      model: fc.constantFrom(...models),
      // Groups of 16, 8, 4 and 2 channels; 32 + 16 and 16 + 16 channels straddle some of them.
      groups: fc.constantFrom(1, 2, 4, 8, 16),
      heads: fc.constantFrom(1, 2, 4),
      batch: fc.integer({ min: 1, max: 2 }),
      guidance: fc.boolean(),
      height: fc.integer({ min: 4, max: 9 }),
      width: fc.integer({ min: 4, max: 9 }),
      steps: fc.integer({ min: 1, max: 3 }),
      control: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ model, groups, heads, batch, guidance, steps, control, ...size }) => {
        const { config, weights } = await unet(model, { norm_num_groups: groups, attention_head_dim: heads });
        const rows = guidance ? 2 * batch : batch;
        const built = { ...size, rows, tokens: 5, weights };
        const sample = random([batch, config.inChannels, size.height, size.width], 1);
        const given = {
          encoder_hidden_states: random([rows, 5, config.textWidth], 2),
          timestep: times(801),
          timesteps: times(...[801, 500.5, 3].slice(0, steps)),
        };
        const plain = await runGraph(buildUnetEncoder(config, built), {
          ...given,
          sample: repeated(sample, rows / batch),
        });
        const residuals = Object.fromEntries(
          Object.entries(plain).map(([name, { shape }], i) => [
            name
              .replace('down_block_res_samples', 'down_block_additional_residuals')
              .replace('res_sample', 'additional_residual'),
            random(shape, 10 + i),
          ]),
        );
        const controlled = Object.entries(plain).map(([name, x], i) => [
          name,
          control ? sum(x, Object.values(residuals)[i]!) : x,
        ]);
        const features = Object.fromEntries(controlled) as Record<string, Tensor>;
        const expected = await runGraph(buildUnetDecoder(config, { ...built, steps }), {
          ...given,
          ...features,
        });

        for (const hoisting of [true, false]) {
          const stages = buildUnetStages(config, { ...built, batch, steps, control }, { hoisting });
          let known: Record<string, Tensor> = { ...given, ...residuals, sample };
          for (const graph of [stages.prompt, stages.encoder])
            known = { ...known, ...(await runGraph(graph, known)) };
          const { sample: actual } = await runGraph(stages.decoder, known);
          expectForward(actual!, expected['sample']!, hoisting ? 'hoisted' : 'plain');
        }
      }),
      { numRuns: 8 },
    );
  });
});

describe('what the cut saves', () => {
  it('reads no skip, computes less per step, and as much in total', async () => {
    const { config, weights } = await unet('tiny-sd');
    const size = { batch: 1, rows: 2, height: 8, width: 8, tokens: 77, steps: 1, control: false, weights };
    const [hoisted, plain] = [true, false].map((hoisting) => buildUnetStages(config, size, { hoisting }));
    const macs = (graph: typeof hoisted) => [countMacs(graph!.encoder), countMacs(graph!.decoder)] as const;
    const [[encoder, decoder], [plainEncoder, plainDecoder]] = [macs(hoisted), macs(plain)];
    expect(decoder).toBeLessThan(0.9 * plainDecoder);
    // conv_in's part is computed once for both halves of guidance, so the sum is a little smaller.
    expect(encoder + decoder).toBeLessThanOrEqual(plainEncoder + plainDecoder);
    expect(encoder + decoder).toBeGreaterThan(0.98 * (plainEncoder + plainDecoder));
  });

  it('runs what both halves of guidance share once: up to the first attention to the text', async () => {
    const { config, weights } = await unet('tiny-sd');
    const size = { batch: 1, rows: 2, height: 8, width: 8, tokens: 77, steps: 1, control: false, weights };
    const { encoder } = buildUnetStages(config, size);
    const rowsOf = (suffix: string) =>
      encoder.nodes.find(({ name }) => name === suffix)?.outputs[0]?.shape[0];
    expect(rowsOf('conv_in/Conv')).toBe(1);
    expect(rowsOf('down_blocks.0.resnets.0.conv2/Conv')).toBe(1);
    expect(rowsOf('down_blocks.0.attentions.0.transformer_blocks.0.attn1/MultiHeadAttention')).toBe(1);
    expect(rowsOf('down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q/MatMul')).toBe(1);
    expect(rowsOf('down_blocks.0.attentions.0.transformer_blocks.0.attn2/MultiHeadAttention')).toBe(2);
  });

  it('shares nothing where the time embedding depends on the text', async () => {
    const { config, weights } = await unet('tiny-toy');
    const size = { batch: 1, rows: 2, height: 8, width: 8, tokens: 16, steps: 1, control: false, weights };
    const { encoder } = buildUnetStages(config, size);
    const second = encoder.nodes.find(({ name }) => name === 'down_blocks.0.resnets.0.conv2/Conv');
    expect(second?.outputs[0]?.shape[0]).toBe(2);
  });

  it('leaves text to the prompt stage, whatever the size and the span', async () => {
    const { config, weights } = await unet('tiny-toy');
    const size = { batch: 1, rows: 2, height: 8, width: 8, tokens: 16, steps: 1, control: false, weights };
    const one = buildUnetStages(config, size);
    const other = buildUnetStages(config, { ...size, height: 12, width: 6, steps: 3, batch: 2 });
    expect(print(other.prompt)).toBe(print(one.prompt));
    for (const { encoder, decoder } of [one, other]) {
      expect([...encoder.inputs, ...decoder.inputs].map(({ name }) => name)).not.toContain(
        'encoder_hidden_states',
      );
    }
    // Any decoder reads any encoder's features.
    const features = ({ outputs }: typeof one.encoder) => outputs.map(({ name }) => name);
    expect(features(other.encoder)).toEqual(features(one.encoder));
  });
});

describe('UnetDenoiser', () => {
  it('decodes a span in one call as step by step', async () => {
    const { config, weights } = await unet('tiny-toy');
    const runtime = await testRuntime();
    const denoiser = new UnetDenoiser(config, weights, (graph) => runtime.open(graph));
    try {
      const prepared = await denoiser.prepare({ encoderHiddenStates: random([4, 16, config.textWidth], 3) });
      expect(prepared.rows).toBe(4);
      const features = await denoiser.encode(random([2, config.inChannels, 8, 8], 4), 999, prepared);
      const span = await denoiser.decode(features, [999, 800, 600], prepared);
      expect(span.shape).toEqual([3, 4, config.outChannels, 8, 8]);
      for (const [s, t] of [999, 800, 600].entries()) {
        expectForward(step(span, s), step(await denoiser.decode(features, [t], prepared), 0), `step ${s}`);
      }
    } finally {
      await denoiser.dispose();
    }
  });

  it('refuses a sample that is not of this network', async () => {
    const { config, weights } = await unet('tiny-toy');
    const runtime = await testRuntime();
    const denoiser = new UnetDenoiser(config, weights, (graph) => runtime.open(graph));
    const prepared = await denoiser.prepare({ encoderHiddenStates: random([2, 16, config.textWidth], 3) });
    await expect(denoiser.encode(random([1, 4, 8, 8]), 0, prepared)).rejects.toMatchObject({
      code: 'invalid_tensor',
      message: 'the UNet reads [B, 8, h, w] with B a divisor of 2 rows, got [1, 4, 8, 8]',
    });
    await denoiser.dispose();
  });

  it('counts the cost of a row at a size', async () => {
    const { config, weights } = await unet('tiny-sd');
    const runtime = await testRuntime();
    const denoiser = new UnetDenoiser(config, weights, (graph) => runtime.open(graph));
    const [small, large] = [denoiser.cost(8, 8), denoiser.cost(16, 16)];
    expect(small.encoder).toBeGreaterThan(0);
    // Four times the area; self-attention grows by sixteen.
    expect(large.decoder / small.decoder).toBeGreaterThan(4);
    expect(large.decoder / small.decoder).toBeLessThan(5);
  });
});

function sum(a: Tensor, b: Tensor): Tensor<'float32'> {
  return float32(
    a.shape,
    Float32Array.from(a.data as Float32Array, (x, i) => x + Number(b.data[i])),
  );
}
