import type { Plan, Receipt, SchedulerName } from '../../contracts/generation.ts';
import type { NoiseKind } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What every task is given besides its own input. */
export interface TaskHooks {
  /** Checked between engine calls; a call in flight is finished first. Ends in an EncoreError `cancelled`. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** A cheap picture of the latents at a key step, at latent-preview size. */
  onPreview?: (step: number, picture: Picture) => void;
}

export interface Progress {
  stage: 'load' | 'text' | 'denoise' | 'vae';
  /** 0 to 1 of the whole task, counted in multiply-accumulates. */
  fraction: number;
  /** Steps finished. */
  step: number;
  steps: number;
  /** Measured from this run; null before anything was measured. */
  etaSeconds: number | null;
}

/** Interleaved 8-bit RGB, row-major, top left first. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

export interface TextToImageInput {
  /** Diffusers folder. */
  model: string;
  /** May weigh words and have any length: lib/engine/tokenizers/prompt-weights.ts. */
  prompt: string;
  negativePrompt: string;
  /** Layers of the text encoder left out at its end; default 0. A1111's "Clip skip" is one more. */
  clipSkip?: number;
  width: number;
  height: number;
  steps: number;
  guidanceScale: number;
  /** Picture i of a batch is drawn from seed + i (modulo 2^32), so that each can be made again alone. */
  seed: number;
  count: number;
  /** Class only; every other setting comes from the checkpoint's scheduler_config.json. Default: the checkpoint's. */
  scheduler?: SchedulerName;
  plan: Plan;
  /** Prior noise injection alpha; 0 is off. */
  injection: number;
  /** Steps decoded per call; `auto` fits the device's memory. */
  decodeWidth: number | 'auto';
  /** Initial latents [B, C, h, w], already scaled by init_noise_sigma; they fix the size and the count. */
  latents?: Tensor<'float32'>;
  promptEmbeds?: Tensor<'float32'>;
  negativePromptEmbeds?: Tensor<'float32'>;
  /** Noise [steps, B, C, h, w] for stochastic schedulers. */
  noise?: Tensor<'float32'>;
  /** Which of torch's generators is followed; default `philox`. */
  noiseKind?: NoiseKind;
  /** DDIM's eta: 0 (default) is deterministic, 1 has DDPM's variance. */
  eta?: number;
}

export interface TaskResult {
  pictures: Picture[];
  /** Latents before the VAE [B, C, h, w]. */
  latents: Tensor<'float32'>;
  receipt: Receipt;
}
