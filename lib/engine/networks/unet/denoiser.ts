import { EncoreError } from '../../../contracts/errors.ts';
import type { WeightSource } from '../../checkpoint/weight-source.ts';
import { countMacs } from '../../onnx/macs.ts';
import { activationBytes } from '../../runtime/graph-memory.ts';
import type {
  Conditioning,
  ControlResiduals,
  Cost,
  Denoiser,
  Features,
  Prepared,
} from '../../propagation/denoiser.ts';
import { float32, sizeOf } from '../../tensor/tensor.ts';
import type { Shape, Tensor } from '../../tensor/tensor.ts';
import { runOn, Sessions } from '../sessions.ts';
import type { OpenGraph } from '../sessions.ts';
import { framesOf, joinFrames, partsOf, wholeOf } from './clip.ts';
import type { ClipPart } from './clip.ts';
import type { UnetConfig } from './config.ts';
import { featureShapes } from './halves.ts';
import type { FrameRows } from './inputs.ts';
import type { MotionConfig } from './motion.ts';
import { buildUnetStages } from './stages.ts';
import type { UnetStages } from './stages.ts';

type Feeds = Readonly<Record<string, Tensor>>;

/** The run's conditioning and everything that the prompt graph made of it, by input name. */
interface UnetPrepared extends Prepared {
  /** Rows of the text: those of videos where rows are frames. */
  readonly textRows: number;
  readonly tokens: number;
  readonly values: Feeds;
  /** What one call draws: a single part for pictures. */
  readonly parts: readonly ClipPart[];
  readonly hoisting: boolean;
  readonly between: (part: number) => void | Promise<void>;
}

/** The encoder's outputs by name for each part, and the size they are for. */
interface UnetFeatureSet extends Features {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** Residuals were added: then even the first skip differs between the halves of guidance, and the decoder reads both. */
  readonly control: boolean;
  readonly parts: readonly Feeds[];
}

interface StageSize {
  batch: number;
  rows: number;
  tokens: number;
  height: number;
  width: number;
  steps: number;
  control: boolean;
  hoisting?: boolean;
  frames?: FrameRows | undefined;
}

/** UNet2DConditionModel behind the loop's interface: graphs are built for the shapes that come, and kept open. */
export class UnetDenoiser implements Denoiser {
  readonly inChannels: number;
  readonly outChannels: number;
  private readonly config: UnetConfig;
  private readonly weights: WeightSource;
  private readonly motion: MotionConfig | undefined;
  private readonly sessions: Sessions;
  /** Of the last size: its encoder and its decoder are asked for one after the other. */
  private last: { key: string; stages: UnetStages } | undefined;
  private readonly costs = new Map<string, Cost>();

  /** `motion`: of a motion adapter, whose modules are among the weights then. */
  constructor(config: UnetConfig, weights: WeightSource, open: OpenGraph, motion?: MotionConfig) {
    this.inChannels = config.inChannels;
    this.outChannels = config.outChannels;
    this.config = config;
    this.weights = weights;
    this.motion = motion;
    this.sessions = new Sessions(open);
  }

  cost(height: number, width: number): Cost {
    const key = `${height}x${width}`;
    const known = this.costs.get(key);
    if (known) return known;
    // 77 tokens stand for any prompt: their share is below 0.5 %.
    const { encoder, decoder } = this.build({
      ...{ batch: 1, rows: 1, tokens: 77, height, width, steps: 1, control: false },
    });
    const cost = {
      encoder: countMacs(encoder),
      decoder: countMacs(decoder),
      bytes: {
        call: Math.max(activationBytes(encoder), activationBytes(decoder)),
        features: 4 * elements(encoder.outputs.map(({ value }) => value.shape)),
        plainFeatures: 4 * elements(featureShapes(this.config, height, width)),
      },
    };
    this.costs.set(key, cost);
    return cost;
  }

  async prepare(conditioning: Conditioning): Promise<Prepared> {
    const { encoderHiddenStates, classLabels, textEmbeds, timeIds, frames } = conditioning;
    const [rows = 0, tokens = 0] = encoderHiddenStates.shape;
    const given: Record<string, Tensor> = { encoder_hidden_states: encoderHiddenStates };
    if (classLabels) given['class_labels'] = classLabels;
    if (textEmbeds) given['text_embeds'] = textEmbeds;
    if (timeIds) given['time_ids'] = timeIds;
    // The prompt graph is the same for every latent size; this one halves at every level.
    const side = 2 ** this.config.channels.length;
    const size = { batch: rows, rows, tokens, height: side, width: side, steps: 1, control: false };
    const values = { ...given, ...(await this.run('prompt', size, given)) };
    const prepared: UnetPrepared = {
      rows: rows * (frames?.count ?? 1),
      textRows: rows,
      parts: frames !== undefined && this.motion !== undefined ? wholeOf(frames) : partsOf(frames),
      hoisting: !(frames?.plain ?? false),
      ...{ tokens, values, between: frames?.between ?? (() => undefined) },
    };
    return prepared;
  }

  async encode(
    sample: Tensor<'float32'>,
    timestep: number,
    prepared: Prepared,
    control?: ControlResiduals,
  ): Promise<Features> {
    const { rows, textRows, tokens, values, parts, hoisting, between } = prepared as UnetPrepared;
    const [samples = 0, channels = 0, height = 0, width = 0] = sample.shape;
    if (sample.shape.length !== 4 || channels !== this.inChannels || samples === 0 || rows % samples !== 0) {
      throw new EncoreError(
        'invalid_tensor',
        `the UNet reads [B, ${this.inChannels}, h, w] with B a divisor of ${rows} rows, got [${sample.shape.join(', ')}]`,
      );
    }
    const batch = (samples * textRows) / rows;
    const guided = control !== undefined;
    const size = { batch, rows: textRows, tokens, height, width, steps: 1, control: guided, hoisting };
    const feeds = { ...values, timestep: float32([1], Float32Array.of(timestep)) };
    const features: Feeds[] = [];
    for (const part of parts) {
      if (features.length > 0) await between(part.start / part.total);
      const own = { ...mapFeeds({ ...residualFeeds(control), sample }, (x) => framesOf(x, part)) };
      // The first frame's keys, which only the parts after it read, come with its features.
      const given = { ...features[0], ...feeds, ...own };
      features.push(await this.run('encoder', { ...size, frames: part.rows }, given));
    }
    return { batch, height, width, control: guided, parts: features } satisfies UnetFeatureSet as Features;
  }

  async decode(
    features: Features,
    timesteps: readonly number[],
    prepared: Prepared,
  ): Promise<Tensor<'float32'>> {
    const { batch, height, width, control, parts: known } = features as UnetFeatureSet;
    const { textRows, tokens, values, parts, hoisting, between } = prepared as UnetPrepared;
    const steps = timesteps.length;
    const size = { batch, rows: textRows, tokens, height, width, steps, control, hoisting };
    const feeds = { ...values, timesteps: float32([steps], Float32Array.from(timesteps)) };
    const samples: Tensor<'float32'>[] = [];
    let first: Feeds = {};
    for (const [i, part] of parts.entries()) {
      if (i > 0) await between(part.start / part.total);
      const given = { ...first, ...feeds, ...known[i] };
      const made = await this.run('decoder', { ...size, frames: part.rows }, given);
      if (made['sample']?.dtype !== 'float32')
        throw new EncoreError('engine_failed', 'the decoder gave no float32 sample');
      samples.push(made['sample'] as Tensor<'float32'>);
      // Keys of the same steps: each step's frames look at the first frame of that very step.
      if (i === 0) first = made;
    }
    return joinFrames(samples, parts);
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
    const { config, weights, motion } = this;
    const { hoisting = true } = size;
    const stages = buildUnetStages(config, { ...size, weights, motion }, { hoisting });
    this.last = { key, stages };
    return stages;
  }
}

function elements(shapes: readonly Shape[]): number {
  return shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
}

function keyOf({ frames, ...size }: StageSize): string {
  return [...Object.values(size), frames?.crossFrame, frames?.count].join(' ');
}

function mapFeeds(
  feeds: Readonly<Record<string, Tensor<'float32'>>>,
  change: (x: Tensor<'float32'>) => Tensor<'float32'>,
): Feeds {
  return Object.fromEntries(Object.entries(feeds).map(([name, x]) => [name, change(x)]));
}

function residualFeeds(control: ControlResiduals | undefined): Record<string, Tensor<'float32'>> {
  if (!control) return {};
  const down = control.downBlockResSamples.map(
    (x, i) => [`down_block_additional_residuals.${i}`, x] as const,
  );
  return { ...Object.fromEntries(down), mid_block_additional_residual: control.midBlockResSample };
}
