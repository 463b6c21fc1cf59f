import type { Receipt } from '../../contracts/generation.ts';

type Stage = 'textEncoder' | 'encoder' | 'decoder' | 'control' | 'vae' | 'preview';

interface Call {
  readonly stage: Stage;
  readonly leg: number;
  /** Steps of a decoder call, pictures of a VAE call; 1 otherwise. */
  readonly units: number;
  readonly seconds: number;
  /** First call of this stage, leg and number of units: graphs are built, buffers allocated, caches cold. */
  readonly first: boolean;
  readonly cost: number;
}

/** Calls that an exact run makes in one leg. */
export interface ExactLeg {
  readonly steps: number;
  /** Runs of ControlNets. */
  readonly controls: number;
}

/**
 * The clock of one run: seconds per stage without the time in which graphs were opened, progress in
 * multiply-accumulates, the time that is left, and what an exact run would have taken.
 */
export class RunMeter {
  /** Multiply-accumulates of everything the run will do. */
  private readonly total: number;
  private readonly now: () => number;
  private readonly started: number;
  private readonly calls: Call[] = [];
  private readonly seen = new Set<string>();
  private loading: number;
  private done = 0;
  /** Cost of the call that runs, and how much of it is done. */
  private running = 0;
  private part = 0;
  /** Which of a run's legs the calls belong to: they differ in size, so one's seconds say nothing about another's. */
  leg = 0;

  /**
   * `now` in milliseconds. What passed since `started`, when the task was taken up, was spent on finding a device and
   * opening the model: it counts as load.
   */
  constructor(total: number, now: () => number = () => performance.now(), started = now()) {
    this.total = total;
    this.now = now;
    this.started = started;
    this.loading = now() - started;
  }

  /** Books the time of opening a graph, wherever in a call that happens. */
  async load<T>(work: () => Promise<T>): Promise<T> {
    const start = this.now();
    try {
      return await work();
    } finally {
      this.loading += this.now() - start;
    }
  }

  /** Seconds that work took, without the time in which graphs were opened. */
  async timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
    const start = this.now();
    const loadingBefore = this.loading;
    const result = await work();
    return { result, seconds: (this.now() - start - (this.loading - loadingBefore)) / 1000 };
  }

  /** One call of a network; `cost` are its multiply-accumulates, 0 for what the total does not count. */
  async call<T>(stage: Stage, units: number, cost: number, work: () => Promise<T>): Promise<T> {
    this.running = cost;
    const { result, seconds } = await this.timed(work).finally(() => {
      this.running = 0;
      this.part = 0;
    });
    const { leg } = this;
    const kind = `${leg} ${stage} ${units}`;
    this.calls.push({ stage, leg, units, seconds, cost, first: !this.seen.has(kind) });
    this.seen.add(kind);
    this.done += cost;
    return result;
  }

  /** How much of the running call is done, 0 to 1. */
  within(part: number): void {
    this.part = part;
  }

  /** 0 to 1. */
  get fraction(): number {
    return this.total === 0 ? 0 : Math.min(this.spent / this.total, 1);
  }

  private get spent(): number {
    return this.done + this.part * this.running;
  }

  /** At the speed of the calls so far, first calls left out as soon as there are others. null before any call. */
  get etaSeconds(): number | null {
    const costly = this.calls.filter(({ cost }) => cost > 0);
    const warm = costly.filter(({ first }) => !first);
    const measured = warm.length > 0 ? warm : costly;
    const cost = sum(measured, (call) => call.cost);
    if (cost === 0) return null;
    return (Math.max(this.total - this.spent, 0) * sum(measured, (call) => call.seconds)) / cost;
  }

  /** `denoising` are the seconds of the loop, of which the scheduler has what no call took. */
  seconds(denoising: number): Receipt['seconds'] {
    const of = (stage: Stage) =>
      sum(
        this.calls.filter((call) => call.stage === stage),
        (call) => call.seconds,
      );
    const [encoder, decoder, control] = [of('encoder'), of('decoder'), of('control')];
    return {
      load: this.loading / 1000,
      textEncoder: of('textEncoder'),
      encoder,
      decoder,
      ...(control === 0 ? {} : { control }),
      scheduler: Math.max(denoising - encoder - decoder - control - of('preview'), 0),
      vae: of('vae'),
      total: (this.now() - this.started) / 1000,
    };
  }

  /**
   * Encoder, decoder and ControlNets of the exact run of these legs: what this run's own calls took, with the encoder
   * passes and ControlNet runs it saved added and steps that shared a call decoded one by one. null where a leg made no
   * calls.
   */
  exactEstimate(exact: readonly ExactLeg[]): Receipt['exactEstimate'] {
    const legs = exact.map((leg, i) => this.exactLeg(leg, i));
    if (legs.some((leg) => leg === null)) return null;
    const known = legs.filter((leg) => leg !== null);
    return {
      unetSeconds: sum(known, (leg) => leg.unetSeconds),
      method: [...new Set(known.map(({ method }) => method))].join(' Then: '),
    };
  }

  private exactLeg({ steps, controls }: ExactLeg, leg: number): Receipt['exactEstimate'] {
    const calls = this.calls.filter((call) => call.leg === leg);
    const control = calls.filter(({ stage }) => stage === 'control');
    const encoder = calls.filter(({ stage }) => stage === 'encoder');
    const decoder = calls.filter(({ stage }) => stage === 'decoder');
    const [alone, shared] = [decoder.filter((c) => c.units === 1), decoder.filter((c) => c.units > 1)];
    const measured = sum([...encoder, ...alone, ...control], (call) => call.seconds);
    const saved = steps - encoder.length;
    const unguided = controls - control.length;
    if (encoder.length === 0) return null;
    if (saved === 0 && unguided === 0 && shared.length === 0) {
      return { unetSeconds: measured, method: 'This run was exact: measured.' };
    }
    const e = perUnit(encoder);
    const d = perUnit(alone) ?? perUnit(decoder);
    const c = perUnit(control);
    if (e === null || d === null) return null;
    const ms = (seconds: number) => `${(seconds * 1000).toFixed(1)} ms`;
    return {
      unetSeconds:
        measured +
        saved * e.seconds +
        sum(shared, (call) => call.units) * d.seconds +
        unguided * (c?.seconds ?? 0),
      method:
        `${saved} more encoder passes at ${ms(e.seconds)}, ` +
        (c === null ? '' : `${unguided} more ControlNet runs at ${ms(c.seconds)} `) +
        `and each step decoded alone at ${ms(d.seconds)}, the means of ${e.calls} and ${d.calls} calls of this run${e.warm && d.warm ? ', first calls left out' : ''}.`,
    };
  }
}

/** Mean seconds per unit; of warm calls where there are any. */
function perUnit(calls: readonly Call[]): { seconds: number; calls: number; warm: boolean } | null {
  const warm = calls.filter(({ first }) => !first);
  const used = warm.length > 0 ? warm : calls;
  if (used.length === 0) return null;
  return {
    seconds: sum(used, (call) => call.seconds) / sum(used, (call) => call.units),
    calls: used.length,
    warm: warm.length > 0,
  };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
