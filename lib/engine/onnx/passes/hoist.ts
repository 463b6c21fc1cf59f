import type { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { rewrite } from './rewrite.ts';
import { stageOf } from './stages.ts';

/**
 * Skip-branch hoisting: takes apart what follows `Concat(late, early)` along channels, so that everything that depends
 * on the early part alone is computed at its own stage. Exact to rounding:
 *
 * - a convolution of a concat is the sum of convolutions of its parts;
 * - a group norm's groups that lie wholly in the early part depend on it alone; a group that straddles the border
 *   stays with the late part, and so do the early channels in it;
 * - activations act on each part.
 *
 * `stages` is the stage of each input, as in {@link stageOf}.
 */
export function hoist(graph: Graph, stages: Readonly<Record<string, number>>): Graph {
  const stage = stageOf(graph, stages);
  const parts = new Map<Value, Parts>();
  const cat = (value: Value, g: GraphBuilder): Value => {
    const pair = parts.get(value);
    if (!pair) return value;
    pair.whole ??= g.emit('Concat', [pair.late, pair.early], { axis: 1 }, value.name);
    return pair.whole;
  };
  const standFor = (node: Node, late: Value, early: Value): Value[] => {
    const [output] = node.outputs as [Value];
    const value = { ...output };
    parts.set(value, { late, early, whole: null });
    return [value];
  };

  return rewrite(
    graph,
    (node, inputs, g) => {
      const [first] = inputs;
      const pair = first ? parts.get(first) : undefined;
      if (node.op === 'Concat') {
        const [late, early] = inputs;
        const [lateStage, earlyStage] = node.inputs.map((value) => stage.get(value as Value) ?? -1);
        const splits =
          node.attributes['axis'] === 1 && inputs.length === 2 && (lateStage ?? 0) > (earlyStage ?? 0);
        return splits && late && early ? standFor(node, cat(late, g), cat(early, g)) : null;
      }
      if (!pair) return null;
      if (node.op === 'GroupNormalization') {
        const split = splitGroupNorm(node, pair, inputs as Value[], g);
        return split && standFor(node, split.late, split.early);
      }
      if (node.op === 'Conv' && node.attributes['group'] === 1) {
        return [splitConv(node, pair, inputs as Value[], g)];
      }
      if (activations.has(node.op)) {
        const apply = (x: Value, name: string): Value => g.emit(node.op, [x], node.attributes, name);
        return standFor(node, apply(pair.late, node.name), apply(pair.early, `${node.name}.early`));
      }
      return null;
    },
    { materialize: cat },
  );
}

/** A value that is not made: the two that it would be the concat of, along channels. */
interface Parts {
  readonly late: Value;
  readonly early: Value;
  whole: Value | null;
}

const activations = new Set<string>(['QuickGelu', 'Gelu', 'Relu', 'Mish', 'Sigmoid', 'Tanh']);

/** Null where no whole group lies in the early part. */
function splitGroupNorm(
  node: Node,
  { late, early }: Parts,
  [, scale, bias]: readonly Value[],
  g: GraphBuilder,
): { late: Value; early: Value } | null {
  if (!scale || !bias) return null;
  const channels = scale.shape[0] ?? 0;
  const perGroup = channels / (node.attributes['num_groups'] as number);
  const groupsLate = Math.ceil((late.shape[1] ?? 0) / perGroup);
  const border = groupsLate * perGroup;
  if (border >= channels) return null;
  const straddling = border - (late.shape[1] ?? 0);
  const at = g.at(node.name);
  const norm = (x: Value, from: number, to: number, name: string): Value =>
    g.emit(
      'GroupNormalization',
      [x, at.slice(scale, 0, from, to), at.slice(bias, 0, from, to)],
      { ...node.attributes, num_groups: (to - from) / perGroup },
      name,
    );
  const withStraddling = straddling === 0 ? late : at.concat([late, at.slice(early, 1, 0, straddling)], 1);
  return {
    late: norm(withStraddling, 0, border, node.name),
    early: norm(at.slice(early, 1, straddling, early.shape[1] ?? 0), border, channels, `${node.name}.early`),
  };
}

function splitConv(
  node: Node,
  { late, early }: Parts,
  [, weight, bias]: readonly (Value | undefined)[],
  g: GraphBuilder,
): Value {
  if (!weight) return late;
  const at = g.at(node.name);
  const border = late.shape[1] ?? 0;
  const conv = (x: Value, w: Value, b: Value | undefined, name: string): Value =>
    g.emit('Conv', b ? [x, w, b] : [x, w], node.attributes, name);
  const fromLate = conv(late, at.slice(weight, 1, 0, border), bias, node.name);
  const fromEarly = conv(
    early,
    at.slice(weight, 1, border, weight.shape[1] ?? 0),
    undefined,
    `${node.name}.early`,
  );
  return g.emit('Add', [fromLate, fromEarly], {}, `${node.name}.sum`);
}
