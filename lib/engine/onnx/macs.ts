import { sizeOf } from '../tensor/tensor.ts';
import type { Graph, Node, Value } from './graph.ts';
import { constantValues } from './passes/stages.ts';

/**
 * Multiply-accumulates of one run of a graph: convolutions, matrix products and attention. What depends on no input is
 * folded by the runtime and does not count, nor do elementwise operations.
 */
export function countMacs(graph: Graph): number {
  const constants = constantValues(graph);
  return graph.nodes
    .filter((node) => !node.outputs.some((value) => constants.has(value)))
    .reduce((sum, node) => sum + nodeMacs(node), 0);
}

function nodeMacs(node: Node): number {
  const [output] = node.outputs as [Value];
  const [first, second] = node.inputs;
  if (!first || !second) return 0;
  if (node.op === 'Conv') return sizeOf(output.shape) * sizeOf(second.shape.slice(1));
  if (node.op === 'MatMul') return sizeOf(output.shape) * (first.shape.at(-1) ?? 0);
  if (node.op !== 'MultiHeadAttention') return 0;
  const [rows = 0, queries = 0, width = 0] = first.shape;
  const keys = sizeOf(second.shape) / (rows * width);
  return 2 * rows * queries * keys * width;
}
