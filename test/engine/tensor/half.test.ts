import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../../lib/engine/tensor/half.ts';

/** torch 2.9.1: torch.tensor(values).half() and .bfloat16(), viewed as int16. */
const values = Float32Array.of(
  1e-8,
  2.9e-8,
  5.96e-8,
  6e-5,
  6.1e-5,
  65504,
  65519,
  65520,
  1 / 3,
  -1 / 3,
  1.0009765625 * 1.0004,
  2049,
  2051,
  Infinity,
  0,
  -0,
);
const half = [0, 0, 1, 1007, 1023, 31743, 31743, 31744, 13653, -19115, 15361, 26624, 26626, 31744, 0, -32768];
const brain = [
  12844, 13049, 13184, 14460, 14464, 18304, 18304, 18304, 16043, -16725, 16256, 17664, 17664, 32640, 0,
  -32768,
];

describe('float16', () => {
  it('rounds as torch does: ties to even, subnormals, overflow to infinity', () => {
    expect([...new Int16Array(float32ToFloat16(values).buffer)]).toEqual(half);
  });

  it('survives a round trip, all 65,536 patterns', () => {
    const bits = Uint16Array.from({ length: 0x1_0000 }, (_, i) => i);
    const back = float32ToFloat16(float16ToFloat32(bits));
    for (let i = 0; i < bits.length; i++) {
      const isNaN = (i & 0x7c00) === 0x7c00 && (i & 0x3ff) !== 0;
      if (isNaN) expect(back[i]! & 0x7e00).toBe(0x7e00);
      else if (back[i] !== i) expect.fail(`0x${i.toString(16)} came back as 0x${back[i]!.toString(16)}`);
    }
  });

  it('never picks a value when a nearer one exists', () => {
    const finite = float16ToFloat32(Uint16Array.from({ length: 0x7c00 }, (_, i) => i));
    fc.assert(
      fc.property(fc.float({ min: 0, max: 65504, noNaN: true }), (x) => {
        const bits = float32ToFloat16(Float32Array.of(x))[0]!;
        const error = Math.abs(finite[bits]! - x);
        for (const other of [bits - 1, bits + 1]) {
          if (other >= 0 && other < 0x7c00) expect(error).toBeLessThanOrEqual(Math.abs(finite[other]! - x));
        }
      }),
    );
  });
});

describe('bfloat16', () => {
  it('rounds as torch does', () => {
    expect([...new Int16Array(float32ToBfloat16(values).buffer)]).toEqual(brain);
  });

  it('survives a round trip, all 65,536 patterns', () => {
    const bits = Uint16Array.from({ length: 0x1_0000 }, (_, i) => i);
    const back = float32ToBfloat16(bfloat16ToFloat32(bits));
    const different = bits.filter((word, i) => back[i] !== word && back[i] !== (word | 0x40));
    expect([...different]).toEqual([]);
  });
});
