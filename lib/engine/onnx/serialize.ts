import { EncoreError } from '../../contracts/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Attribute, Graph, Initializer, Node, Value } from './graph.ts';
import { definition, dtypeCodes } from './ops.ts';
import type { AttributeKind } from './ops.ts';

// Writes a graph as an ONNX ModelProto. The only file that knows protobuf: field numbers are those of onnx.proto3
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).

export const opset = 21;
/** IR version that goes with opset 21. */
const irVersion = 10;

export interface SerializeOptions {
  /** Turns a weight's absolute file into the location that the runtime resolves. */
  locate: (file: string) => string;
}

/**
 * Weights become external data (location, offset, length); nothing of their files is read. Throws `graph_invalid` for
 * an op that only exists between passes.
 */
export function serialize(graph: Graph, { locate }: SerializeOptions): Uint8Array {
  const model = new Message();
  model.int(1, irVersion);
  model.text(2, 'encore');
  model.message(7, graphProto(graph, locate));
  model.message(8, operatorSet('', opset));
  model.message(8, operatorSet('com.microsoft', 1));
  return model.finish();
}

function operatorSet(domain: string, version: number): Message {
  const set = new Message();
  set.text(1, domain);
  set.int(2, version);
  return set;
}

function graphProto(graph: Graph, locate: (file: string) => string): Message {
  const proto = new Message();
  const constants: Message[] = [];
  for (const node of graph.nodes) proto.message(1, nodeProto(node, constants));
  proto.text(2, graph.name);
  for (const initializer of graph.initializers) proto.message(5, initializerProto(initializer, locate));
  for (const constant of constants) proto.message(5, constant);
  for (const value of graph.inputs) proto.message(11, valueInfo(value));
  for (const { value } of graph.outputs) proto.message(12, valueInfo(value));
  return proto;
}

function nodeProto(node: Node, constants: Message[]): Message {
  const { domain, attributes, gap = 0 } = definition(node.op);
  if (domain === 'encore') {
    throw new EncoreError(
      'graph_invalid',
      `${node.name}: ${node.op} must be lowered before it is serialized`,
    );
  }
  const proto = new Message();
  for (const input of node.inputs) proto.text(1, input?.name ?? '');
  for (let i = 0; i < gap; i++) proto.text(1, '');
  for (const [key, kind] of Object.entries(attributes)) {
    const value = node.attributes[key];
    if (value === undefined || kind !== 'input') continue;
    const name = `${node.name}.${key}`;
    const data = BigInt64Array.from(value as readonly number[], BigInt);
    constants.push(tensorProto(name, tensor('int64', [data.length], data)));
    proto.text(1, name);
  }
  for (const output of node.outputs) proto.text(2, output.name);
  proto.text(3, node.name);
  proto.text(4, node.op);
  for (const [key, kind] of Object.entries(attributes)) {
    const value = node.attributes[key];
    if (value !== undefined && kind !== 'input') proto.message(5, attributeProto(key, value, kind));
  }
  if (domain !== '') proto.text(7, domain);
  return proto;
}

function attributeProto(name: string, value: Attribute, kind: Exclude<AttributeKind, 'input'>): Message {
  const proto = new Message();
  proto.text(1, name);
  switch (kind) {
    case 'float':
      proto.float(2, value as number);
      proto.int(20, 1);
      break;
    case 'int':
      proto.int(3, value as number);
      proto.int(20, 2);
      break;
    case 'dtype':
      proto.int(3, dtypeCodes[value as keyof typeof dtypeCodes]);
      proto.int(20, 2);
      break;
    case 'string':
      proto.text(4, value as string);
      proto.int(20, 3);
      break;
    case 'ints':
      for (const n of value as readonly number[]) proto.int(8, n);
      proto.int(20, 7);
      break;
  }
  return proto;
}

function initializerProto(initializer: Initializer, locate: (file: string) => string): Message {
  if ('data' in initializer) return tensorProto(initializer.value.name, initializer.data);
  const { value, weight } = initializer;
  const proto = tensorHead(value);
  const entries = {
    location: locate(weight.file),
    offset: String(weight.offset),
    length: String(weight.length),
  };
  for (const [key, text] of Object.entries(entries)) {
    const entry = new Message();
    entry.text(1, key);
    entry.text(2, text);
    proto.message(13, entry);
  }
  proto.int(14, 1); // data_location: EXTERNAL
  return proto;
}

function tensorProto(name: string, { dtype, shape, data }: Tensor): Message {
  const proto = tensorHead({ name, dtype, shape });
  proto.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)); // little-endian, as every host we run on
  return proto;
}

function tensorHead({ name, dtype, shape }: Value): Message {
  const proto = new Message();
  for (const n of shape) proto.int(1, n);
  proto.int(2, dtypeCodes[dtype]);
  proto.text(8, name);
  return proto;
}

function valueInfo({ name, dtype, shape }: Value): Message {
  const dimensions = new Message();
  for (const n of shape) {
    const dimension = new Message();
    dimension.int(1, n);
    dimensions.message(1, dimension);
  }
  const tensorType = new Message();
  tensorType.int(1, dtypeCodes[dtype]);
  tensorType.message(2, dimensions);
  const type = new Message();
  type.message(1, tensorType);
  const proto = new Message();
  proto.text(1, name);
  proto.message(2, type);
  return proto;
}

/** One protobuf message under construction: varints, 32-bit floats and length-delimited fields are all ONNX needs. */
class Message {
  private readonly chunks: Uint8Array[] = [];
  private size = 0;

  int(field: number, value: number): void {
    this.push(varint(field * 8));
    this.push(varint(value));
  }

  float(field: number, value: number): void {
    this.push(varint(field * 8 + 5));
    this.push(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(field: number, value: string): void {
    this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.push(varint(field * 8 + 2));
    this.push(varint(value.length));
    this.push(value);
  }

  message(field: number, value: Message): void {
    this.push(varint(field * 8 + 2));
    this.push(varint(value.size));
    for (const chunk of value.chunks) this.push(chunk);
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.size);
    let at = 0;
    for (const chunk of this.chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }

  private push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
  }
}

const utf8 = new TextEncoder();

/** Base-128, little end first; negative numbers as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    const more = rest > 127n;
    out.push(Number(rest & 127n) | (more ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(out);
}
