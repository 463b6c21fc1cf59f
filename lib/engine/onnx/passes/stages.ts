import { EncoreError } from '../../../contracts/errors.ts';
import type { Graph, Initializer, Node, Output, Value } from '../graph.ts';
import { presentInputs } from '../graph.ts';
import { withoutDeadNodes } from './rewrite.ts';

/**
 * Binding times. Some inputs of a graph are known earlier than others (the text once per prompt, the latents at key
 * steps, the time at every step); a value is known as soon as everything it depends on is. `stages` gives the stage of
 * each input, counted from 0; values that depend on no input get -1.
 */
export function stageOf(graph: Graph, stages: Readonly<Record<string, number>>): Map<Value, number> {
  const stage = new Map<Value, number>();
  for (const input of graph.inputs) {
    const known = stages[input.name];
    if (known === undefined) throw invalid(graph, `no stage was given for input ${input.name}`);
    stage.set(input, known);
  }
  for (const { value } of graph.initializers) stage.set(value, -1);
  for (const node of graph.nodes) {
    const latest = Math.max(-1, ...presentInputs(node).map((value) => stage.get(value) ?? -1));
    for (const value of node.outputs) stage.set(value, latest);
  }
  return stage;
}

/** Values that depend on no input: weights and what is made of them alone. Runtimes compute these once. */
export function constantValues(graph: Graph): ReadonlySet<Value> {
  const stage = stageOf(graph, Object.fromEntries(graph.inputs.map(({ name }) => [name, 0])));
  return new Set([...stage].filter(([, known]) => known === -1).map(([value]) => value));
}

/**
 * Cuts a graph into one per stage. Every node runs at the earliest stage it can; a value that later stages read becomes
 * an output of its own stage and an input of theirs, both under its name. Each of the graph's own outputs is one of the part in
 * which it is known. Constant nodes are repeated wherever they are read, for runtimes fold them; so is RepeatRows, so that no repeated value crosses.
 */
export function partition(graph: Graph, stages: Readonly<Record<string, number>>, count: number): Graph[] {
  const stage = stageOf(graph, stages);
  const last = count - 1;
  const partOf = ({ value }: Output): number => {
    const known = stage.get(value) ?? -1;
    return known === -1 ? last : known;
  };
  const parts = Array.from({ length: count }, () => ({ nodes: [] as Node[], reads: new Set<Value>() }));
  const demand = Array.from({ length: count }, () => new Set<Value>());
  for (const output of graph.outputs) demand[partOf(output)]?.add(output.value);

  for (const node of [...graph.nodes].reverse()) {
    const own = Math.max(...node.outputs.map((value) => stage.get(value) ?? -1));
    const everywhere = own === -1 || node.op === 'RepeatRows';
    parts.forEach((part, s) => {
      const wanted = node.outputs.some((value) => demand[s]?.has(value));
      const wantedLater = node.outputs.some((value) => demand.slice(s + 1).some((later) => later.has(value)));
      const here = everywhere ? wanted : s === own && (wanted || wantedLater);
      if (!here) return;
      part.nodes.push(node);
      for (const input of presentInputs(node)) demand[s]?.add(input);
    });
  }
  return parts.map(({ nodes }, s) => {
    const made = new Set(nodes.flatMap((node) => node.outputs));
    const laterReads = (value: Value): boolean => demand.slice(s + 1).some((later) => later.has(value));
    const crossing = graph.nodes
      .filter((node) => node.op !== 'RepeatRows' && stage.get(node.outputs[0] as Value) === s)
      .flatMap((node) => node.outputs.filter(laterReads))
      .map((value) => ({ name: value.name, value }));
    const wanted = demand[s] ?? new Set<Value>();
    const constants = new Set(graph.initializers.map(({ value }) => value));
    const inputs = [...wanted].filter((value) => !made.has(value) && !constants.has(value));
    return withoutDeadNodes({
      name: `${graph.name}.${s}`,
      inputs: inOrder(graph, inputs),
      outputs: [...crossing, ...graph.outputs.filter((output) => partOf(output) === s)],
      initializers: graph.initializers.filter(({ value }: Initializer) => wanted.has(value)),
      nodes: nodes.reverse(),
    });
  });
}

/** The graph's own inputs first, then values in the order they are made: independent of who reads them. */
function inOrder(graph: Graph, values: readonly Value[]): Value[] {
  const order = new Map(
    [...graph.inputs, ...graph.nodes.flatMap((node) => node.outputs)].map((value, i) => [value, i]),
  );
  return [...values].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
}

function invalid(graph: Graph, message: string): EncoreError {
  return new EncoreError('graph_invalid', `graph ${graph.name}: ${message}`);
}
