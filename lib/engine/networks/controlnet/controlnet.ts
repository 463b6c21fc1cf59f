import { EncoreError } from '../../../contracts/errors.ts';
import type { WeightSource } from '../../checkpoint/weight-source.ts';
import type { Conditioning, ControlResiduals } from '../../propagation/denoiser.ts';
import { float32 } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { runOn, Sessions } from '../sessions.ts';
import type { OpenGraph } from '../sessions.ts';
import { buildControlNetStages } from './build.ts';
import type { ControlNetConfig } from './config.ts';

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

  constructor(config: ControlNetConfig, weights: WeightSource, open: OpenGraph) {
    this.config = config;
    this.weights = weights;
    this.sessions = new Sessions(open);
  }

  /** Once per prompt and picture [B, 3, H, W] in 0 .. 1; H and W are `config.scale` times the latent size. */
  async prepare(conditioning: Conditioning, picture: Tensor<'float32'>): Promise<PreparedControl> {
    const { conditioningChannels, scale } = this.config;
    const [rows = 0, tokens = 0] = conditioning.encoderHiddenStates.shape;
    const [batch = 0, channels, pixelHeight = 0, pixelWidth = 0] = picture.shape;
    const fits = channels === conditioningChannels && pixelHeight % scale === 0 && pixelWidth % scale === 0;
    if (picture.shape.length !== 4 || !fits || batch === 0 || rows % batch !== 0) {
      throw new EncoreError(
        'invalid_tensor',
        `a control picture must be [B, ${conditioningChannels}, H, W] with B a divisor of ${rows} rows and H, W multiples of ${scale}, got [${picture.shape.join(', ')}]`,
      );
    }
    const size = { batch, rows, tokens, height: pixelHeight / scale, width: pixelWidth / scale };
    const given = conditioningFeeds(conditioning, picture);
    const values = await this.run('prompt', size, given);
    return { ...size, values: { ...given, ...values } };
  }

  /** Residuals of R rows for a scaled sample [B, C, h, w], multiplied by `scale`. */
  async residuals(
    sample: Tensor<'float32'>,
    timestep: number,
    prepared: PreparedControl,
    scale: number,
  ): Promise<ControlResiduals> {
    const one = (value: number) => float32([1], Float32Array.of(value));
    const feeds = { ...prepared.values, sample, timestep: one(timestep), conditioning_scale: one(scale) };
    const outputs = (await this.run('encoder', prepared, feeds)) as Record<string, Tensor<'float32'>>;
    const { mid_block_res_sample: midBlockResSample, ...down } = outputs;
    if (!midBlockResSample)
      throw new EncoreError('engine_failed', 'the ControlNet gave no mid_block_res_sample');
    return {
      downBlockResSamples: Object.keys(down).map((_, i) => down[`down_block_res_samples.${i}`]!),
      midBlockResSample,
    };
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

function conditioningFeeds(conditioning: Conditioning, picture: Tensor<'float32'>): Feeds {
  const { encoderHiddenStates, classLabels, textEmbeds, timeIds } = conditioning;
  return {
    encoder_hidden_states: encoderHiddenStates,
    controlnet_cond: picture,
    ...(classLabels ? { class_labels: classLabels } : {}),
    ...(textEmbeds ? { text_embeds: textEmbeds } : {}),
    ...(timeIds ? { time_ids: timeIds } : {}),
  };
}
