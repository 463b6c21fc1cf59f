import type { DType } from '../tensor/tensor.ts';
import * as infer from './infer.ts';
import type { Infer } from './shapes.ts';

/**
 * How an attribute is written: as an ONNX attribute of that type, or (`input`) as a constant int64 tensor that follows
 * the node's inputs, in the order of the table.
 */
export type AttributeKind = 'int' | 'float' | 'string' | 'ints' | 'dtype' | 'input';

interface OpDefinition {
  /** Empty is ONNX itself (opset 21). `encore` ops exist only between passes and are lowered before serialisation. */
  readonly domain: '' | 'com.microsoft' | 'encore';
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  /** Optional inputs that lie between the last given input and the first constant one (Resize: roi, scales). */
  readonly gap?: number;
  readonly infer: Infer;
}

const elementwise = { domain: '', attributes: {}, infer: infer.unary } as const;
const arithmetic = { domain: '', attributes: {}, infer: infer.binary } as const;

/** Every operator that a graph may hold, with the rule for its output types. */
export const ops = {
  Conv: {
    domain: '',
    attributes: { strides: 'ints', pads: 'ints', dilations: 'ints', group: 'int' },
    infer: infer.conv,
  },
  MatMul: { domain: '', attributes: {}, infer: infer.matMul },
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Relu: elementwise,
  Sigmoid: elementwise,
  Tanh: elementwise,
  Mish: elementwise,
  Exp: elementwise,
  Sqrt: elementwise,
  Sin: elementwise,
  Cos: elementwise,
  Gelu: { domain: '', attributes: { approximate: 'string' }, infer: infer.unary },
  /** x * sigmoid(alpha * x): SiLU at alpha 1, CLIP's quick GELU at 1.702. */
  QuickGelu: { domain: 'com.microsoft', attributes: { alpha: 'float' }, infer: infer.unary },
  Softmax: { domain: '', attributes: { axis: 'int' }, infer: infer.unary },
  LayerNormalization: { domain: '', attributes: { axis: 'int', epsilon: 'float' }, infer: infer.layerNorm },
  GroupNormalization: {
    domain: '',
    attributes: { num_groups: 'int', epsilon: 'float' },
    infer: infer.groupNorm,
  },
  InstanceNormalization: { domain: '', attributes: { epsilon: 'float' }, infer: infer.instanceNorm },
  MultiHeadAttention: {
    domain: 'com.microsoft',
    attributes: { num_heads: 'int', scale: 'float', unidirectional: 'int' },
    infer: infer.multiHeadAttention,
  },
  Concat: { domain: '', attributes: { axis: 'int' }, infer: infer.concat },
  Slice: { domain: '', attributes: { starts: 'input', ends: 'input', axes: 'input' }, infer: infer.slice },
  Split: { domain: '', attributes: { axis: 'int', split: 'input' }, infer: infer.split },
  /** A leading 0 keeps the first axis (the rows), so that passes may change how many there are. */
  Reshape: { domain: '', attributes: { shape: 'input' }, infer: infer.reshape },
  Transpose: { domain: '', attributes: { perm: 'ints' }, infer: infer.transpose },
  Expand: { domain: '', attributes: { shape: 'input' }, infer: infer.expand },
  Pad: { domain: '', attributes: { mode: 'string', pads: 'input' }, infer: infer.pad },
  Resize: {
    domain: '',
    attributes: {
      mode: 'string',
      coordinate_transformation_mode: 'string',
      nearest_mode: 'string',
      sizes: 'input',
    },
    gap: 2,
    infer: infer.resize,
  },
  DepthToSpace: { domain: '', attributes: { blocksize: 'int', mode: 'string' }, infer: infer.depthToSpace },
  SpaceToDepth: { domain: '', attributes: { blocksize: 'int' }, infer: infer.spaceToDepth },
  Gather: { domain: '', attributes: { axis: 'int' }, infer: infer.gather },
  ReduceMean: { domain: '', attributes: { keepdims: 'int', axes: 'input' }, infer: infer.reduceMean },
  ArgMax: { domain: '', attributes: { axis: 'int', keepdims: 'int' }, infer: infer.argMax },
  Equal: { domain: '', attributes: {}, infer: infer.equal },
  Cast: { domain: '', attributes: { to: 'dtype' }, infer: infer.cast },
  /** [n, ...] to [times * n, ...]: row s * n + r is row r. */
  RepeatRows: { domain: 'encore', attributes: { times: 'int' }, infer: infer.repeatRows },
} as const satisfies Record<string, OpDefinition>;

export type OpName = keyof typeof ops;

export function definition(op: OpName): OpDefinition {
  return ops[op];
}

/** ONNX TensorProto.DataType. */
export const dtypeCodes: Record<DType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};
