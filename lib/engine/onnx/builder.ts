import { EncoreError } from '../../contracts/errors.ts';
import type { WeightRef, WeightSource } from '../checkpoint/weight-source.ts';
import { tensor } from '../tensor/tensor.ts';
import type { DType, Shape, Tensor } from '../tensor/tensor.ts';
import type { Attributes, Graph, Initializer, Node, Output, Value } from './graph.ts';
import { definition } from './ops.ts';
import type { OpName } from './ops.ts';
import { showShape } from './shapes.ts';

/** Element types a network may compute in. */
export type ComputeType = 'float32' | 'float16';

export interface BuilderOptions {
  /** What {@link GraphBuilder.weight} reads from. */
  weights?: WeightSource;
  /** Weights stored in another type are cast to this one; runtimes fold the cast. Default float32. */
  dtype?: ComputeType;
}

/**
 * A tape: each method appends a node, checks its shapes and returns its value. A builder is a view on the tape at a
 * path; `g.at('down_blocks.0').at('resnets.1')` reads the weights below that path and names its nodes after it.
 */
export class GraphBuilder {
  readonly path: string;
  private readonly tape: Tape;

  private constructor(tape: Tape, path: string) {
    this.tape = tape;
    this.path = path;
  }

  static create(name: string, options: BuilderOptions = {}): GraphBuilder {
    return new GraphBuilder(new Tape(name, options), '');
  }

  /** Starts over with the inputs and constants of a graph and none of its nodes: what passes build on. */
  static continue(graph: Graph): GraphBuilder {
    const tape = new Tape(graph.name, {});
    tape.adopt(graph);
    return new GraphBuilder(tape, '');
  }

  get dtype(): ComputeType {
    return this.tape.dtype;
  }

  at(...path: readonly (string | number)[]): GraphBuilder {
    return new GraphBuilder(this.tape, [this.path, ...path].filter((part) => part !== '').join('.'));
  }

  // Values that nothing computes

  input(name: string, dtype: DType, shape: Shape): Value {
    return this.tape.input({ name, dtype, shape });
  }

  output(name: string, value: Value): void {
    this.tape.output({ name, value });
  }

  /** A constant of this graph. The same name may be asked for again with the same content. */
  constant(name: string, data: Tensor): Value {
    return this.tape.constant(name, data);
  }

  /** A constant in the compute type that stretches to whatever it meets. */
  scalar(value: number): Value {
    return this.cast(
      this.tape.constant(`scalar ${value}`, tensor('float32', [], new Float32Array([value]))),
      this.dtype,
    );
  }

  has(name: string): boolean {
    return this.tape.weights?.has(this.at(name).path) ?? false;
  }

  /** A weight below this path, in the compute type. Throws `checkpoint_invalid` where there is none. */
  weight(name: string): Value {
    return this.tape.weight(this.at(name).path);
  }

  /** A tensor of any file, as stored there: an adapter's, which no {@link WeightSource} of a network names. */
  stored(weight: WeightRef): Value {
    return this.tape.stored(weight);
  }

  // Nodes

  /** Appends a node of one output. Named after the path and the op unless `name` says otherwise. */
  emit(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes = {}, name?: string): Value {
    return this.emitAll(op, inputs, attributes, name)[0] as Value;
  }

  emitAll(
    op: OpName,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
    name?: string,
  ): Value[] {
    return [
      ...this.tape.node(op, inputs, attributes, name ?? (this.path ? `${this.path}/${op}` : op)).outputs,
    ];
  }

  conv2d(x: Value, weight: Value, bias: Value | null = null, options: ConvOptions = {}): Value {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
    const pads = typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
    const attributes = { strides: [stride, stride], pads, dilations: [dilation, dilation], group: groups };
    return this.emit('Conv', bias ? [x, weight, bias] : [x, weight], attributes);
  }

  matMul(a: Value, b: Value): Value {
    return this.emit('MatMul', [a, b]);
  }

  add(a: Value, b: Value | number): Value {
    return this.emit('Add', [a, this.value(b)]);
  }

  sub(a: Value, b: Value | number): Value {
    return this.emit('Sub', [a, this.value(b)]);
  }

  mul(a: Value, b: Value | number): Value {
    return this.emit('Mul', [a, this.value(b)]);
  }

  div(a: Value, b: Value | number): Value {
    return this.emit('Div', [a, this.value(b)]);
  }

  activation(x: Value, name: ActivationName): Value {
    switch (name) {
      case 'silu':
      case 'swish':
        return this.silu(x);
      case 'gelu':
        return this.gelu(x);
      case 'gelu_new':
      case 'gelu_pytorch_tanh':
        return this.emit('Gelu', [x], { approximate: 'tanh' });
      case 'quick_gelu':
        return this.emit('QuickGelu', [x], { alpha: 1.702 });
      case 'relu':
        return this.emit('Relu', [x]);
      case 'mish':
        return this.emit('Mish', [x]);
    }
  }

  silu(x: Value): Value {
    return this.emit('QuickGelu', [x], { alpha: 1 });
  }

  /** The exact one, by the error function. */
  gelu(x: Value): Value {
    return this.emit('Gelu', [x], { approximate: 'none' });
  }

  softmax(x: Value, axis = -1): Value {
    return this.emit('Softmax', [x], { axis });
  }

  layerNorm(x: Value, scale: Value, bias: Value | null, epsilon: number, axis = -1): Value {
    return this.emit('LayerNormalization', bias ? [x, scale, bias] : [x, scale], { axis, epsilon });
  }

  groupNorm(x: Value, scale: Value, bias: Value, groups: number, epsilon: number): Value {
    return this.emit('GroupNormalization', [x, scale, bias], { num_groups: groups, epsilon });
  }

  /** Scaled dot product: query [R, S, H*D], key and value [R, L, H*D] to [R, S, H*D]; scale 1/sqrt(D) by default. */
  attention(query: Value, key: Value, value: Value, options: AttentionOptions): Value {
    const { heads, scale = 1 / Math.sqrt((query.shape[2] ?? 0) / heads), causal = false } = options;
    return this.emit('MultiHeadAttention', [query, key, value], {
      num_heads: heads,
      scale,
      ...(causal ? { unidirectional: 1 } : {}),
    });
  }

  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    return values.length === 1 && first ? first : this.emit('Concat', values, { axis });
  }

  /** Elements start to end (exclusive) along one axis. */
  slice(x: Value, axis: number, start: number, end: number): Value {
    if (start === 0 && end === x.shape[axis]) return x;
    return this.emit('Slice', [x], { starts: [start], ends: [end], axes: [axis] });
  }

  split(x: Value, axis: number, sizes: readonly number[]): Value[] {
    return this.emitAll('Split', [x], { axis, split: sizes });
  }

  /** A 0 keeps that axis and a -1 takes what is left; start with 0 to stay independent of the number of rows. */
  reshape(x: Value, shape: Shape): Value {
    return this.emit('Reshape', [x], { shape });
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return this.emit('Transpose', [x], { perm });
  }

  expand(x: Value, shape: Shape): Value {
    return this.emit('Expand', [x], { shape });
  }

  /** Rows [n, ...] to [times * n, ...], the whole block after itself. Kept at times = 1, where it costs nothing. */
  repeatRows(x: Value, times: number): Value {
    return this.emit('RepeatRows', [x], { times });
  }

  /** Nearest-neighbour resize, as torch's `interpolate(mode='nearest')`. x: [R, C, h, w]. */
  resizeNearest(x: Value, height: number, width: number): Value {
    return this.emit('Resize', [x], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
      sizes: [x.shape[0] ?? 0, x.shape[1] ?? 0, height, width],
    });
  }

  gather(x: Value, indices: Value, axis = 0): Value {
    return this.emit('Gather', [x, indices], { axis });
  }

  mean(x: Value, axis: number): Value {
    return this.emit('ReduceMean', [x], { axes: [axis], keepdims: 1 });
  }

  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : this.emit('Cast', [x], { to: dtype });
  }

  finish(): Graph {
    return this.tape.finish();
  }

  private value(x: Value | number): Value {
    return typeof x === 'number' ? this.scalar(x) : x;
  }
}

export interface ConvOptions {
  stride?: number;
  /** One number for every side, or top, left, bottom, right. */
  padding?: number | readonly [number, number, number, number];
  dilation?: number;
  groups?: number;
}

export interface AttentionOptions {
  heads: number;
  scale?: number;
  /** Position i sees positions 0 to i only. */
  causal?: boolean;
}

export const activationNames = [
  'silu',
  'swish',
  'gelu',
  'gelu_new',
  'gelu_pytorch_tanh',
  'quick_gelu',
  'relu',
  'mish',
] as const;
export type ActivationName = (typeof activationNames)[number];

/** What all views of one builder share: the nodes so far, and the one authority over names. */
class Tape {
  readonly dtype: ComputeType;
  readonly weights: WeightSource | undefined;
  private readonly name: string;
  private readonly names = new Set<string>();
  private readonly inputs: Value[] = [];
  private readonly outputs: Output[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly nodes: Node[] = [];
  private readonly casts = new Map<Value, Value>();

  constructor(name: string, { weights, dtype = 'float32' }: BuilderOptions) {
    this.name = name;
    this.weights = weights;
    this.dtype = dtype;
  }

  input(value: Value): Value {
    if (this.names.has(value.name)) this.fail(`the name ${value.name} is taken`);
    this.names.add(value.name);
    this.inputs.push(value);
    return value;
  }

  adopt({ inputs, initializers }: Graph): void {
    for (const value of inputs) this.input(value);
    for (const initializer of initializers) this.initializer(initializer.value.name, initializer);
  }

  output(output: Output): void {
    if (this.outputs.some(({ name }) => name === output.name))
      this.fail(`there are two outputs ${output.name}`);
    this.outputs.push(output);
  }

  constant(name: string, data: Tensor): Value {
    const known = this.initializers.get(name);
    if (known) return known.value;
    return this.initializer(name, { value: { name, dtype: data.dtype, shape: data.shape }, data });
  }

  weight(name: string): Value {
    const known = this.initializers.get(name);
    return this.computeType(known?.value ?? this.reference(name));
  }

  stored(weight: WeightRef): Value {
    const { name, dtype, shape } = weight;
    const known = this.initializers.get(name);
    return known?.value ?? this.initializer(name, { value: { name, dtype, shape }, weight });
  }

  node(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes, wanted: string): Node {
    const name = this.unique(wanted);
    const fail = (message: string): never => this.fail(`${name}: ${message}`);
    const { attributes: known, infer } = definition(op);
    for (const key of Object.keys(attributes)) {
      if (!(key in known)) fail(`${op} has no attribute ${key}`);
    }
    const types = infer({ inputs, attributes, fail });
    const outputs = types.map((type, i) => ({ name: i === 0 ? name : `${name}:${i}`, ...type }));
    const empty = outputs.find(({ shape }) => shape.some((n) => !Number.isInteger(n) || n < 1));
    if (empty) fail(`the result would be ${showShape(empty.shape)}`);
    const node: Node = { op, name, inputs, outputs, attributes };
    this.nodes.push(node);
    return node;
  }

  finish(): Graph {
    const { name, inputs, outputs, nodes } = this;
    if (outputs.length === 0) this.fail('it has no outputs');
    return { name, inputs, outputs, initializers: [...this.initializers.values()], nodes };
  }

  private reference(name: string): Value {
    if (!this.weights) return this.fail(`no weights were given, ${name} was asked for`);
    return this.stored({ ...this.weights.get(name), name });
  }

  private computeType(value: Value): Value {
    if (value.dtype === this.dtype) return value;
    const known = this.casts.get(value);
    if (known) return known;
    const cast = this.node('Cast', [value], { to: this.dtype }, `${value.name}/Cast`).outputs[0] as Value;
    this.casts.set(value, cast);
    return cast;
  }

  private initializer(name: string, initializer: Initializer): Value {
    if (this.names.has(name)) this.fail(`the name ${name} is taken`);
    this.names.add(name);
    this.initializers.set(name, initializer);
    return initializer.value;
  }

  private unique(wanted: string): string {
    let name = wanted;
    for (let n = 1; this.names.has(name); n++) name = `${wanted}_${n}`;
    this.names.add(name);
    return name;
  }

  /** Over a checkpoint it is the checkpoint that does not fit together: its config says one thing, its weights another. */
  private fail(message: string): never {
    const text = `graph ${this.name}: ${message}`;
    if (!this.weights) throw new EncoreError('graph_invalid', text);
    throw new EncoreError(
      'checkpoint_invalid',
      `${this.weights.description}: config and weights do not fit: ${text}`,
      {
        remedy: 'Check that config.json and the weights are of the same model, or fetch both again.',
      },
    );
  }
}
