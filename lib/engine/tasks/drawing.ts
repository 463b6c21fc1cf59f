import type { Cost } from '../propagation/denoiser.ts';
import type { Span } from '../propagation/plan.ts';
import type { DeviceName } from '../runtime/session.ts';
import type { Scheduler, SchedulerRun } from '../schedulers/index.ts';
import type { ClipSize } from './call-size.ts';
import type { Guidance, Stretch } from './control.ts';
import type { Course } from './course.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { PreviewBudget } from './previewer.ts';
import type { RunMeter } from './run-meter.ts';
import type { GenerateInput, Progress, TaskHooks } from './task.ts';

export interface TaskContext {
  readonly model: LoadedModel;
  readonly device: DeviceName;
  /** For what a video keeps in memory; without it as much as it likes. */
  readonly memoryBudgetBytes?: number | undefined;
  readonly versions: Readonly<Record<string, string>>;
  /** When the task was taken up, by performance.now(). */
  readonly started: number;
  /** The engine books the opening of graphs here. */
  readonly useMeter: (meter: RunMeter) => void;
}

/** A course with everything that follows from it before the first call. */
export interface Leg {
  readonly course: Course;
  readonly frames: number;
  /** Of a video. */
  readonly clip: ClipSize | undefined;
  /** Network evaluations of one batch. */
  readonly evaluations: number;
  readonly stretch: Stretch;
  readonly keySteps: readonly number[];
  readonly spans: readonly Span[];
  /** Pictures drawn together; divides count. */
  readonly batch: number;
  readonly begin: () => SchedulerRun;
  readonly injection: number;
  /** Multiply-accumulates of one row. */
  readonly cost: Cost;
  /** Of the ControlNets: their runs of one batch, and those of an exact run. */
  readonly controlRuns: { made: number; exact: number };
  readonly notices: readonly string[];
}

/** Everything that is known before the first call. */
export interface Drawing {
  readonly model: LoadedModel;
  readonly input: GenerateInput;
  readonly hooks: TaskHooks;
  readonly scheduler: Scheduler;
  readonly guidance: Guidance;
  readonly legs: readonly Leg[];
  /** Pictures. */
  readonly count: number;
  /** Multiply-accumulates of decoding one row of latents. */
  readonly pictureCost: number;
  readonly meter: RunMeter;
  readonly previews: PreviewBudget;
  /** Steps of all legs and batches that are done. */
  stepsDone: number;
  /** Seconds that the loop took. */
  denoising: number;
  readonly report: (stage: Progress['stage']) => void;
  /** Throws `cancelled` once that is asked for. */
  readonly checkpoint: () => void;
}
