import type { SerializedError } from '../lib/contracts/errors.ts';
import type { GenerationParams, Receipt } from '../lib/contracts/generation.ts';
import type { GenerateInput, Picture, Progress } from '../lib/engine/tasks/task.ts';

/** What a request only names, opened: pictures at the size that is drawn, ControlNets and LoRAs as paths. */
export type EngineInputs = Pick<
  GenerateInput,
  'width' | 'height' | 'image' | 'mask' | 'control' | 'loras' | 'motionAdapter'
> & {
  /** Files; the prompt calls them by their names. */
  embeddings?: string[];
};

/** One run as the engine process gets it. */
export interface EngineJob {
  /** Told back with every message, so that a late one of an old run is recognised. */
  runId: string;
  /** Diffusers folder of the model. */
  folder: string;
  params: GenerationParams;
  /** What the parameters only name, opened. */
  inputs: EngineInputs;
  decodeWidth: number | 'auto';
}

/** Supervisor to engine. */
export type EngineRequest =
  { type: 'run'; job: EngineJob } | { type: 'cancel'; runId: string } | { type: 'stop' };

export interface EngineResult {
  pictures: Picture[];
  receipt: Receipt;
}

/** What the engine keeps in memory between runs. */
export interface EngineHeld {
  model: string | null;
  /** Estimate, without weights that are mapped from files. */
  bytes: number;
}

/** Engine to supervisor. */
export type EngineMessage =
  | { type: 'ready'; device: string }
  /** It cannot run here at all, for example without the device it was told to use; it ends after this. */
  | { type: 'refused'; error: SerializedError }
  /** After each run. */
  | { type: 'held'; held: EngineHeld }
  | { type: 'progress'; runId: string; progress: Progress }
  | { type: 'preview'; runId: string; step: number; picture: Picture }
  | { type: 'done'; runId: string; result: EngineResult }
  | { type: 'failed'; runId: string; error: SerializedError };
