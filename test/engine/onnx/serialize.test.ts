import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../lib/engine/onnx/builder.ts';
import { type Attributes, type Graph, type Node, type Value } from '../../../lib/engine/onnx/graph.ts';
import { definition, dtypeCodes, ops, type OpName } from '../../../lib/engine/onnx/ops.ts';
import { serialize } from '../../../lib/engine/onnx/serialize.ts';
import { type DType } from '../../../lib/engine/tensor/tensor.ts';
import { random } from '../support/graphs.ts';
import { parseModel } from './parse-model.ts';

const dtypes = Object.keys(dtypeCodes) as DType[];
const written = (Object.keys(ops) as OpName[]).filter((op) => definition(op).domain !== 'encore');

const name = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const shape = fc.array(fc.integer({ min: 1, max: 2 ** 33 }), { maxLength: 5 });
const value: fc.Arbitrary<Value> = fc.record({ name, dtype: fc.constantFrom(...dtypes), shape });

function attributesOf(op: OpName): fc.Arbitrary<Attributes> {
  const kinds = {
    int: fc.maxSafeInteger(),
    float: fc.float({ noNaN: true }),
    string: fc.string(),
    ints: fc.array(fc.maxSafeInteger()),
    dtype: fc.constantFrom(...dtypes),
    input: fc.array(fc.maxSafeInteger()),
  };
  const known = Object.entries(definition(op).attributes).map(([key, kind]) => [key, kinds[kind]] as const);
  return fc.record(Object.fromEntries(known));
}

const node: fc.Arbitrary<Node> = fc.constantFrom(...written).chain((op) =>
  fc.record({
    op: fc.constant(op),
    name,
    inputs: fc.array(fc.option(value), { minLength: 1, maxLength: 3 }),
    outputs: fc.array(value, { minLength: 1, maxLength: 2 }),
    attributes: attributesOf(op),
  }),
);

const weight = fc.record({ file: name, offset: fc.maxSafeInteger().map(Math.abs), length: fc.nat() });
const graph: fc.Arbitrary<Graph> = fc.record({
  name,
  inputs: fc.array(value, { maxLength: 3 }),
  outputs: fc.array(fc.record({ name, value }), { maxLength: 3 }),
  initializers: fc.array(
    fc.record({ value, weight }).map(({ value: v, weight: w }) => ({ value: v, weight: { ...v, ...w } })),
    { maxLength: 3 },
  ),
  nodes: fc.array(node, { maxLength: 5 }),
});

describe('serialize', () => {
  it('writes what a reader of ONNX gets back', () => {
    fc.assert(
      fc.property(graph, (g) => {
        const model = parseModel(serialize(g, { locate: (file) => `at ${file}` }));
        expect(model).toMatchObject({ irVersion: 10, opsets: { '': 21, 'com.microsoft': 1 }, name: g.name });
        const info = ({ name: n, dtype, shape: s }: Value) => ({
          name: n,
          dtype: dtypeCodes[dtype],
          shape: s,
        });
        expect(model.inputs).toEqual(g.inputs.map(info));
        expect(model.outputs).toEqual(g.outputs.map((output) => info(output.value)));
        g.initializers.forEach((initializer, i) => {
          if (!('weight' in initializer)) throw new Error('only weights are generated');
          const { file, offset, length } = initializer.weight;
          const external = { location: `at ${file}`, offset: String(offset), length: String(length) };
          expect(model.initializers[i]).toEqual({ ...info(initializer.value), bytes: null, external });
        });
        g.nodes.forEach((n, i) => expectNode(model, i, n));
      }),
      { numRuns: 300 },
    );
  });

  it('writes small constants in line', () => {
    const g = GraphBuilder.create('inline');
    const data = random([2, 3]);
    g.output('y', g.add(g.input('x', 'float32', [2, 3]), g.constant('c', data)));
    const [constant] = parseModel(serialize(g.finish(), { locate: String })).initializers;
    expect(constant).toMatchObject({ name: 'c', dtype: 1, shape: [2, 3] });
    expect(new Float32Array(constant!.bytes!.slice().buffer)).toEqual(data.data);
  });

  it('refuses an op that only exists between passes', () => {
    const g = GraphBuilder.create('unlowered');
    g.output('y', g.repeatRows(g.input('x', 'float32', [1, 2]), 2));
    expect(() => serialize(g.finish(), { locate: String })).toThrow(
      'RepeatRows must be lowered before it is serialized',
    );
  });
});

function expectNode(model: ReturnType<typeof parseModel>, i: number, expected: Node): void {
  const { domain, attributes: kinds, gap = 0 } = definition(expected.op);
  const actual = model.nodes[i]!;
  const constants = Object.entries(kinds).filter(([, kind]) => kind === 'input');
  expect(actual).toMatchObject({
    op: expected.op,
    domain,
    name: expected.name,
    outputs: expected.outputs.map((v) => v.name),
    inputs: [
      ...expected.inputs.map((v) => v?.name ?? ''),
      ...Array.from({ length: gap }, () => ''),
      ...constants.map(([key]) => `${expected.name}.${key}`),
    ],
  });
  for (const [key, kind] of Object.entries(kinds)) {
    const wanted = expected.attributes[key]!;
    if (kind === 'input') {
      const candidates = model.initializers.filter((t) => t.name === `${expected.name}.${key}` && t.bytes);
      const contents = candidates.map((t) => Array.from(new BigInt64Array(t.bytes!.slice().buffer), Number));
      expect(contents).toContainEqual(wanted);
    } else if (kind === 'dtype') expect(actual.attributes[key]).toBe(dtypeCodes[wanted as DType]);
    else expect(actual.attributes[key]).toEqual(wanted);
  }
}
