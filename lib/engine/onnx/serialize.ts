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
  const model = new Writer();
  model.int(1, irVersion);
  model.text(2, 'encore');
  model.message(7, () => writeGraph(model, graph, locate));
  for (const [domain, version] of [['', opset] as const, ['com.microsoft', 1] as const]) {
    model.message(8, () => {
      model.text(1, domain);
      model.int(2, version);
    });
  }
  return model.finish();
}

function writeGraph(w: Writer, graph: Graph, locate: (file: string) => string): void {
  const constants: { name: string; values: readonly number[] }[] = [];
  for (const node of graph.nodes) w.message(1, () => writeNode(w, node, constants));
  w.text(2, graph.name);
  for (const initializer of graph.initializers) w.message(5, () => writeInitializer(w, initializer, locate));
  for (const { name, values } of constants) {
    const data = BigInt64Array.from(values, BigInt);
    w.message(5, () => writeTensor(w, name, tensor('int64', [data.length], data)));
  }
  for (const value of graph.inputs) w.message(11, () => writeValueInfo(w, value));
  for (const { value } of graph.outputs) w.message(12, () => writeValueInfo(w, value));
}

function writeNode(w: Writer, node: Node, constants: { name: string; values: readonly number[] }[]): void {
  const { domain, attributes, gap = 0 } = definition(node.op);
  if (domain === 'encore') {
    throw new EncoreError(
      'graph_invalid',
      `${node.name}: ${node.op} must be lowered before it is serialized`,
    );
  }
  const given = Object.entries(attributes).flatMap(([key, kind]) => {
    const value = node.attributes[key];
    return value === undefined ? [] : [{ key, kind, value }];
  });
  for (const input of node.inputs) w.text(1, input?.name ?? '');
  for (let i = 0; i < gap; i++) w.text(1, '');
  for (const { key, kind, value } of given) {
    if (kind !== 'input') continue;
    const name = `${node.name}.${key}`;
    constants.push({ name, values: value as readonly number[] });
    w.text(1, name);
  }
  for (const output of node.outputs) w.text(2, output.name);
  w.text(3, node.name);
  w.text(4, node.op);
  for (const { key, kind, value } of given) {
    if (kind !== 'input') w.message(5, () => writeAttribute(w, key, value, kind));
  }
  if (domain !== '') w.text(7, domain);
}

function writeAttribute(
  w: Writer,
  name: string,
  value: Attribute,
  kind: Exclude<AttributeKind, 'input'>,
): void {
  w.text(1, name);
  switch (kind) {
    case 'float':
      w.float(2, value as number);
      w.int(20, 1);
      break;
    case 'int':
      w.int(3, value as number);
      w.int(20, 2);
      break;
    case 'dtype':
      w.int(3, dtypeCodes[value as keyof typeof dtypeCodes]);
      w.int(20, 2);
      break;
    case 'string':
      w.text(4, value as string);
      w.int(20, 3);
      break;
    case 'ints':
      for (const n of value as readonly number[]) w.int(8, n);
      w.int(20, 7);
      break;
  }
}

function writeInitializer(w: Writer, initializer: Initializer, locate: (file: string) => string): void {
  if ('data' in initializer) return writeTensor(w, initializer.value.name, initializer.data);
  const { value, weight } = initializer;
  writeTensorHead(w, value);
  const entries = {
    location: locate(weight.file),
    offset: String(weight.offset),
    length: String(weight.length),
  };
  for (const [key, text] of Object.entries(entries)) {
    w.message(13, () => {
      w.text(1, key);
      w.text(2, text);
    });
  }
  w.int(14, 1); // data_location: EXTERNAL
}

function writeTensor(w: Writer, name: string, { dtype, shape, data }: Tensor): void {
  writeTensorHead(w, { name, dtype, shape });
  w.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)); // little-endian, as every host we run on
}

function writeTensorHead(w: Writer, { name, dtype, shape }: Value): void {
  for (const n of shape) w.int(1, n);
  w.int(2, dtypeCodes[dtype]);
  w.text(8, name);
}

function writeValueInfo(w: Writer, { name, dtype, shape }: Value): void {
  w.text(1, name);
  // TypeProto { tensor_type { elem_type, shape { dim { dim_value } } } }
  w.message(2, () =>
    w.message(1, () => {
      w.int(1, dtypeCodes[dtype]);
      w.message(2, () => {
        for (const n of shape) w.message(1, () => w.int(1, n));
      });
    }),
  );
}

/** Protobuf as far as ONNX needs it: varints, 32-bit floats and length-delimited fields, into one growing buffer. */
class Writer {
  private buffer = Buffer.alloc(1 << 16);
  private at = 0;

  int(field: number, value: number): void {
    this.varint(field * 8);
    this.varint(value);
  }

  float(field: number, value: number): void {
    this.varint(field * 8 + 5);
    this.reserve(4);
    this.at = this.buffer.writeFloatLE(value, this.at);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.varint(field * 8 + 2);
    this.varint(length);
    this.reserve(length);
    this.at += this.buffer.write(value, this.at);
  }

  bytes(field: number, value: Uint8Array): void {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  /** What `content` writes, behind its length. */
  message(field: number, content: () => void): void {
    this.varint(field * 8 + 2);
    const start = this.at;
    content();
    // The length stands before the content and is known after it: the content moves up by the bytes the length takes.
    const length = this.at - start;
    const end = this.at;
    const prefix = varintSize(length);
    this.reserve(prefix);
    this.buffer.copyWithin(start + prefix, start, end);
    this.at = start;
    this.varint(length);
    this.at = end + prefix;
  }

  finish(): Uint8Array {
    return new Uint8Array(this.buffer.subarray(0, this.at));
  }

  /** Base-128, low digits first; negative numbers as 64-bit two's complement. */
  private varint(value: number): void {
    this.reserve(10);
    let rest = value;
    if (value < 0 || value > 0x7fff_ffff) {
      let large = BigInt.asUintN(64, BigInt(value));
      for (; large > 127n; large >>= 7n) this.buffer[this.at++] = Number(large & 127n) | 128;
      rest = Number(large);
    }
    for (; rest > 127; rest >>= 7) this.buffer[this.at++] = (rest & 127) | 128;
    this.buffer[this.at++] = rest;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.buffer.length, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}
