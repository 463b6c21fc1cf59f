import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../../lib/engine/checkpoint/model-source.ts';
import { framesOf, joinFrames, partsOf } from '../../../../lib/engine/networks/unet/clip.ts';
import { parseUnetConfig } from '../../../../lib/engine/networks/unet/config.ts';
import { UnetDenoiser } from '../../../../lib/engine/networks/unet/denoiser.ts';
import { buildUnetStages } from '../../../../lib/engine/networks/unet/stages.ts';
import { countMacs } from '../../../../lib/engine/onnx/macs.ts';
import { concatRows, reshaped, rows } from '../../../../lib/engine/tensor/arithmetic.ts';
import { type Tensor } from '../../../../lib/engine/tensor/tensor.ts';
import { difference, expectForward } from '../../../support/parity.ts';
import { random, testRuntime } from '../../support/graphs.ts';

type Float32 = Tensor<'float32'>;
const models = ['tiny-sd', 'tiny-sd2', 'tiny-toy'] as const;
const denoisers = new Map<string, UnetDenoiser>();

beforeAll(async () => {
  const runtime = await testRuntime();
  for (const name of models) {
    const { config, weights } = await (await openModel(`test/golden/${name}`)).network('unet');
    denoisers.set(name, new UnetDenoiser(parseUnetConfig(config), weights, (graph) => runtime.open(graph)));
  }
});
afterAll(async () => {
  for (const denoiser of denoisers.values()) await denoiser.dispose();
});

describe('the parts of a clip', () => {
  const lengths = (count: number, perCall: number) =>
    partsOf({ count, perCall }).map(({ start, end }) => end - start);

  it('are the first frame, and the rest in parts of two lengths at most', () => {
    expect(lengths(8, 7)).toEqual([1, 7]);
    expect(lengths(8, 5)).toEqual([1, 4, 3]);
    expect(lengths(24, 8)).toEqual([1, 8, 8, 7]);
    expect(lengths(24, 1)).toEqual(Array(24).fill(1));
    expect(lengths(1, 4)).toEqual([1]);
  });

  it('are taken out and put back', () => {
    const clip = random([2 * 5, 3, 2, 2]);
    const parts = partsOf({ count: 5, perCall: 2 });
    const taken = parts.map((part) => framesOf(clip, part));
    expect(taken.map(({ shape }) => shape[0])).toEqual([2, 4, 4]);
    const steps = taken.map((x) => reshaped(x, [1, ...x.shape]));
    expect(joinFrames(steps, parts).data).toEqual(clip.data);
  });
});

const times = [801, 500, 3];

async function draw(
  name: string,
  frames: number,
  perCall: number,
  sample: Float32,
  text: Float32,
  plain = false,
) {
  const denoiser = denoisers.get(name)!;
  let between = 0;
  const prepared = await denoiser.prepare({
    encoderHiddenStates: text,
    frames: { count: frames, perCall, plain, between: () => void between++ },
  });
  const features = await denoiser.encode(sample, times[0]!, prepared);
  return { prediction: await denoiser.decode(features, times, prepared), between, prepared };
}

describe.each(models)('%s', (name) => {
  it('draws the same frames however many to a call', async () => {
    const { inChannels } = denoisers.get(name)!;
    // Two videos of four frames, with guidance.
    const sample = random([8, inChannels, 6, 4], 1);
    const text = random([4, 5, 32], 2);
    const whole = await draw(name, 4, 3, sample, text);
    expect(whole.prediction.shape).toEqual([3, 16, inChannels, 6, 4]);
    expect(whole.prepared.rows).toBe(16);
    expect(whole.between).toBe(2);
    // Two and one, from features as they are made.
    const parts = await draw(name, 4, 2, sample, text, true);
    expectForward(parts.prediction, whole.prediction, 'in parts, without hoisting');
  });

  it('draws equal frames as pictures, and lets the first frame alone', async () => {
    const denoiser = denoisers.get(name)!;
    const picture = random([1, denoiser.inChannels, 6, 4], 1);
    const other = random([1, denoiser.inChannels, 6, 4], 3);
    const text = random([2, 5, 32], 2);
    const prepared = await denoiser.prepare({ encoderHiddenStates: text });
    const plain = await denoiser.decode(await denoiser.encode(picture, times[0]!, prepared), times, prepared);
    const frame = (clip: Float32, f: number) => {
      const [steps = 0, all = 0, ...rest] = clip.shape;
      const flat = reshaped(clip, [steps * all, ...rest]);
      const wanted = Array.from({ length: steps * 2 }, (_, i) => rows(flat, 3 * i + f, 3 * i + f + 1));
      return reshaped(concatRows(wanted), plain.shape);
    };
    const same = await draw(name, 3, 2, concatRows([picture, picture, picture]), text);
    for (const f of [0, 1, 2]) expectForward(frame(same.prediction, f), plain, `frame ${f}`);
    const mixed = await draw(name, 3, 2, concatRows([picture, other, picture]), text);
    for (const f of [0, 2]) expectForward(frame(mixed.prediction, f), plain, `frame ${f}`);
    // Not as it would be drawn alone: it looks at the first frame.
    const alone = await denoiser.decode(await denoiser.encode(other, times[0]!, prepared), times, prepared);
    expect(difference(frame(mixed.prediction, 1), alone).rms).toBeGreaterThan(1e-3);
  });
});

describe('cross-frame attention', () => {
  it('computes keys and values of the first frame only', async () => {
    const { config, weights } = await (await openModel('test/golden/tiny-sd')).network('unet');
    const size = { batch: 1, rows: 2, tokens: 5, height: 8, width: 8, steps: 1, control: false, weights };
    const parsed = parseUnetConfig(config);
    const macs = (frames?: { count: number; crossFrame: 'first' | 'rest' }) => {
      const { encoder, decoder } = buildUnetStages(parsed, { ...size, frames });
      return countMacs(encoder) + countMacs(decoder);
    };
    const [alone, first, rest] = [
      macs(),
      macs({ count: 1, crossFrame: 'first' }),
      macs({ count: 4, crossFrame: 'rest' }),
    ];
    expect(first).toBe(alone);
    expect(rest).toBeLessThan(4 * alone * 0.99);
  });
});
