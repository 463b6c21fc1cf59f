import type { Plan, Receipt, SchedulerName } from '../../contracts/generation.ts';
import type { ControlMode, maskedContents, TaskName, Upscale, Video } from '../../contracts/task-inputs.ts';
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

/** 8-bit, row-major, top left first. */
export interface GrayPicture {
  width: number;
  height: number;
  data: Uint8Array;
}

/**
 * What a request asks for (lib/contracts/task-inputs.ts says which task has which field), with pictures decoded and
 * brought to size, and models and adapters as folders and files.
 */
export interface GenerateInput {
  task: TaskName;
  /** Diffusers folder, or a single-file checkpoint. */
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
  /** Of width x height pixels; of any size where only a part of it is drawn (`paddingMaskCrop`). */
  image?: Picture;
  /** Part of the run that is drawn anew, 0 to 1; `defaultStrength` (lib/contracts/task-inputs.ts) where it is missing. */
  strength?: number;
  /** Of the picture's size; 255 is drawn anew. */
  mask?: GrayPicture;
  /** Feather of the mask's edge, in pixels. */
  maskBlur?: number;
  maskedContent?: (typeof maskedContents)[number];
  /** Only what is masked is drawn, at width x height, with so many of the picture's pixels around it. */
  paddingMaskCrop?: number;
  control?: ControlInput[];
  /** Merged into the weights of the UNet and the text encoder; one of weight 0 changes nothing. */
  loras?: LoraInput[];
  /** Files of textual inversions; those whose names the prompts do not hold are not used. */
  embeddings?: string[];
  video?: Video;
  /** Folder of a motion adapter in diffusers' layout: videos by AnimateDiff instead of Text2Video-Zero. */
  motionAdapter?: string;
  upscale?: Upscale;
}

/** A ControlNet and what guides it; see `controlSchema`. */
export interface ControlInput {
  /** Diffusers folder or single file. */
  model: string;
  /** Of the picture's size, as the network was trained on: already preprocessed. */
  image: Picture;
  scale: number;
  start: number;
  end: number;
  /** Default `balanced`. */
  mode?: ControlMode;
}

export interface LoraInput {
  file: string;
  /** 1 is as it was trained; negative weights turn it round. */
  weight: number;
}

export interface TaskResult {
  pictures: Picture[];
  /** Latents before the VAE [B, C, h, w], one row for each picture. */
  latents: Tensor<'float32'>;
  receipt: Receipt;
}
