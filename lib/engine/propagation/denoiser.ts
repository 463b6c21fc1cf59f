import type { Tensor } from '../tensor/tensor.ts';

/**
 * What the denoising loop knows of a network. A UNet is cut before its first up block, a DiT after block k: the loop
 * cannot tell. Rows: with classifier-free guidance R = 2B in the order [unconditional B, conditional B], otherwise R = B.
 */
export interface Denoiser {
  /** Channels of the latents it reads and of the prediction it writes. */
  readonly inChannels: number;
  readonly outChannels: number;
  /** What one row of a latent size takes. */
  cost(height: number, width: number): Cost;
  /** Everything that is constant over a run: text keys and values, label embeddings. Called once per prompt. */
  prepare(conditioning: Conditioning): Promise<Prepared>;
  /**
   * Runs the encoder. `sample` [B, C, h, w] is already scaled for the scheduler and is repeated to R rows inside, so
   * that what both guidance halves share is computed once.
   */
  encode(
    sample: Tensor<'float32'>,
    timestep: number,
    prepared: Prepared,
    control?: ControlResiduals,
  ): Promise<Features>;
  /**
   * Decodes several timesteps from one set of features, each with the complete time embedding of its own step.
   * Returns [S, R, C, h, w] for S timesteps; row order s * R + half * B + b.
   */
  decode(features: Features, timesteps: readonly number[], prepared: Prepared): Promise<Tensor<'float32'>>;
  dispose(): Promise<void>;
}

export interface Cost {
  /** Multiply-accumulates: what progress, ETA and the receipt's savings are counted in. */
  readonly encoder: number;
  readonly decoder: number;
  readonly bytes: {
    /** Values alive at once in a call of one row and one step. */
    readonly call: number;
    /** Features, kept from a key step to the next. */
    readonly features: number;
    /** The same where nothing that depends on them is computed ahead. */
    readonly plainFeatures: number;
  };
}

export interface Conditioning {
  /** Text states [R, L, D]. */
  readonly encoderHiddenStates: Tensor<'float32'>;
  /** Class labels, noise levels or other ids, [R]. */
  readonly classLabels?: Tensor<'int64'> | Tensor<'float32'>;
  /** Added embeddings of SDXL-like networks: [R, D] and [R, 6]. */
  readonly textEmbeds?: Tensor<'float32'>;
  readonly timeIds?: Tensor<'float32'>;
  /** Videos instead of pictures: samples and predictions then have B F and R F rows, the frames of one after each other. */
  readonly frames?: Frames | undefined;
}

/** How a video's frames are drawn; its first frame is drawn alone, and the others look at it. */
export interface Frames {
  readonly count: number;
  /** Most frames of one call, beside the first. */
  readonly perCall: number;
  /** Keeps features as they are made: less memory for every frame, more work for every step. */
  readonly plain?: boolean;
  /** Between the calls of one step, with the part of the frames that are done: may throw, or wait. */
  readonly between?: ((part: number) => void | Promise<void>) | undefined;
}

/** ControlNet residuals at one key step: one tensor per skip [R, C, h, w], and one for the mid block. */
export interface ControlResiduals {
  readonly downBlockResSamples: readonly Tensor<'float32'>[];
  readonly midBlockResSample: Tensor<'float32'>;
}

declare const preparedBrand: unique symbol;
declare const featuresBrand: unique symbol;
/** Opaque to the loop; each denoiser knows what is inside. */
export interface Prepared {
  readonly [preparedBrand]?: never;
  /** Rows R this was prepared for. */
  readonly rows: number;
}
/** Opaque to the loop: what the decoder needs from a key step. */
export interface Features {
  readonly [featuresBrand]?: never;
}
