import { EncoreError } from '../../contracts/errors.ts';
import { bytesPerElement, sizeOf } from '../tensor/tensor.ts';
import type { Graph, Value } from './graph.ts';
import { presentInputs } from './graph.ts';
import { definition } from './ops.ts';
import { showShape, showType } from './shapes.ts';

/**
 * Checks what every graph must be: names unique, each value made before it is read, each node's outputs what its op
 * infers, each weight as long as its shape says. Run by tests and after passes; throws `graph_invalid`.
 */
export function verify(graph: Graph): void {
  const fail = (message: string): never => {
    throw new EncoreError('graph_invalid', `graph ${graph.name}: ${message}`);
  };
  const names = new Set<string>();
  const known = new Set<Value>();
  const define = (value: Value): void => {
    if (names.has(value.name)) fail(`${value.name} is defined twice`);
    names.add(value.name);
    known.add(value);
  };
  graph.inputs.forEach(define);
  for (const initializer of graph.initializers) {
    define(initializer.value);
    const { dtype, shape } = initializer.value;
    const expected = sizeOf(shape) * bytesPerElement[dtype];
    const bytes = 'weight' in initializer ? initializer.weight.length : initializer.data.data.byteLength;
    if (bytes !== expected) {
      fail(`${initializer.value.name} ${showType(initializer.value)} needs ${expected} bytes, got ${bytes}`);
    }
  }
  for (const node of graph.nodes) {
    for (const input of presentInputs(node)) {
      if (!known.has(input)) fail(`${node.name} reads ${input.name} before it is made`);
    }
    const types = definition(node.op).infer({
      inputs: node.inputs,
      attributes: node.attributes,
      fail: (message) => fail(`${node.name}: ${message}`),
    });
    types.forEach((type, i) => {
      const value = node.outputs[i];
      if (!value || value.dtype !== type.dtype || showShape(value.shape) !== showShape(type.shape)) {
        fail(`${node.name} makes ${showType(type)}, its output says ${value ? showType(value) : 'nothing'}`);
      }
    });
    node.outputs.forEach(define);
  }
  for (const { name, value } of graph.outputs) {
    if (!known.has(value)) fail(`output ${name} reads ${value.name}, which nothing makes`);
  }
}
