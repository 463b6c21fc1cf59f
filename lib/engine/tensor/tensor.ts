import { EncoreError } from '../../contracts/errors.ts';

/**
 * A host tensor: a typed array, its element type and its shape, row-major. float16 and bfloat16 keep their raw bits
 * in a Uint16Array. Everything in the engine that is not a graph works on these.
 */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf[D];
}

export interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type DType = keyof DataOf;
export type Shape = readonly number[];

/** Bytes of one element. */
export const bytesPerElement: Record<DType, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Number of elements of a shape; 1 for a scalar `[]`. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Pairs data with its type and shape. Throws `invalid_tensor` where the element count does not fit. */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: DataOf[D]): Tensor<D> {
  if (data.length !== sizeOf(shape)) {
    throw new EncoreError(
      'invalid_tensor',
      `a ${dtype} tensor of shape [${shape.join(', ')}] needs ${sizeOf(shape)} elements, got ${data.length}`,
    );
  }
  return { dtype, shape, data };
}

/** float32 tensor; zeros where no data is given. */
export function float32(shape: Shape, data?: Float32Array): Tensor<'float32'> {
  return tensor('float32', shape, data ?? new Float32Array(sizeOf(shape)));
}

/** int64 tensor from ordinary numbers (token ids, timesteps). */
export function int64(shape: Shape, values: readonly number[]): Tensor<'int64'> {
  return tensor('int64', shape, BigInt64Array.from(values, BigInt));
}
