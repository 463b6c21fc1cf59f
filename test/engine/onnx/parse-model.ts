/** Just enough of an ONNX reader to check what the serializer wrote. Field numbers are those of onnx.proto3. */
export interface ParsedModel {
  irVersion: number;
  opsets: Record<string, number>;
  name: string;
  nodes: ParsedNode[];
  initializers: ParsedTensor[];
  inputs: ParsedValue[];
  outputs: ParsedValue[];
}

export interface ParsedNode {
  op: string;
  domain: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, number | string | number[]>;
}

export interface ParsedTensor {
  name: string;
  dtype: number;
  shape: number[];
  bytes: Uint8Array | null;
  external: Record<string, string>;
}

export interface ParsedValue {
  name: string;
  dtype: number;
  shape: number[];
}

type Field = number | Uint8Array;
type Fields = Map<number, Field[]>;

export function parseModel(bytes: Uint8Array): ParsedModel {
  const model = fields(bytes);
  const graph = fields(message(model, 7));
  return {
    irVersion: number(model, 1),
    opsets: Object.fromEntries(messages(model, 8).map((set) => [text(set, 1), number(set, 2)])),
    name: text(graph, 2),
    nodes: messages(graph, 1).map(node),
    initializers: messages(graph, 5).map(tensor),
    inputs: messages(graph, 11).map(value),
    outputs: messages(graph, 12).map(value),
  };
}

function node(proto: Fields): ParsedNode {
  return {
    inputs: texts(proto, 1),
    outputs: texts(proto, 2),
    name: text(proto, 3),
    op: text(proto, 4),
    domain: text(proto, 7),
    attributes: Object.fromEntries(messages(proto, 5).map((a) => [text(a, 1), attribute(a)])),
  };
}

function attribute(proto: Fields): number | string | number[] {
  switch (number(proto, 20)) {
    case 1:
      return number(proto, 2);
    case 2:
      return number(proto, 3);
    case 3:
      return text(proto, 4);
    case 7:
      return (proto.get(8) ?? []).map(Number);
    default:
      throw new Error(`attribute type ${number(proto, 20)}`);
  }
}

function tensor(proto: Fields): ParsedTensor {
  return {
    shape: (proto.get(1) ?? []).map(Number),
    dtype: number(proto, 2),
    name: text(proto, 8),
    bytes: (proto.get(9)?.[0] as Uint8Array | undefined) ?? null,
    external: Object.fromEntries(messages(proto, 13).map((entry) => [text(entry, 1), text(entry, 2)])),
  };
}

function value(proto: Fields): ParsedValue {
  const type = fields(message(fields(message(proto, 2)), 1));
  const shape = messages(fields(message(type, 2)), 1).map((dimension) => number(dimension, 1));
  return { name: text(proto, 1), dtype: number(type, 1), shape };
}

const utf8 = new TextDecoder();
const number = (proto: Fields, field: number): number => Number(proto.get(field)?.[0] ?? 0);
const message = (proto: Fields, field: number): Uint8Array => proto.get(field)?.[0] as Uint8Array;
const messages = (proto: Fields, field: number): Fields[] =>
  (proto.get(field) ?? []).map((bytes) => fields(bytes as Uint8Array));
const texts = (proto: Fields, field: number): string[] =>
  (proto.get(field) ?? []).map((bytes) => utf8.decode(bytes as Uint8Array));
const text = (proto: Fields, field: number): string => texts(proto, field)[0] ?? '';

function fields(bytes: Uint8Array): Fields {
  const out: Fields = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let [result, shift] = [0n, 0n];
    for (;;) {
      const byte = view.getUint8(at++);
      result |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, result);
      shift += 7n;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [field, wire] = [tag >> 3, tag & 7];
    let content: Field;
    if (wire === 0) content = Number(varint());
    else if (wire === 5) content = view.getFloat32((at += 4) - 4, true);
    else if (wire === 2) {
      const length = Number(varint());
      content = bytes.subarray(at, (at += length));
    } else throw new Error(`wire type ${wire}`);
    out.set(field, [...(out.get(field) ?? []), content]);
  }
  return out;
}
