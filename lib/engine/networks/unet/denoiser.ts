import { EncoreError } from '../../../contracts/errors.ts';
import type { WeightSource } from '../../checkpoint/weight-source.ts';
import { countMacs } from '../../onnx/macs.ts';
import type {
  Conditioning,
  ControlResiduals,
  Denoiser,
  Features,
  Prepared,
} from '../../propagation/denoiser.ts';
import { float32 } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { runOn, Sessions } from '../sessions.ts';
import type { OpenGraph } from '../sessions.ts';
import type { UnetConfig } from './config.ts';
import { buildUnetStages } from './stages.ts';
import type { UnetStages } from './stages.ts';

type Feeds = Readonly<Record<string, Tensor>>;

/** The run's conditioning and everything that the prompt graph made of it, by input name. */
interface UnetPrepared extends Prepared {
  readonly tokens: number;
  readonly values: Feeds;
}

/** The encoder's outputs by name, and the size they are for. */
interface UnetFeatureSet extends Features {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly values: Feeds;
}

interface StageSize {
  batch: number;
  rows: number;
  tokens: number;
  height: number;
  width: number;
  steps: number;
  control: boolean;
}

/** UNet2DConditionModel behind the loop's interface: graphs are built for the shapes that come, and kept open. */
export class UnetDenoiser implements Denoiser {
  readonly inChannels: number;
  readonly outChannels: number;
  private readonly config: UnetConfig;
  private readonly weights: WeightSource;
  private readonly sessions: Sessions;
  /** Of the last size: its encoder and its decoder are asked for one after the other. */
  private last: { key: string; stages: UnetStages } | undefined;
  private readonly costs = new Map<string, { encoder: number; decoder: number }>();

  constructor(config: UnetConfig, weights: WeightSource, open: OpenGraph) {
    this.inChannels = config.inChannels;
    this.outChannels = config.outChannels;
    this.config = config;
    this.weights = weights;
    this.sessions = new Sessions(open);
  }

  cost(height: number, width: number): { encoder: number; decoder: number } {
    const key = `${height}x${width}`;
    const known = this.costs.get(key);
    if (known) return known;
    // 77 tokens stand for any prompt: their share is below 0.5 %.
    const stages = this.build({ batch: 1, rows: 1, tokens: 77, height, width, steps: 1, control: false });
    const cost = { encoder: countMacs(stages.encoder), decoder: countMacs(stages.decoder) };
    this.costs.set(key, cost);
    return cost;
  }

  async prepare(conditioning: Conditioning): Promise<Prepared> {
    const { encoderHiddenStates, classLabels, textEmbeds, timeIds, frames = 1 } = conditioning;
    if (frames !== 1)
      throw new EncoreError('unsupported_task', `this UNet has no frames, ${frames} were asked for`);
    const [rows = 0, tokens = 0] = encoderHiddenStates.shape;
    const given: Record<string, Tensor> = { encoder_hidden_states: encoderHiddenStates };
    if (classLabels) given['class_labels'] = classLabels;
    if (textEmbeds) given['text_embeds'] = textEmbeds;
    if (timeIds) given['time_ids'] = timeIds;
    // The prompt graph is the same for every latent size; this one halves at every level.
    const side = 2 ** this.config.channels.length;
    const size = { batch: rows, rows, tokens, height: side, width: side, steps: 1, control: false };
    const values = { ...given, ...(await this.run('prompt', size, given)) };
    const prepared: UnetPrepared = { rows, tokens, values };
    return prepared;
  }

  async encode(
    sample: Tensor<'float32'>,
    timestep: number,
    prepared: Prepared,
    control?: ControlResiduals,
  ): Promise<Features> {
    const { rows, tokens, values } = prepared as UnetPrepared;
    const [batch = 0, channels = 0, height = 0, width = 0] = sample.shape;
    if (sample.shape.length !== 4 || channels !== this.inChannels || batch === 0 || rows % batch !== 0) {
      throw new EncoreError(
        'invalid_tensor',
        `the UNet reads [B, ${this.inChannels}, h, w] with B a divisor of ${rows} rows, got [${sample.shape.join(', ')}]`,
      );
    }
    const size = { batch, rows, tokens, height, width, steps: 1, control: control !== undefined };
    const time = float32([1], Float32Array.of(timestep));
    const feeds = { ...values, ...residualFeeds(control), sample, timestep: time };
    const features: UnetFeatureSet = { batch, height, width, values: await this.run('encoder', size, feeds) };
    return features;
  }

  async decode(
    features: Features,
    timesteps: readonly number[],
    prepared: Prepared,
  ): Promise<Tensor<'float32'>> {
    const { batch, height, width, values } = features as UnetFeatureSet;
    const { rows, tokens, values: constant } = prepared as UnetPrepared;
    const steps = timesteps.length;
    const size = { batch, rows, tokens, height, width, steps, control: false };
    const times = float32([steps], Float32Array.from(timesteps));
    const { sample } = await this.run('decoder', size, { ...constant, ...values, timesteps: times });
    if (sample?.dtype !== 'float32')
      throw new EncoreError('engine_failed', 'the decoder gave no float32 sample');
    return sample as Tensor<'float32'>;
  }

  async dispose(): Promise<void> {
    await this.sessions.dispose();
  }

  /** Feeds a stage what it reads, out of everything that is known. */
  private run(stage: keyof UnetStages, size: StageSize, known: Feeds): Promise<Record<string, Tensor>> {
    const graph = () => this.build(size)[stage];
    return this.sessions.with(`${stage} ${keyOf(size)}`, graph, (session) => runOn(session, known));
  }

  private build(size: StageSize): UnetStages {
    const key = keyOf(size);
    if (this.last?.key === key) return this.last.stages;
    const stages = buildUnetStages(this.config, { ...size, weights: this.weights });
    this.last = { key, stages };
    return stages;
  }
}

function keyOf(size: StageSize): string {
  return Object.values(size).join(' ');
}

function residualFeeds(control: ControlResiduals | undefined): Feeds {
  if (!control) return {};
  const down = control.downBlockResSamples.map(
    (x, i) => [`down_block_additional_residuals.${i}`, x] as const,
  );
  return { ...Object.fromEntries(down), mid_block_additional_residual: control.midBlockResSample };
}
