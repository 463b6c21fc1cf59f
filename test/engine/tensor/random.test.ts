import { describe, expect, it } from 'vitest';
import { noiseSource, philox4x32 } from '../../../lib/engine/tensor/random.ts';

/** torch's vectorised log, sine and cosine are approximations good to a few units in the last place of float32. */
const tolerance = 2e-6;

function expectClose(actual: Iterable<number>, expected: number[]) {
  const values = [...actual];
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) =>
    expect(Math.abs(value - expected[i]!), `element ${i}: ${value}`).toBeLessThan(tolerance),
  );
}

/*
 * torch 2.9.1, CPU. torch.manual_seed(SEED), then in order torch.randn(n) for each n; first and last eight of each and
 * the sum of magnitudes in float64.
 */
const torchCpu: { seed: number; draws: { n: number; head: number[]; tail: number[]; sum: number }[] }[] = [
  {
    seed: 0,
    draws: [
      {
        n: 3,
        head: [1.5409961, -0.2934289, -2.1787894],
        tail: [1.5409961, -0.2934289, -2.1787894],
        sum: 4.0132,
      },
      {
        n: 3,
        head: [0.5684313, -1.0845224, -1.3985955],
        tail: [0.5684313, -1.0845224, -1.3985955],
        sum: 3.0515,
      },
      {
        n: 16,
        head: [-0.0885314, 0.5238833, -0.6658713, 0.8503774, -1.3526537, -1.6959312, 0.5666506, 0.7935084],
        tail: [-0.193183, -0.3089625, 0.5025728, -0.8594456, 0.7501895, -0.5854976, -0.1733968, 0.1834779],
        sum: 10.0941,
      },
      {
        n: 37,
        head: [0.1664553, 0.8743818, -0.1434738, -0.1116093, -0.6135831, 0.0315927, -0.492677, 0.2484148],
        tail: [-0.5497437, -0.4798343, -0.4996815, -1.0669804, 1.1149396, -0.1406714, 0.8057536, 0.3276143],
        sum: 25.7291,
      },
      {
        n: 5,
        head: [-0.1329519, -0.046896, -0.2801646, 0.5400864, -0.1463531],
        tail: [-0.1329519, -0.046896, -0.2801646, 0.5400864, -0.1463531],
        sum: 1.1465,
      },
    ],
  },
  {
    seed: 4294967295,
    draws: [
      {
        n: 16384,
        head: [-2.6642976, -1.0910486, 0.4514474, 0.2283607, 1.8986179, 1.5642089, -1.2553997, 0.7936442],
        tail: [0.4268885, -0.1418747, -0.0372517, 0.7569689, 1.0404028, 0.6357379, -0.9929365, -1.4578851],
        sum: 13061.2387,
      },
      {
        n: 9,
        head: [0.5475214, -0.3613555, -2.1889896, 0.1996659, -1.0243007, -0.8283536, 0.4702415, 0.3146854],
        tail: [-0.3613555, -2.1889896, 0.1996659, -1.0243007, -0.8283536, 0.4702415, 0.3146854, 0.6867615],
        sum: 6.6219,
      },
    ],
  },
];

describe('torch-cpu noise', () => {
  it.each(torchCpu)('equals torch.randn on the CPU, seed $seed, draw after draw', ({ seed, draws }) => {
    const source = noiseSource('torch-cpu', seed);
    for (const { n, head, tail, sum } of draws) {
      const { data } = source.normal([n]);
      expectClose(data.subarray(0, 8), head);
      expectClose(data.subarray(-8), tail);
      expect(data.reduce((total, value) => total + Math.abs(value), 0)).toBeCloseTo(sum, 2);
    }
  });
});

describe('philox noise', () => {
  it('computes the known answers of Random123 (kat_vectors, philox4x32 10)', () => {
    const zeros = new Uint32Array(4);
    philox4x32(zeros, 0, 0);
    expect([...zeros]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const ones = new Uint32Array(4).fill(0xffffffff);
    philox4x32(ones, 0xffffffff, 0xffffffff);
    expect([...ones]).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    const pi = Uint32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
    philox4x32(pi, 0xa4093822, 0x299f31d0);
    expect([...pi]).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
  });

  it('equals torch.randn on CUDA, seed 0 (values printed by AUTOMATIC1111, modules/rng_philox.py)', () => {
    const expected = [
      -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709,
      -1.07454231, -0.36314407, -1.67105067, 2.26550497,
    ];
    expectClose(noiseSource('philox', 0).normal([3, 4]).data, expected);
    expectClose(noiseSource('philox', 0).normal([2, 4, 64, 64]).data.subarray(0, 12), expected);
  });

  it('gives other numbers in the next draw and for another seed, also in the upper half of a 53-bit one', () => {
    const source = noiseSource('philox', 7);
    const first = source.normal([64]).data;
    const others = [
      source.normal([64]),
      noiseSource('philox', 8).normal([64]),
      noiseSource('philox', 7 + 2 ** 32).normal([64]),
    ];
    for (const { data } of others) expect(data).not.toEqual(first);
    expect(noiseSource('philox', 7).normal([64]).data).toEqual(first);
  });

  it('is standard normal: mean, variance and kurtosis of 100,000 values within five standard errors', () => {
    const n = 100_000;
    const { data } = noiseSource('philox', 123).normal([n]);
    const moment = (k: number) => data.reduce((sum, x) => sum + x ** k, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });
});
