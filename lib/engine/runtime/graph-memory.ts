import { countUses, presentInputs, type Graph, type Value } from '../onnx/graph.ts';
import { constantValues } from '../onnx/passes/stages.ts';
import { bytesPerElement, sizeOf } from '../tensor/tensor.ts';

const bytesOf = ({ dtype, shape }: Value) => sizeOf(shape) * bytesPerElement[dtype];

/** Bytes of all weights that lie in files, as stored there. */
export function weightBytes(graph: Graph): number {
  return graph.initializers.reduce((sum, each) => ('weight' in each ? sum + each.weight.length : sum), 0);
}

/**
 * Most bytes of intermediate values alive at once when the nodes run in order and each value is freed after its last
 * use: a lower bound of what the runtime's arena takes, close to it in practice.
 */
export function activationBytes(graph: Graph): number {
  const left = countUses(graph);
  const constants = constantValues(graph);
  let alive = graph.inputs.reduce((sum, value) => sum + bytesOf(value), 0);
  let peak = alive;
  for (const node of graph.nodes) {
    if (node.outputs.some((value) => constants.has(value))) continue;
    for (const value of node.outputs) alive += bytesOf(value);
    peak = Math.max(peak, alive);
    for (const value of presentInputs(node)) {
      const uses = left.get(value)! - 1;
      left.set(value, uses);
      if (uses === 0 && !constants.has(value)) alive -= bytesOf(value);
    }
    for (const value of node.outputs) if (!left.has(value)) alive -= bytesOf(value);
  }
  return peak;
}

/**
 * Whether a session keeps its memory between runs. onnxruntime's arena grows by doubling and returns nothing while the
 * session is open: small graphs gain speed from it, large ones would hold twice what a run needs (SD-1.5's encoder at
 * 512 x 512: 600 MB against 220 MB).
 */
export function usesArena(graph: Graph): boolean {
  return activationBytes(graph) <= 64e6;
}

/** onnxruntime's own structures, and ours. */
const bytesPerNode = 32_000;

/** Estimate of the private bytes that an open session holds between runs when its weights are mapped. */
export function heldBytes(graph: Graph): number {
  return bytesPerNode * graph.nodes.length + (usesArena(graph) ? 2 * activationBytes(graph) : 0);
}
