import type { SafetensorsFile } from './safetensors.ts';
import type { WeightSource } from './weight-source.ts';

/** A model on disk, whatever its layout: what tasks open networks, tokenizers and schedulers from. */
export interface ModelSource {
  /** As given, symlinks resolved. */
  readonly path: string;
  readonly layout: 'diffusers' | 'single-file' | 'component';
  /** `_class_name` of the pipeline, or of the one component. */
  readonly className: string;
  /** The whole of model_index.json. */
  readonly index: Readonly<Record<string, unknown>>;
  /** Components that exist, by the names of model_index.json, with their classes. */
  readonly components: ReadonlyMap<string, string>;
  /** Folder of a component (a tokenizer's files, say). Throws `checkpoint_invalid` where it has none of that name. */
  folder(name: string): string;
  /** Config of a component: config.json, scheduler_config.json or tokenizer_config.json. */
  config(name: string): Promise<Readonly<Record<string, unknown>>>;
  /** Config and weights of a network. Only headers are read. */
  network(name: string): Promise<NetworkSource>;
}

export interface NetworkSource {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: WeightSource;
  readonly files: readonly SafetensorsFile[];
}
