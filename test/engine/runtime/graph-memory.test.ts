import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../lib/engine/onnx/builder.ts';
import {
  activationBytes,
  heldBytes,
  usesArena,
  weightBytes,
} from '../../../lib/engine/runtime/graph-memory.ts';

/** x -> relu -> relu -> x + last, of `size` floats each. */
function chain(size: number) {
  const g = GraphBuilder.create('chain');
  const x = g.input('x', 'float32', [size]);
  const last = g.activation(g.activation(x, 'relu'), 'relu');
  g.output('y', g.add(x, last));
  return g.finish();
}

describe('memory of a graph', () => {
  it('counts what is alive at once, not what is made', () => {
    // x lives to the end; beside it at most two of the other three.
    expect(activationBytes(chain(1000))).toBe(3 * 4000);
    expect(weightBytes(chain(1000))).toBe(0);
  });

  it('keeps an arena for small graphs only', () => {
    const [small, large] = [chain(1000), chain(20_000_000)];
    expect([usesArena(small), usesArena(large)]).toEqual([true, false]);
    expect(heldBytes(large)).toBeLessThan(activationBytes(large));
  });
});
