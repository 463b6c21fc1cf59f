import { describe, expect, it } from 'vitest';
import { type WeightSource } from '../../../lib/engine/checkpoint/weight-source.ts';
import { GraphBuilder } from '../../../lib/engine/onnx/builder.ts';
import { print } from '../../../lib/engine/onnx/print.ts';
import { float32, type DType } from '../../../lib/engine/tensor/tensor.ts';

describe('GraphBuilder', () => {
  it('names nodes after their path and keeps every name unique', () => {
    const g = GraphBuilder.create('scopes');
    const x = g.input('x', 'float32', [1, 4]);
    const block = g.at('down_blocks', 0).at('resnets.1');
    g.output('y', block.add(block.silu(block.silu(x)), 1));
    expect(print(g.finish())).toMatchInlineSnapshot(`
      "graph scopes(x: f32[1,4])
        down_blocks.0.resnets.1/QuickGelu = QuickGelu(x) alpha=1 : f32[1,4]
        down_blocks.0.resnets.1/QuickGelu_1 = QuickGelu(down_blocks.0.resnets.1/QuickGelu) alpha=1 : f32[1,4]
        down_blocks.0.resnets.1/Add = Add(down_blocks.0.resnets.1/QuickGelu_1, scalar 1) : f32[1,4]
        return y=down_blocks.0.resnets.1/Add"
    `);
  });

  it('reads a weight once and casts it once where its type is not the one computed in', () => {
    const g = GraphBuilder.create('weights', { weights: weights({ 'proj.weight': ['float16', [4, 2]] }) });
    const x = g.input('x', 'float32', [3, 4]);
    const proj = g.at('proj');
    expect(proj.weight('weight')).toBe(proj.weight('weight'));
    g.output('y', g.matMul(x, proj.weight('weight')));
    const graph = g.finish();
    expect(graph.initializers.map(({ value }) => value)).toEqual([
      { name: 'proj.weight', dtype: 'float16', shape: [4, 2] },
    ]);
    expect(print(graph)).toMatchInlineSnapshot(`
      "graph weights(x: f32[3,4])
        proj.weight/Cast = Cast(proj.weight) to=float32 : f32[4,2]
        MatMul = MatMul(x, proj.weight/Cast) : f32[3,2]
        return y=MatMul"
    `);
  });

  it('lets a network read and write tensors of the same name', () => {
    const g = GraphBuilder.create('same name');
    g.output('sample', g.silu(g.input('sample', 'float32', [1])));
    const { inputs, outputs } = g.finish();
    expect(inputs[0]?.name).toBe('sample');
    expect(outputs[0]).toMatchObject({ name: 'sample', value: { name: 'QuickGelu' } });
  });

  it('refuses a second input or output of a name, and a graph without outputs', () => {
    const g = GraphBuilder.create('twice');
    const x = g.input('x', 'float32', [1]);
    expect(() => g.input('x', 'float32', [1])).toThrow('graph twice: the name x is taken');
    expect(() => g.finish()).toThrow('graph twice: it has no outputs');
    g.output('y', x);
    expect(() => g.output('y', x)).toThrow('graph twice: there are two outputs y');
  });

  it('blames the checkpoint where its weights do not fit what its config asks for', () => {
    const g = GraphBuilder.create('unet', {
      weights: weights({ 'conv_in.weight': ['float32', [8, 4, 3, 3]] }),
    });
    const build = () => g.conv2d(g.input('x', 'float32', [1, 9, 8, 8]), g.weight('conv_in.weight'));
    expect(build).toThrow(
      expect.objectContaining({
        code: 'checkpoint_invalid',
        message:
          'test: config and weights do not fit: graph unet: Conv: weight expects 4 input channels, got 9 (x=[1,9,8,8], w=[8,4,3,3])',
      }),
    );
  });

  it('says which weight is asked for where none were given', () => {
    expect(() => GraphBuilder.create('bare').at('conv_in').weight('weight')).toThrow(
      'graph bare: no weights were given, conv_in.weight was asked for',
    );
  });
});

describe('shape checks say all the numbers', () => {
  const g = GraphBuilder.create('g');
  const value = (shape: readonly number[], dtype: DType = 'float32') => {
    const name = `${dtype} ${shape.join('x')} ${next++}`;
    return g.input(name, dtype, shape);
  };
  let next = 0;
  const image = value([1, 4, 64, 64]);

  it.each<[string, () => unknown, string]>([
    [
      'conv2d: channels',
      () => g.at('conv_in').conv2d(image, value([320, 320, 3, 3])),
      'conv_in/Conv: weight expects 320 input channels, got 4 (x=[1,4,64,64], w=[320,320,3,3])',
    ],
    [
      'conv2d: bias',
      () => g.conv2d(image, value([8, 4, 3, 3]), value([4])),
      'bias must be [8], got [4] (x=[1,4,64,64], w=[8,4,3,3])',
    ],
    [
      'conv2d: kernel',
      () => g.conv2d(value([1, 4, 2, 2]), value([8, 4, 5, 5])),
      'kernel reaches 5, input has 2 with padding (x=[1,4,2,2], w=[8,4,5,5])',
    ],
    [
      'conv2d: rank',
      () => g.conv2d(value([4, 64]), value([8, 4, 1, 1])),
      'must have rank 4 (x=[4,64], w=[8,4,1,1])',
    ],
    [
      'matMul',
      () => g.matMul(value([2, 77, 768]), value([1024, 320])),
      'a has 768 columns, b has 1024 rows (a=[2,77,768], b=[1024,320])',
    ],
    ['add: shapes', () => g.add(value([2, 3]), value([2, 4])), 'shapes do not broadcast (a=[2,3], b=[2,4])'],
    ['add: types', () => g.add(value([2]), value([2], 'int64')), 'inputs differ in type (f32[2], i64[2])'],
    [
      'groupNorm: groups',
      () => g.groupNorm(value([1, 30, 8, 8]), value([30]), value([30]), 32, 1e-5),
      '30 channels do not divide into 32 groups (x=[1,30,8,8])',
    ],
    [
      'groupNorm: scale',
      () => g.groupNorm(value([1, 32, 8, 8]), value([16]), value([16]), 8, 1e-5),
      'scale and bias must be [32], got [16]',
    ],
    [
      'layerNorm',
      () => g.layerNorm(value([2, 7, 32]), value([16]), null, 1e-5),
      'scale and bias must fit [32], got [16]',
    ],
    [
      'attention: heads',
      () => g.attention(value([2, 7, 30]), value([2, 7, 30]), value([2, 7, 30]), { heads: 4 }),
      'width 30 does not divide into 4 heads (query=[2,7,30], key=[2,7,30], value=[2,7,30], heads=4)',
    ],
    [
      'attention: rows',
      () => g.attention(value([4, 7, 32]), value([2, 9, 32]), value([2, 9, 32]), { heads: 4 }),
      'query, key and value differ in rows (query=[4,7,32], key=[2,9,32], value=[2,9,32], heads=4)',
    ],
    [
      'concat',
      () => g.concat([value([1, 4, 8, 8]), value([1, 4, 8, 7])], 1),
      'inputs may differ only along axis 1 ([1,4,8,8], [1,4,8,7])',
    ],
    ['slice', () => g.slice(value([1, 4]), 1, 2, 5), '2..5 is not inside axis 1 of [1,4]'],
    ['split', () => g.split(value([1, 4]), 1, [2, 3]), 'parts [2,3] add up to 5, axis 1 of [1,4] does not'],
    ['reshape', () => g.reshape(value([2, 3]), [0, 4]), '[2,3] (6 elements) cannot become [0,4]'],
    [
      'transpose',
      () => g.transpose(value([2, 3]), [0, 0]),
      '[0,0] is not a permutation of the axes of [2,3]',
    ],
    ['expand', () => g.expand(value([2, 3]), [4, 3]), '[2,3] cannot be expanded to [4,3]'],
    ['gather', () => g.gather(value([5, 3]), value([2])), 'indices must be integers, got f32[2]'],
    [
      'softmax axis',
      () => g.emit('ArgMax', [value([2, 3])], { axis: 2, keepdims: 0 }),
      'axis 2 does not exist in rank 2',
    ],
    ['attributes', () => g.emit('Relu', [image], { alpha: 1 }), 'Relu has no attribute alpha'],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(
      expect.objectContaining({ code: 'graph_invalid', message: expect.stringContaining(message) as string }),
    );
  });
});

/** A source of tensors that lie nowhere: enough to build, not to run. */
function weights(shapes: Record<string, [DType, number[]]>): WeightSource {
  return {
    description: 'test',
    has: (name) => name in shapes,
    names: () => Object.keys(shapes),
    get: (name) => {
      const [dtype, shape] = shapes[name] ?? ['float32', []];
      return { name, dtype, shape, file: '/nowhere', offset: 0, length: 0 };
    },
  };
}

it('keeps constants by name', () => {
  const g = GraphBuilder.create('constants');
  const one = g.constant('one', float32([1]));
  expect(g.at('deeper').constant('one', float32([1]))).toBe(one);
});
