import type { WeightRef } from '../weight-source.ts';

/** A matrix or kernel that an adapter stores whole, or as a product of smaller ones. */
export type Factor =
  | { readonly whole: WeightRef }
  /**
   * a [m, r] times b [r, n, ...]. With a core [p, q, kh, kw] (Tucker; kohya's `lora_mid`): sum over p and q of
   * a [m, p] core b [q, n]; `transposed` says that a is stored [p, m], as LyCORIS does then.
   */
  | {
      readonly a: WeightRef;
      readonly b: WeightRef;
      readonly core: WeightRef | null;
      readonly transposed: boolean;
    };

/**
 * What one adapter changes in one weight W. The change is D = scale * (the one factor, the elementwise product of two, or
 * their Kronecker product), in the shape of W; with a magnitude m it is DoRA's m (W + D) / |W + D| - W.
 *
 * Hu et al. 2021 (LoRA); Hyeon-Woo et al. 2022 and LyCORIS (LoHa, LoKr); Liu et al. 2024 (DoRA).
 */
export interface WeightDelta {
  /** Hash of the file that the factors lie in: adapters of different files name their tensors alike. */
  readonly source: string;
  readonly combine: 'plain' | 'hadamard' | 'kronecker';
  readonly factors: readonly Factor[];
  /** alpha / rank. */
  readonly scale: number;
  /** One number per output (axis 0) or input (axis 1) channel; norms run over everything else. */
  readonly magnitude: { readonly ref: WeightRef; readonly axis: 0 | 1 } | null;
}

/** A delta and how strongly it is wanted. */
export interface WeightedDelta {
  readonly delta: WeightDelta;
  readonly weight: number;
}

/** Deltas by the name of the weight they change. */
export type WeightDeltas = ReadonlyMap<string, readonly WeightedDelta[]>;
