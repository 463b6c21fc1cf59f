import { EncoreError } from '../../../contracts/errors.ts';
import type { WeightSource } from '../../checkpoint/weight-source.ts';
import { countMacs } from '../../onnx/macs.ts';
import type { Conditioning, ControlResiduals } from '../../propagation/denoiser.ts';
import { float32 } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { runOn, Sessions } from '../sessions.ts';
import type { OpenGraph } from '../sessions.ts';
import { featureShapes } from '../unet/halves.ts';
import { buildControlNetStages } from './build.ts';
import type { ControlNetConfig } from './config.ts';

type Float32 = Tensor<'float32'>;
type Feeds = Readonly<Record<string, Tensor>>;

/** The embedded picture, text keys and values: constant over a run. */
export interface PreparedControl {
  readonly batch: number;
  readonly rows: number;
  readonly tokens: number;
  /** Latent size. */
  readonly height: number;
  readonly width: number;
  readonly values: Feeds;
}

/** ControlNetModel. It runs at key steps only: its residuals become part of the UNet's propagated features. */
export class ControlNet {
  readonly config: ControlNetConfig;
  private readonly weights: WeightSource;
  private readonly sessions: Sessions;
  private readonly costs = new Map<string, { prompt: number; step: number }>();

  constructor(config: ControlNetConfig, weights: WeightSource, open: OpenGraph) {
    this.config = config;
    this.weights = weights;
    this.sessions = new Sessions(open);
  }

  /** Multiply-accumulates: `prompt` once per run, mostly the picture's embedding; `step` of one row at a key step. */
  cost(height: number, width: number): { prompt: number; step: number } {
    const key = `${height}x${width}`;
    const known = this.costs.get(key);
    if (known) return known;
    const size = { batch: 1, rows: 1, tokens: 77, height, width, weights: this.weights };
    const { prompt, encoder } = buildControlNetStages(this.config, size);
    const cost = { prompt: countMacs(prompt), step: countMacs(encoder) };
    this.costs.set(key, cost);
    return cost;
  }

  /**
   * Once per prompt and picture [1, 3, H, W] in 0 .. 1, for `batch` samples: H and W are `config.scale` times the latent
   * size, rows of the text a multiple of `batch`.
   */
  async prepare(conditioning: Conditioning, picture: Float32, batch: number): Promise<PreparedControl> {
    const { conditioningChannels, scale } = this.config;
    const [rows = 0, tokens = 0] = conditioning.encoderHiddenStates.shape;
    const [one, channels, pixelHeight = 0, pixelWidth = 0] = picture.shape;
    const fits = channels === conditioningChannels && pixelHeight % scale === 0 && pixelWidth % scale === 0;
    if (picture.shape.length !== 4 || one !== 1 || !fits) {
      throw new EncoreError(
        'invalid_tensor',
        `a control picture must be [1, ${conditioningChannels}, H, W] with H, W multiples of ${scale}, got [${picture.shape.join(', ')}]`,
      );
    }
    if (batch < 1 || rows % batch !== 0)
      throw new EncoreError('invalid_tensor', `${rows} rows of text for ${batch} samples of a ControlNet`);
    const size = { batch, rows, tokens, height: pixelHeight / scale, width: pixelWidth / scale };
    const given = conditioningFeeds(conditioning, picture);
    const values = await this.run('prompt', size, given);
    return { ...size, values: { ...given, ...values } };
  }

  /** Residuals of R rows for a scaled sample [B, C, h, w], multiplied by `scale`. */
  async residuals(
    sample: Float32,
    timestep: number,
    prepared: PreparedControl,
    scale: number,
  ): Promise<ControlResiduals> {
    const one = (value: number) => float32([1], Float32Array.of(value));
    const feeds = { ...prepared.values, sample, timestep: one(timestep), conditioning_scale: one(scale) };
    const outputs = (await this.run('encoder', prepared, feeds)) as Record<string, Float32>;
    const { mid_block_res_sample: midBlockResSample, ...down } = outputs;
    if (!midBlockResSample)
      throw new EncoreError('engine_failed', 'the ControlNet gave no mid_block_res_sample');
    return {
      downBlockResSamples: Object.keys(down).map((_, i) => down[`down_block_res_samples.${i}`]!),
      midBlockResSample,
    };
  }

  /** What a ControlNet that says nothing would give. */
  silence({ rows, height, width }: Pick<PreparedControl, 'rows' | 'height' | 'width'>): ControlResiduals {
    const zeros = featureShapes(this.config.unet, height, width).map((shape) => float32([rows, ...shape]));
    return { downBlockResSamples: zeros.slice(0, -1), midBlockResSample: zeros.at(-1)! };
  }

  async dispose(): Promise<void> {
    await this.sessions.dispose();
  }

  private run(
    stage: 'prompt' | 'encoder',
    { batch, rows, tokens, height, width }: Omit<PreparedControl, 'values'>,
    known: Feeds,
  ): Promise<Record<string, Tensor>> {
    const size = { batch, rows, tokens, height, width, weights: this.weights };
    const key = [stage, batch, rows, tokens, height, width].join(' ');
    const graph = () => buildControlNetStages(this.config, size)[stage];
    return this.sessions.with(key, graph, (session) => runOn(session, known));
  }
}

function conditioningFeeds(conditioning: Conditioning, picture: Float32): Feeds {
  const { encoderHiddenStates, classLabels, textEmbeds, timeIds } = conditioning;
  return {
    encoder_hidden_states: encoderHiddenStates,
    controlnet_cond: picture,
    ...(classLabels ? { class_labels: classLabels } : {}),
    ...(textEmbeds ? { text_embeds: textEmbeds } : {}),
    ...(timeIds ? { time_ids: timeIds } : {}),
  };
}
