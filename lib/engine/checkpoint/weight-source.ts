import type { DType, Shape } from '../tensor/tensor.ts';

/** Where one tensor of a checkpoint lies on disk. Graphs point at these; the bytes are never read into the process. */
export interface WeightRef {
  /** Name inside the checkpoint, as diffusers spells it. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Absolute, symlink-free path of the .safetensors file. */
  readonly file: string;
  /** Byte offset of the first element from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** The weights of one network (one component folder, or one prefix of a single-file checkpoint). */
export interface WeightSource {
  /** For error messages: the folder or file, and the prefix where there is one. */
  readonly description: string;
  /** Throws `checkpoint_invalid` naming the file and the tensor where it is missing. */
  get(name: string): WeightRef;
  has(name: string): boolean;
  names(): readonly string[];
}
