import { sizeOf } from '../tensor/tensor.ts';
import type { DType, Shape } from '../tensor/tensor.ts';
import { axis, broadcast, int, ints, required, showShape, showType } from './shapes.ts';
import type { Infer, InferContext } from './shapes.ts';

// One rule per operator: checks the inputs and says what comes out. Messages carry every number a reader needs.

const floats: readonly DType[] = ['float32', 'float16', 'bfloat16', 'float64'];

function sameDtype(context: InferContext): DType {
  const present = context.inputs.filter((value) => value !== null);
  const first = present[0] ?? context.fail('it has no inputs');
  for (const value of present) {
    if (value.dtype !== first.dtype) {
      context.fail(`inputs differ in type (${present.map(showType).join(', ')})`);
    }
  }
  return first.dtype;
}

export const unary: Infer = (context) => {
  const { dtype, shape } = required(context, 0);
  return [{ dtype, shape }];
};

export const binary: Infer = (context) => {
  const dtype = sameDtype(context);
  const a = required(context, 0).shape;
  const b = required(context, 1).shape;
  const shape =
    broadcast(a, b) ?? context.fail(`shapes do not broadcast (a=${showShape(a)}, b=${showShape(b)})`);
  return [{ dtype, shape }];
};

export const equal: Infer = (context) => binary(context).map(({ shape }) => ({ dtype: 'bool', shape }));

export const conv: Infer = (context) => {
  const dtype = sameDtype(context);
  const x = required(context, 0).shape;
  const w = required(context, 1).shape;
  const b = context.inputs[2]?.shape;
  const shapes = `x=${showShape(x)}, w=${showShape(w)}`;
  const group = int(context, 'group');
  const strides = ints(context, 'strides');
  const pads = ints(context, 'pads');
  const dilations = ints(context, 'dilations');
  if (x.length !== 4 || w.length !== 4) context.fail(`input and weight must have rank 4 (${shapes})`);
  const [rows, channels, ...space] = x as [number, number, number, number];
  const [out, perGroup, ...kernel] = w as [number, number, number, number];
  if (perGroup * group !== channels) {
    context.fail(`weight expects ${perGroup * group} input channels, got ${channels} (${shapes})`);
  }
  if (out % group !== 0)
    context.fail(`${out} output channels do not divide into ${group} groups (${shapes})`);
  if (b && (b.length !== 1 || b[0] !== out)) {
    context.fail(`bias must be [${out}], got ${showShape(b)} (${shapes})`);
  }
  const size = space.map((n, i) => {
    const padded = n + (pads[i] ?? 0) + (pads[i + 2] ?? 0);
    const reach = (dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1) + 1;
    if (padded < reach) context.fail(`kernel reaches ${reach}, input has ${padded} with padding (${shapes})`);
    return Math.floor((padded - reach) / (strides[i] ?? 1)) + 1;
  });
  return [{ dtype, shape: [rows, out, ...size] }];
};

export const matMul: Infer = (context) => {
  const dtype = sameDtype(context);
  const a = required(context, 0).shape;
  const b = required(context, 1).shape;
  const shapes = `a=${showShape(a)}, b=${showShape(b)}`;
  if (a.length < 2 || b.length < 2) context.fail(`inputs must have rank 2 or more (${shapes})`);
  const [m, k] = a.slice(-2) as [number, number];
  const [k2, n] = b.slice(-2) as [number, number];
  if (k !== k2) context.fail(`a has ${k} columns, b has ${k2} rows (${shapes})`);
  const batch =
    broadcast(a.slice(0, -2), b.slice(0, -2)) ?? context.fail(`batch axes do not broadcast (${shapes})`);
  return [{ dtype, shape: [...batch, m, n] }];
};

export const layerNorm: Infer = (context) => {
  const dtype = sameDtype(context);
  const x = required(context, 0).shape;
  const from = axis(context, int(context, 'axis'), x.length);
  for (const value of context.inputs.slice(1)) {
    if (value && broadcast(value.shape, x.slice(from))?.length !== x.length - from) {
      context.fail(`scale and bias must fit ${showShape(x.slice(from))}, got ${showShape(value.shape)}`);
    }
  }
  return [{ dtype, shape: x }];
};

export const groupNorm: Infer = (context) => {
  const dtype = sameDtype(context);
  const x = required(context, 0).shape;
  const groups = int(context, 'num_groups');
  const channels = x[1] ?? context.fail(`input must have channels (x=${showShape(x)})`);
  if (channels % groups !== 0) {
    context.fail(`${channels} channels do not divide into ${groups} groups (x=${showShape(x)})`);
  }
  perChannel(context, channels);
  return [{ dtype, shape: x }];
};

export const instanceNorm: Infer = (context) => {
  const dtype = sameDtype(context);
  const x = required(context, 0).shape;
  perChannel(context, x[1] ?? context.fail(`input must have channels (x=${showShape(x)})`));
  return [{ dtype, shape: x }];
};

function perChannel(context: InferContext, channels: number): void {
  for (const index of [1, 2]) {
    const { shape } = required(context, index);
    if (shape.length !== 1 || shape[0] !== channels) {
      context.fail(`scale and bias must be [${channels}], got ${showShape(shape)}`);
    }
  }
}

/** query [B, S, H*D]; key and value [B, L, H*D] or, already split, [B, H, L, D]. */
export const multiHeadAttention: Infer = (context) => {
  const dtype = sameDtype(context);
  const [q, k, v] = [0, 1, 2].map((index) => required(context, index).shape) as [Shape, Shape, Shape];
  const heads = int(context, 'num_heads');
  const shapes = `query=${showShape(q)}, key=${showShape(k)}, value=${showShape(v)}, heads=${heads}`;
  if (q.length !== 3) context.fail(`query must be [rows, length, width] (${shapes})`);
  const [rows, length, width] = q as [number, number, number];
  if (width % heads !== 0) context.fail(`width ${width} does not divide into ${heads} heads (${shapes})`);
  const merged = (s: Shape): Shape =>
    s.length === 4 ? [s[0] ?? 0, s[2] ?? 0, (s[1] ?? 0) * (s[3] ?? 0)] : s;
  const [kRows, kLength, kWidth] = merged(k);
  const [vRows, vLength, vWidth] = merged(v);
  if (kRows !== rows || vRows !== rows) context.fail(`query, key and value differ in rows (${shapes})`);
  if (kWidth !== width) context.fail(`query is ${width} wide, key ${kWidth} (${shapes})`);
  if (kLength !== vLength) context.fail(`${kLength} keys but ${vLength} values (${shapes})`);
  return [{ dtype, shape: [rows, length, vWidth ?? 0] }];
};

export const concat: Infer = (context) => {
  const dtype = sameDtype(context);
  const shapes = context.inputs.map((_, index) => required(context, index).shape);
  const first = shapes[0] ?? context.fail('it has no inputs');
  const along = axis(context, int(context, 'axis'), first.length);
  for (const shape of shapes) {
    if (shape.length !== first.length || shape.some((n, i) => i !== along && n !== first[i])) {
      context.fail(`inputs may differ only along axis ${along} (${shapes.map(showShape).join(', ')})`);
    }
  }
  const total = shapes.reduce((sum, shape) => sum + (shape[along] ?? 0), 0);
  return [{ dtype, shape: first.map((n, i) => (i === along ? total : n)) }];
};

export const slice: Infer = (context) => {
  const x = required(context, 0);
  const starts = ints(context, 'starts');
  const ends = ints(context, 'ends');
  const shape = [...x.shape];
  ints(context, 'axes').forEach((value, i) => {
    const along = axis(context, value, shape.length);
    const [start, end, size] = [starts[i] ?? 0, ends[i] ?? 0, shape[along] ?? 0];
    if (!(start >= 0 && start < end && end <= size)) {
      context.fail(`${start}..${end} is not inside axis ${along} of ${showShape(x.shape)}`);
    }
    shape[along] = end - start;
  });
  return [{ dtype: x.dtype, shape }];
};

export const split: Infer = (context) => {
  const x = required(context, 0);
  const along = axis(context, int(context, 'axis'), x.shape.length);
  const sizes = ints(context, 'split');
  const total = sizes.reduce((sum, n) => sum + n, 0);
  if (total !== x.shape[along]) {
    context.fail(
      `parts ${showShape(sizes)} add up to ${total}, axis ${along} of ${showShape(x.shape)} does not`,
    );
  }
  return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.map((n, i) => (i === along ? size : n)) }));
};

export const reshape: Infer = (context) => {
  const x = required(context, 0);
  const wanted = ints(context, 'shape');
  const shape = wanted.map((n, i) => (n === 0 ? (x.shape[i] ?? 0) : n));
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = sizeOf(x.shape) / -sizeOf(shape);
  if (shape.some((n) => !Number.isInteger(n) || n < 0) || sizeOf(shape) !== sizeOf(x.shape)) {
    context.fail(`${showShape(x.shape)} (${sizeOf(x.shape)} elements) cannot become ${showShape(wanted)}`);
  }
  return [{ dtype: x.dtype, shape }];
};

export const transpose: Infer = (context) => {
  const x = required(context, 0);
  const perm = ints(context, 'perm');
  if (perm.length !== x.shape.length || !x.shape.every((_, i) => perm.includes(i))) {
    context.fail(`${showShape(perm)} is not a permutation of the axes of ${showShape(x.shape)}`);
  }
  return [{ dtype: x.dtype, shape: perm.map((i) => x.shape[i] ?? 0) }];
};

export const expand: Infer = (context) => {
  const x = required(context, 0);
  const wanted = ints(context, 'shape');
  const shape = broadcast(x.shape, wanted);
  if (!shape || sizeOf(shape) !== sizeOf(wanted)) {
    context.fail(`${showShape(x.shape)} cannot be expanded to ${showShape(wanted)}`);
  }
  return [{ dtype: x.dtype, shape: wanted }];
};

export const pad: Infer = (context) => {
  const x = required(context, 0);
  const pads = ints(context, 'pads');
  const rank = x.shape.length;
  if (pads.length !== 2 * rank)
    context.fail(`needs ${2 * rank} pads for ${showShape(x.shape)}, got ${pads.length}`);
  return [{ dtype: x.dtype, shape: x.shape.map((n, i) => n + (pads[i] ?? 0) + (pads[i + rank] ?? 0)) }];
};

export const resize: Infer = (context) => {
  const x = required(context, 0);
  const sizes = ints(context, 'sizes');
  if (sizes.length !== 4 || x.shape.length !== 4 || sizes[0] !== x.shape[0] || sizes[1] !== x.shape[1]) {
    context.fail(`may change height and width only (${showShape(x.shape)} to ${showShape(sizes)})`);
  }
  return [{ dtype: x.dtype, shape: sizes }];
};

export const depthToSpace: Infer = (context) => {
  const x = required(context, 0);
  const block = int(context, 'blocksize');
  const [rows = 0, channels = 0, height = 0, width = 0] = x.shape;
  if (x.shape.length !== 4 || channels % (block * block) !== 0) {
    context.fail(`${showShape(x.shape)} does not hold ${block}x${block} blocks of channels`);
  }
  return [{ dtype: x.dtype, shape: [rows, channels / (block * block), height * block, width * block] }];
};

export const spaceToDepth: Infer = (context) => {
  const x = required(context, 0);
  const block = int(context, 'blocksize');
  const [rows = 0, channels = 0, height = 0, width = 0] = x.shape;
  if (x.shape.length !== 4 || height % block !== 0 || width % block !== 0) {
    context.fail(`${showShape(x.shape)} does not divide into ${block}x${block} blocks`);
  }
  return [{ dtype: x.dtype, shape: [rows, channels * block * block, height / block, width / block] }];
};

export const gather: Infer = (context) => {
  const x = required(context, 0);
  const indices = required(context, 1);
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32') {
    context.fail(`indices must be integers, got ${showType(indices)}`);
  }
  const along = axis(context, int(context, 'axis'), x.shape.length);
  return [
    { dtype: x.dtype, shape: [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)] },
  ];
};

export const reduceMean: Infer = (context) => {
  const x = required(context, 0);
  const over = ints(context, 'axes').map((value) => axis(context, value, x.shape.length));
  const keep = int(context, 'keepdims') === 1;
  const shape = x.shape.map((n, i) => (over.includes(i) ? 1 : n)).filter((_, i) => keep || !over.includes(i));
  return [{ dtype: x.dtype, shape }];
};

export const argMax: Infer = (context) => {
  const x = required(context, 0);
  const over = axis(context, int(context, 'axis'), x.shape.length);
  const keep = int(context, 'keepdims') === 1;
  return [
    {
      dtype: 'int64',
      shape: x.shape.map((n, i) => (i === over ? 1 : n)).filter((_, i) => keep || i !== over),
    },
  ];
};

export const cast: Infer = (context) => {
  const to = context.attributes['to'];
  const known: readonly DType[] = [...floats, 'int64', 'int32', 'int8', 'uint8', 'bool'];
  const dtype = known.find((name) => name === to) ?? context.fail(`there is no type ${String(to)}`);
  return [{ dtype, shape: required(context, 0).shape }];
};

export const repeatRows: Infer = (context) => {
  const x = required(context, 0);
  const [rows = 0, ...rest] = x.shape;
  return [{ dtype: x.dtype, shape: [rows * int(context, 'times'), ...rest] }];
};
