import { GraphBuilder } from '../builder.ts';
import type { Graph, Initializer, Node, Value } from '../graph.ts';
import { presentInputs } from '../graph.ts';

/**
 * One local rewrite, tried on every node in order. `inputs` are the node's inputs in the graph being built; returning
 * null keeps the node. Shapes are inferred anew, so a rule may change the number of rows.
 */
export type Rule = (
  node: Node,
  inputs: readonly (Value | null)[],
  g: GraphBuilder,
) => readonly Value[] | null;

export interface RewriteOptions {
  /**
   * Turns a value that only stands for others into a real one where a node that no rule handled, or an output, reads
   * it. Default: the value itself.
   */
  materialize?: (value: Value, g: GraphBuilder) => Value;
}

/** Builds a graph anew through a rule, then drops what nothing reads. */
export function rewrite(graph: Graph, rule: Rule, options: RewriteOptions = {}): Graph {
  const { materialize = (value: Value) => value } = options;
  const g = GraphBuilder.continue(graph);
  const renamed = new Map<Value, Value>();
  const current = (value: Value): Value => renamed.get(value) ?? value;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((value) => value && current(value));
    const outputs =
      rule(node, inputs, g) ??
      g.emitAll(
        node.op,
        inputs.map((value) => value && materialize(value, g)),
        node.attributes,
        node.name,
      );
    node.outputs.forEach((value, i) => renamed.set(value, outputs[i] ?? value));
  }
  for (const { name, value } of graph.outputs) g.output(name, materialize(current(value), g));
  return withoutDeadNodes(g.finish());
}

/** Drops nodes and constants that no output depends on. Inputs stay: they are what a caller feeds. */
export function withoutDeadNodes(graph: Graph): Graph {
  const live = new Set<Value>(graph.outputs.map(({ value }) => value));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((value) => live.has(value))) continue;
    nodes.push(node);
    presentInputs(node).forEach((value) => live.add(value));
  }
  const initializers = graph.initializers.filter((initializer: Initializer) => live.has(initializer.value));
  return { ...graph, nodes: nodes.reverse(), initializers };
}
