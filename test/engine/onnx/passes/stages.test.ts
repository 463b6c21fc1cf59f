import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../lib/engine/onnx/builder.ts';
import { compile } from '../../../../lib/engine/onnx/passes/compile.ts';
import { partition } from '../../../../lib/engine/onnx/passes/stages.ts';
import { print } from '../../../../lib/engine/onnx/print.ts';
import { verify } from '../../../../lib/engine/onnx/verify.ts';
import { expectForward } from '../../../support/parity.ts';
import { random, runGraph } from '../../support/graphs.ts';

const stages = { text: 0, sample: 1, time: 2 };

function network() {
  const g = GraphBuilder.create('network');
  const text = g.input('text', 'float32', [2, 3]);
  const sample = g.input('sample', 'float32', [2, 4]);
  const time = g.input('time', 'float32', [1]);
  const w = g.transpose(g.constant('w', random([4, 3])), [1, 0]);
  const key = g.at('key').matMul(text, w);
  const features = g.at('features').add(g.at('features').silu(sample), key);
  g.output(
    'y',
    g.at('step').mul(g.at('step').matMul(g.at('step').mul(features, time), g.transpose(w, [1, 0])), text),
  );
  return g.finish();
}

describe('partition', () => {
  it('runs every node at the earliest stage it can and repeats constants where they are read', () => {
    const parts = partition(network(), stages, 3);
    expect(parts.map(print).join('\n')).toMatchInlineSnapshot(`
      "graph network.0(text: f32[2,3])
        Transpose = Transpose(w) perm=[1,0] : f32[3,4]
        key/MatMul = MatMul(text, Transpose) : f32[2,4]
        return key/MatMul=key/MatMul
      graph network.1(sample: f32[2,4], key/MatMul: f32[2,4])
        features/QuickGelu = QuickGelu(sample) alpha=1 : f32[2,4]
        features/Add = Add(features/QuickGelu, key/MatMul) : f32[2,4]
        return features/Add=features/Add
      graph network.2(text: f32[2,3], time: f32[1], features/Add: f32[2,4])
        Transpose = Transpose(w) perm=[1,0] : f32[3,4]
        step/Mul = Mul(features/Add, time) : f32[2,4]
        Transpose_1 = Transpose(Transpose) perm=[1,0] : f32[4,3]
        step/MatMul = MatMul(step/Mul, Transpose_1) : f32[2,3]
        step/Mul_1 = Mul(step/MatMul, text) : f32[2,3]
        return y=step/Mul_1"
    `);
  });

  it('gives the same result in parts as in one', async () => {
    const feeds = { text: random([2, 3], 5), sample: random([2, 4], 6), time: random([1], 7) };
    const whole = await runGraph(compile(network()), feeds);
    let known: Awaited<ReturnType<typeof runGraph>> = { ...feeds };
    for (const part of partition(network(), stages, 3)) {
      verify(part);
      known = { ...known, ...(await runGraph(compile(part), known)) };
    }
    expectForward(known['y']!, whole['y']!, 'y');
  });

  it('passes a repeated value on before it is repeated', () => {
    const g = GraphBuilder.create('repeat');
    const early = g.silu(g.input('early', 'float32', [2, 4]));
    g.output('y', g.add(g.repeatRows(early, 3), g.input('late', 'float32', [6, 4])));
    const [first, second] = partition(g.finish(), { early: 0, late: 1 }, 2);
    expect(first?.outputs.map(({ value }) => value.shape)).toEqual([[2, 4]]);
    expect(second?.nodes.map(({ op }) => op)).toEqual(['RepeatRows', 'Add']);
  });

  it('writes an output in the part in which it is known', async () => {
    const g = GraphBuilder.create('outputs');
    const early = g.silu(g.input('early', 'float32', [1, 4]));
    g.output('keys', g.repeatRows(early, 2));
    g.output('y', g.add(early, g.input('late', 'float32', [1, 4])));
    const parts = partition(g.finish(), { early: 0, late: 1 }, 2);
    parts.forEach(verify);
    const names = parts.map(({ outputs }) => outputs.map(({ name }) => name));
    expect(names[0]).toHaveLength(2);
    expect(names[0]).toContain('keys');
    expect(names[1]).toEqual(['y']);
    const { keys } = await runGraph(compile(parts[0]!), { early: random([1, 4], 3) });
    expect(keys!.shape).toEqual([2, 4]);
  });

  it('wants a stage for every input', () => {
    expect(() => partition(network(), { text: 0, sample: 1 }, 2)).toThrow(
      'no stage was given for input time',
    );
  });
});
