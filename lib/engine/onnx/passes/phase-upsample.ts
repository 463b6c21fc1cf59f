import type { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { isPlain3x3 } from './plain-convolution.ts';
import { rewrite } from './rewrite.ts';

/**
 * Nearest x2 upsampling followed by a 3x3 convolution, as four 2x2 convolutions of the small picture, one per phase of
 * the output, and a depth-to-space: 4/9 of the multiply-accumulates. Row 2i + a of the output reads upsampled rows
 * 2i + a - 1 .. 2i + a + 1, which are rows i - 1, i, i (a = 0) or i, i, i + 1 (a = 1) of the small picture; taps that
 * meet the same row are added up. Zero padding is the same in both. Exact to rounding.
 */
export function phaseUpsample(graph: Graph): Graph {
  if (!graph.nodes.some(isDoubling)) return graph;
  const doubled = new Map<Value, { small: Value; whole: Value | null; node: Node }>();
  return rewrite(
    graph,
    (node, inputs, g) => {
      const [x, weight, bias] = inputs;
      if (x && isDoubling(node)) {
        const value = { ...(node.outputs[0] as Value) };
        doubled.set(value, { small: x, whole: null, node });
        return [value];
      }
      const from = x && doubled.get(x);
      return from && weight && isPlain3x3(node) ? [phases(node, from.small, weight, bias ?? null, g)] : null;
    },
    {
      materialize: (value, g) => {
        const from = doubled.get(value);
        if (!from) return value;
        from.whole ??= g.emit('Resize', [from.small], from.node.attributes, from.node.name);
        return from.whole;
      },
    },
  );
}

function isDoubling({ op, attributes, inputs, outputs }: Node): boolean {
  if (op !== 'Resize') return false;
  const [, , height = 0, width = 0] = inputs[0]?.shape ?? [];
  const [, , newHeight, newWidth] = outputs[0]?.shape ?? [];
  return attributes['mode'] === 'nearest' && newHeight === 2 * height && newWidth === 2 * width;
}

function phases(node: Node, x: Value, weight: Value, bias: Value | null, g: GraphBuilder): Value {
  const at = g.at(node.name);
  const parts: Value[] = [];
  for (const a of [0, 1] as const) {
    const rows = foldTaps(at, weight, 2, a);
    for (const b of [0, 1] as const) {
      const kernel = foldTaps(at, rows, 3, b);
      // One row more above for phase 0, below for phase 1; columns alike.
      parts.push(at.conv2d(x, kernel, bias, { padding: [1 - a, 1 - b, a, b] }));
    }
  }
  return g.emit('DepthToSpace', [at.concat(parts, 1)], { blocksize: 2, mode: 'DCR' }, node.name);
}

/** Three taps along an axis to the two that phase 0 (0, 1 + 2) or 1 (0 + 1, 2) needs. */
function foldTaps(g: GraphBuilder, weight: Value, axis: number, phase: 0 | 1): Value {
  const tap = (i: number): Value => g.slice(weight, axis, i, i + 1);
  const pair = (i: number): Value => g.add(tap(i), tap(i + 1));
  return g.concat(phase === 0 ? [tap(0), pair(1)] : [pair(0), tap(2)], axis);
}
