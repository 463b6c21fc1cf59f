import { describe, expect, it } from 'vitest';
import { concatRows, mapped, rows, toFloat32, weightedSum } from '../../../lib/engine/tensor/arithmetic.ts';
import { float32ToBfloat16, float32ToFloat16 } from '../../../lib/engine/tensor/half.ts';
import { float32, int64, tensor } from '../../../lib/engine/tensor/tensor.ts';

const x = float32([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
const y = float32([3, 2], Float32Array.of(10, 20, 30, 40, 50, 60));

describe('arithmetic on host tensors', () => {
  it('sums terms with their coefficients', () => {
    expect([...weightedSum([2, x], [-0.5, y], [0, x]).data]).toEqual([-3, -6, -9, -12, -15, -18]);
    expect(() => weightedSum([1, x], [1, float32([2, 3])])).toThrow('[3, 2] and [2, 3]');
  });

  it('takes rows as views and joins them again', () => {
    const middle = rows(x, 1, 2);
    expect(middle.shape).toEqual([1, 2]);
    expect(middle.data.buffer).toBe(x.data.buffer);
    expect(concatRows([rows(x, 0, 1), middle, rows(x, 2, 3)])).toEqual(x);
    expect(() => rows(x, 2, 4)).toThrow('rows 2 to 4');
    expect(() => concatRows([x, float32([1, 3])])).toThrow('[3, 2] and [1, 3]');
  });

  it('maps without touching its input', () => {
    expect([...mapped(x, Math.sqrt).data]).toEqual([...Float32Array.from(x.data, Math.sqrt)]);
    expect(x.data[3]).toBe(4);
  });

  it('widens every type', () => {
    const values = Float32Array.of(1.5, -2, 0);
    expect(toFloat32(tensor('float16', [3], float32ToFloat16(values))).data).toEqual(values);
    expect(toFloat32(tensor('bfloat16', [3], float32ToBfloat16(values))).data).toEqual(values);
    expect(toFloat32(int64([2], [7, -1])).data).toEqual(Float32Array.of(7, -1));
    expect(toFloat32(x)).toBe(x);
  });
});
