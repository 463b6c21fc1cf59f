import type { Node } from '../graph.ts';

/** A 3x3 convolution of one group that keeps the size of its input: stride 1, no dilation, a border of one zero. */
export function isPlain3x3({ op, inputs, attributes }: Node): boolean {
  const all = (list: unknown, n: number): boolean =>
    (list as readonly number[]).every((value) => value === n);
  return (
    op === 'Conv' &&
    attributes['group'] === 1 &&
    all(inputs[1]?.shape.slice(2), 3) &&
    all(attributes['strides'], 1) &&
    all(attributes['dilations'], 1) &&
    all(attributes['pads'], 1)
  );
}
