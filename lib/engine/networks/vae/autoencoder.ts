import { EncoreError } from '../../../contracts/errors.ts';
import type { WeightSource } from '../../checkpoint/weight-source.ts';
import { countMacs } from '../../onnx/macs.ts';
import type { Graph } from '../../onnx/graph.ts';
import { float32 } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Sessions } from '../sessions.ts';
import type { OpenGraph } from '../sessions.ts';
import type { AutoencoderConfig } from './config.ts';
import { buildKlDecoder, buildKlEncoder } from './kl.ts';
import type { AutoencoderSize } from './size.ts';
import { inTiles } from './tiles.ts';
import type { Tiling } from './tiles.ts';
import { buildTinyDecoder, buildTinyEncoder } from './tiny.ts';

/** Mean and, where the autoencoder is variational, logarithm of the variance; both [B, C, h, w], not yet scaled. */
export interface LatentDistribution {
  mean: Tensor<'float32'>;
  logVariance: Tensor<'float32'> | null;
}

/**
 * In latents: above 768 x 768 pixels a decoder's activations no longer fit a small machine (0.5 GB each at 1024 x 1024),
 * so that larger pictures are decoded in tiles of 512 pixels.
 */
const tiling: Tiling = { maxArea: 96 * 96, tile: 64, overlap: 16 };

/** AutoencoderKL or AutoencoderTiny, one picture at a time, so that memory does not grow with the batch. */
export class Autoencoder {
  readonly config: AutoencoderConfig;
  private readonly weights: WeightSource;
  private readonly sessions: Sessions;

  constructor(config: AutoencoderConfig, weights: WeightSource, open: OpenGraph) {
    this.config = config;
    this.weights = weights;
    this.sessions = new Sessions(open);
  }

  /** Multiply-accumulates of decoding one picture of latents [C, height, width]. */
  decodeCost(height: number, width: number): number {
    return this.cost(height, width, (side) => buildDecoder(this.config, this.size(side, side)));
  }

  /** Multiply-accumulates of encoding one picture to latents [C, height, width]. */
  encodeCost(height: number, width: number): number {
    const { scale } = this.config;
    return this.cost(height, width, (side) =>
      buildEncoder(this.config, this.size(side * scale, side * scale)),
    );
  }

  /** Latents [B, C, h, w], already divided by `scalingFactor`, to pixels [B, 3, H, W] in about -1 .. 1. */
  async decode(latents: Tensor<'float32'>): Promise<Tensor<'float32'>> {
    return this.each(latents, this.config.latentChannels, (one) =>
      inTiles(one, tiling, this.config.scale, (tile) => this.run('decoder', buildDecoder, tile)),
    );
  }

  /** Pixels [B, 3, H, W] in -1 .. 1 to latents before `scalingFactor`. H and W must be multiples of `scale`. */
  async encode(pixels: Tensor<'float32'>): Promise<LatentDistribution> {
    const { inChannels, latentChannels, scale, kind } = this.config;
    const [, , height = 0, width = 0] = pixels.shape;
    if (height % scale !== 0 || width % scale !== 0) {
      throw new EncoreError(
        'invalid_tensor',
        `the autoencoder reads multiples of ${scale} pixels, got ${width}x${height}`,
      );
    }
    const scaled = {
      maxArea: tiling.maxArea * scale ** 2,
      tile: tiling.tile * scale,
      overlap: tiling.overlap * scale,
    };
    const out = await this.each(pixels, inChannels, (one) =>
      inTiles(one, scaled, 1 / scale, (tile) => this.run('encoder', buildEncoder, tile)),
    );
    if (kind === 'tiny') return { mean: out, logVariance: null };
    const [mean, logVariance] = splitChannels(out, latentChannels);
    return { mean, logVariance };
  }

  async dispose(): Promise<void> {
    await this.sessions.dispose();
  }

  /** From a square of as much area, or of the largest that is not tiled. */
  private cost(height: number, width: number, graphOf: (side: number) => Graph): number {
    const side = Math.max(1, Math.round(Math.sqrt(Math.min(height * width, tiling.maxArea))));
    return (countMacs(graphOf(side)) * height * width) / (side * side);
  }

  private size(height: number, width: number): AutoencoderSize {
    return { batch: 1, height, width, weights: this.weights };
  }

  private async run(
    name: string,
    build: (config: AutoencoderConfig, size: AutoencoderSize) => Graph,
    x: Tensor<'float32'>,
  ): Promise<Tensor<'float32'>> {
    const [, , height = 0, width = 0] = x.shape;
    const graph = () => build(this.config, this.size(height, width));
    const outputs = await this.sessions.with(`${name} ${height}x${width}`, graph, (session) =>
      session.run({ sample: x }),
    );
    const [out] = Object.values(outputs);
    if (out?.dtype !== 'float32')
      throw new EncoreError('engine_failed', `the ${name} gave no float32 tensor`);
    return out as Tensor<'float32'>;
  }

  private async each(
    x: Tensor<'float32'>,
    channels: number,
    run: (one: Tensor<'float32'>) => Promise<Tensor<'float32'>>,
  ): Promise<Tensor<'float32'>> {
    const [batch = 0, given, height = 0, width = 0] = x.shape;
    if (x.shape.length !== 4 || batch === 0 || given !== channels) {
      throw new EncoreError(
        'invalid_tensor',
        `the autoencoder reads [B, ${channels}, h, w], got [${x.shape.join(', ')}]`,
      );
    }
    const size = channels * height * width;
    const parts: Tensor<'float32'>[] = [];
    for (let b = 0; b < batch; b++) {
      parts.push(await run(float32([1, channels, height, width], x.data.subarray(b * size, (b + 1) * size))));
    }
    const [first] = parts as [Tensor<'float32'>];
    if (batch === 1) return first;
    const out = float32([batch, ...first.shape.slice(1)]);
    parts.forEach((part, b) => out.data.set(part.data, b * first.data.length));
    return out;
  }
}

/** Graph of the decoder; input and output `sample`. */
export function buildDecoder(config: AutoencoderConfig, size: AutoencoderSize): Graph {
  return config.kind === 'kl' ? buildKlDecoder(config, size) : buildTinyDecoder(config, size);
}

/** Graph of the encoder; input `sample`, output `moments` (AutoencoderKL) or `latents` (AutoencoderTiny). */
export function buildEncoder(config: AutoencoderConfig, size: AutoencoderSize): Graph {
  return config.kind === 'kl' ? buildKlEncoder(config, size) : buildTinyEncoder(config, size);
}

/** [B, 2C, h, w] to two of [B, C, h, w]. */
function splitChannels(x: Tensor<'float32'>, channels: number): [Tensor<'float32'>, Tensor<'float32'>] {
  const [batch = 0, , height = 0, width = 0] = x.shape;
  const size = channels * height * width;
  const halves = [
    float32([batch, channels, height, width]),
    float32([batch, channels, height, width]),
  ] as const;
  for (let b = 0; b < batch; b++) {
    halves.forEach((half, i) =>
      half.data.set(x.data.subarray((2 * b + i) * size, (2 * b + i + 1) * size), b * size),
    );
  }
  return [halves[0], halves[1]];
}
