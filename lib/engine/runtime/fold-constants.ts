import { openSafetensors, bytesOf, writeSafetensorsStream } from '../checkpoint/safetensors.ts';
import { presentInputs, type Graph, type Initializer, type Node, type Value } from '../onnx/graph.ts';
import { withoutDeadNodes } from '../onnx/passes/rewrite.ts';
import { constantValues } from '../onnx/passes/stages.ts';
import { bytesPerElement, sizeOf, type Tensor } from '../tensor/tensor.ts';

/** Runs a graph without inputs. */
export type Evaluate = (graph: Graph) => Promise<Record<string, Tensor>>;

/** Smaller ones are left to onnxruntime, which folds them in no time. */
const smallestBytes = 1 << 16;

/**
 * Computes what depends on weights alone (casts of half precision, transposed and sliced matrices, transformed kernels),
 * a few tensors at a time, and writes it into one .safetensors file. Returns the graph that points there instead.
 * onnxruntime folds all of a graph at once and would hold every weight of the network twice or more in private memory.
 */
export async function foldConstants(graph: Graph, path: string, evaluate: Evaluate): Promise<Graph> {
  const groups = groupsOf(graph);
  if (groups.length === 0) return graph;
  const results = new Map<Value, Promise<Record<string, Tensor>>>();
  const names = new Map<Value, string>();
  const entries = groups.flatMap((group, i) =>
    group.outputs.map(({ name, value }, j) => {
      // File order is name order: the tensors of a group lie, and are made, together.
      const place = `${String(i).padStart(6, '0')}.${String(j).padStart(6, '0')}`;
      names.set(value, place);
      return {
        name: place,
        dtype: value.dtype,
        shape: value.shape,
        async *bytes() {
          if (!results.has(value)) {
            const made = evaluate(group);
            for (const output of group.outputs) results.set(output.value, made);
          }
          const made = await results.get(value)!;
          results.delete(value);
          yield bytesOf(made[name]!.data);
        },
      };
    }),
  );
  await writeSafetensorsStream(path, entries);
  const { tensors } = await openSafetensors(path);
  const folded = [...names].map(([value, name]) => ({
    value,
    weight: { ...tensors.get(name)!, name: value.name },
  }));
  return withInitializers(graph, folded);
}

/**
 * One graph without inputs per set of weights: its outputs are the values that are made of these weights alone and read
 * by nodes that are not.
 */
function groupsOf(graph: Graph): Graph[] {
  const constants = constantValues(graph);
  const isConstant = (node: Node) => node.outputs.every((value) => constants.has(value));
  const makers = new Map<Value, Node>();
  for (const node of graph.nodes.filter(isConstant))
    for (const value of node.outputs) makers.set(value, node);
  const read = new Set<Value>();
  for (const node of graph.nodes)
    if (!isConstant(node)) for (const value of presentInputs(node)) read.add(value);

  const initializers = new Map(graph.initializers.map((each) => [each.value, each]));
  const groups = new Map<string, { roots: Value[]; nodes: Set<Node>; initializers: Set<Initializer> }>();
  for (const root of read) {
    if (!makers.has(root) || sizeOf(root.shape) * bytesPerElement[root.dtype] < smallestBytes) continue;
    const from = ancestors(root, makers, initializers);
    const weights = [...from.initializers].filter((each) => 'weight' in each).map((each) => each.value.name);
    const key = weights.sort().join('\n');
    const group = groups.get(key) ?? {
      roots: [],
      nodes: new Set<Node>(),
      initializers: new Set<Initializer>(),
    };
    group.roots.push(root);
    for (const node of from.nodes) group.nodes.add(node);
    for (const each of from.initializers) group.initializers.add(each);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ roots, nodes, initializers: read }, i) => ({
    name: `${graph.name} constants ${i}`,
    inputs: [],
    outputs: roots.map((value) => ({ name: value.name, value })),
    initializers: [...read],
    nodes: graph.nodes.filter((node) => nodes.has(node)),
  }));
}

function ancestors(
  root: Value,
  makers: ReadonlyMap<Value, Node>,
  initializers: ReadonlyMap<Value, Initializer>,
) {
  const nodes = new Set<Node>();
  const found = new Set<Initializer>();
  const open = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const maker = makers.get(value);
    const initializer = initializers.get(value);
    if (initializer !== undefined) found.add(initializer);
    if (maker === undefined || nodes.has(maker)) continue;
    nodes.add(maker);
    open.push(...presentInputs(maker));
  }
  return { nodes, initializers: found };
}

/** The graph with some of its values given; what only they needed is left out. */
function withInitializers(graph: Graph, given: readonly Initializer[]): Graph {
  const known = new Set(given.map(({ value }) => value));
  return withoutDeadNodes({
    ...graph,
    initializers: [...graph.initializers, ...given],
    nodes: graph.nodes.filter(({ outputs }) => !outputs.every((value) => known.has(value))),
  });
}
