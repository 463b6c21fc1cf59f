import type { WeightSource } from '../../checkpoint/weight-source.ts';
import type { ComputeType } from '../../onnx/builder.ts';

/** What an autoencoder graph is built for. */
export interface AutoencoderSize {
  batch: number;
  /** Of the graph's input: latents for a decoder, pixels for an encoder. */
  height: number;
  width: number;
  weights: WeightSource;
  dtype?: ComputeType;
}
