import type { AdapterPart } from '../../../contracts/adapter-keys.ts';
import { sizeOf, type Shape } from '../../tensor/tensor.ts';
import type { WeightRef } from '../weight-source.ts';
import type { Factor, WeightDelta } from './delta.ts';
import type { LoraLayer } from './open.ts';

/** Wider than any layer of these models: a larger rank is a mistake or an attack. */
const maxRank = 4096;

export interface LayerDelta {
  readonly suffix: 'weight' | 'bias';
  readonly delta: Omit<WeightDelta, 'source'>;
}

type Fail = (problem: string) => never;

/**
 * The changes that one layer's tensors describe, checked against the shapes of the layer. `fail` is told what does not
 * fit; it throws.
 */
export function deltasOf(
  layer: LoraLayer,
  { weight, bias }: { weight: Shape | undefined; bias: Shape | undefined },
  fail: Fail,
): LayerDelta[] {
  const take = new Taker(layer, fail);
  const deltas: LayerDelta[] = [];
  const diff = take.optional('diff');
  const diffBias = take.optional('diff_b');
  const missing = (what: string): never => fail(`"${layer.module}" has no ${what} there`);
  if (diffBias !== undefined) {
    const shape = bias ?? missing('bias');
    const factor = whole(diffBias, shape, fail);
    deltas.push({
      suffix: 'bias',
      delta: { combine: 'plain', factors: [factor], scale: 1, magnitude: null },
    });
  }
  const shape = weight ?? missing('weight');
  const change =
    diff === undefined
      ? (lowRank(take, shape, fail) ?? hadamard(take, shape, fail) ?? kronecker(take, shape, fail))
      : { combine: 'plain' as const, factors: [whole(diff, shape, fail)], rank: null };
  if (change !== undefined) {
    const { rank, ...rest } = change;
    const scale = scaleOf(layer, rank);
    deltas.push({ suffix: 'weight', delta: { ...rest, scale, magnitude: magnitude(take, shape, fail) } });
  }
  take.expectNothingLeft();
  if (deltas.length === 0) fail(`"${layer.module}" has nothing that changes it`);
  return deltas;
}

function scaleOf({ alpha, stabilised }: LoraLayer, rank: number | null): number {
  if (rank === null || alpha === null) return 1;
  return alpha / (stabilised ? Math.sqrt(rank) : rank);
}

type Change = Pick<WeightDelta, 'combine' | 'factors'> & { rank: number | null };

/** up [out, r] down [r, in, kh, kw]; with lora_mid [r, r, kh, kw] both are 1x1. */
function lowRank(take: Taker, shape: Shape, fail: Fail): Change | undefined {
  const pair = take.pair('up', 'down');
  if (pair === undefined) return undefined;
  const core = take.optional('mid') ?? null;
  const [a, b] = pair;
  const factor = { a: squeezed(a), b: core === null ? b : squeezed(b), core, transposed: false };
  return { combine: 'plain', factors: [factor], rank: checked(factor, shape, fail) };
}

/** (w1_a w1_b) * (w2_a w2_b); with t1 and t2 each half is a Tucker product. */
function hadamard(take: Taker, shape: Shape, fail: Fail): Change | undefined {
  const [first, second] = [take.pair('hada_w1_a', 'hada_w1_b'), take.pair('hada_w2_a', 'hada_w2_b')];
  const cores = [take.optional('hada_t1') ?? null, take.optional('hada_t2') ?? null] as const;
  if (first === undefined && second === undefined) return undefined;
  if (first === undefined || second === undefined) return fail('half of a LoHa layer is missing');
  const factors = [first, second].map(([a, b], i) => ({
    a,
    b,
    core: cores[i]!,
    transposed: cores[i] !== null,
  }));
  const [rank] = factors.map((factor) => checked(factor, shape, fail));
  return { combine: 'hadamard', factors, rank: rank! };
}

/** w1 [a, b] and w2 [out / a, in / b, kh, kw], each whole or a product; w2 possibly by Tucker. */
function kronecker(take: Taker, shape: Shape, fail: Fail): Change | undefined {
  const small = factorOf(take.optional('lokr_w1'), take.pair('lokr_w1_a', 'lokr_w1_b'), null);
  const core = take.optional('lokr_t2') ?? null;
  const large = factorOf(take.optional('lokr_w2'), take.pair('lokr_w2_a', 'lokr_w2_b'), core);
  if (small === undefined && large === undefined) return undefined;
  if (small === undefined || large === undefined) return fail('half of a LoKr layer is missing');
  const [out = 0, channels = 0, ...kernel] = shape;
  const [rows, columns] = matrixOf(small);
  if (out % rows !== 0 || channels % columns !== 0) {
    return fail(`"${nameOf(small)}" [${rows}, ${columns}] does not divide [${shape.join(', ')}]`);
  }
  const rest = [out / rows, channels / columns, ...kernel];
  const [smallRank, largeRank] = [rankOf(small, fail), checked(large, rest, fail)];
  // Two whole matrices carry no scale, whatever their alpha.
  return { combine: 'kronecker', factors: [small, large], rank: smallRank ?? largeRank };
}

function factorOf(
  complete: WeightRef | undefined,
  pair: readonly [WeightRef, WeightRef] | undefined,
  core: WeightRef | null,
): Factor | undefined {
  if (complete !== undefined) return { whole: complete };
  if (pair === undefined) return undefined;
  return { a: pair[0], b: pair[1], core, transposed: core !== null };
}

function matrixOf(factor: Factor): readonly [number, number] {
  const [rows, columns] =
    'whole' in factor
      ? [factor.whole.shape[0], factor.whole.shape[1]]
      : [factor.a.shape[0], factor.b.shape[1]];
  return [rows ?? 0, columns ?? 0];
}

/** Checks that a factor makes `shape` (flattened kernels count as they are) and returns its rank. */
function checked(factor: Factor, shape: Shape, fail: Fail): number | null {
  if ('whole' in factor) {
    whole(factor.whole, shape, fail);
    return null;
  }
  const rank = rankOf(factor, fail);
  const { a, b, core, transposed } = factor;
  const [out = 0, channels = 0, ...kernel] = shape;
  const outer = transposed ? a.shape[1] : a.shape[0];
  const made =
    core === null ? [outer, sizeOf(b.shape.slice(1))] : [outer, b.shape[1], ...core.shape.slice(2)];
  const wanted = core === null ? [out, channels * sizeOf(kernel)] : [out, channels, ...kernel];
  const flat = a.shape.length === 2 && (core === null || b.shape.length === 2);
  const innerFits = core === null || (core.shape[0] === rank && core.shape[1] === b.shape[0]);
  if (!flat || !innerFits || made.join() !== wanted.join()) {
    fail(
      `"${a.name}" [${a.shape.join(', ')}] and "${b.name}" [${b.shape.join(', ')}] do not make the weight [${shape.join(', ')}] of that layer`,
    );
  }
  return rank;
}

function rankOf(factor: Factor, fail: Fail): number | null {
  if ('whole' in factor) return null;
  const { a, b, core, transposed } = factor;
  const [inner, rank] = [transposed ? a.shape[0] : a.shape[1], b.shape[0] ?? 0];
  if (rank < 1 || rank > maxRank) fail(`"${b.name}" has rank ${rank}; 1 to ${maxRank} are read`);
  if (core === null && inner !== rank) {
    fail(`the ranks of "${a.name}" [${a.shape.join(', ')}] and "${b.name}" [${b.shape.join(', ')}] differ`);
  }
  return rank;
}

function whole(ref: WeightRef, shape: Shape, fail: Fail): Factor {
  // Linear layers are stored as 1x1 convolutions as well.
  const [given, wanted] = [squeezed(ref).shape, squeezed({ ...ref, shape }).shape];
  if (given.join() !== wanted.join()) {
    fail(`"${ref.name}" is [${ref.shape.join(', ')}], the layer's weight [${shape.join(', ')}]`);
  }
  return { whole: ref };
}

/** LyCORIS keeps [out, 1, ...] or [1, in, ...], kohya's early files without the ones; peft one per output, [1, out, 1, 1] for convolutions. */
function magnitude(take: Taker, shape: Shape, fail: Fail): WeightDelta['magnitude'] {
  const [out = 0, channels = 0] = shape;
  const peft = take.optional('magnitude');
  const lycoris = take.optional('dora_scale');
  const ref = peft ?? lycoris;
  if (ref === undefined) return null;
  const count = sizeOf(ref.shape);
  if (count === out && (peft !== undefined || ref.shape[0] === out)) return { ref, axis: 0 };
  if (count === channels && peft === undefined && shape.length > 1) return { ref, axis: 1 };
  return fail(
    `"${ref.name}" [${ref.shape.join(', ')}] has no magnitude for each channel of [${shape.join(', ')}]`,
  );
}

/** Trailing ones left out: [out, r, 1, 1] is [out, r]. */
function squeezed(ref: WeightRef): WeightRef {
  const { shape } = ref;
  return shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? { ...ref, shape: shape.slice(0, 2) } : ref;
}

function nameOf(factor: Factor): string {
  return 'whole' in factor ? factor.whole.name : factor.a.name;
}

/** Hands out the parts of a layer; what nobody took at the end does not belong together. */
class Taker {
  private readonly layer: LoraLayer;
  private readonly fail: Fail;
  private readonly left: Map<AdapterPart, WeightRef>;

  constructor(layer: LoraLayer, fail: Fail) {
    this.layer = layer;
    this.fail = fail;
    this.left = new Map(layer.parts);
    // Read already.
    this.left.delete('alpha');
  }

  optional(part: AdapterPart): WeightRef | undefined {
    const ref = this.left.get(part);
    this.left.delete(part);
    if (ref !== undefined && !/^(b?float\d+)$/.test(ref.dtype)) {
      this.fail(`"${ref.name}" is of type ${ref.dtype}`);
    }
    return ref;
  }

  pair(first: AdapterPart, second: AdapterPart): readonly [WeightRef, WeightRef] | undefined {
    const [a, b] = [this.optional(first), this.optional(second)];
    if (a === undefined && b === undefined) return undefined;
    if (a !== undefined && b !== undefined) return [a, b];
    return this.fail(`"${(a ?? b)!.name}" has no counterpart`);
  }

  expectNothingLeft(): void {
    const [extra] = this.left.values();
    if (extra !== undefined) this.fail(`"${extra.name}" does not go with the rest of "${this.layer.module}"`);
  }
}
