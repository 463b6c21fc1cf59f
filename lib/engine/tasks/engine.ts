import { realpath } from 'node:fs/promises';
import packageJson from '../../../package.json' with { type: 'json' };
import { EncoreError, isCancellation } from '../../contracts/errors.ts';
import type { TaskName } from '../../contracts/task-inputs.ts';
import { worstFate } from '../checkpoint/fingerprint.ts';
import type { OpenGraph } from '../networks/sessions.ts';
import { runtimeVersion } from '../runtime/ort.ts';
import { createRuntime, type RuntimeOptions } from '../runtime/runtime.ts';
import type { DeviceName, Runtime } from '../runtime/session.ts';
import { LoraShelf, sameLoras } from './adapters.ts';
import type { Task } from './course.ts';
import { imageToImage } from './image-to-image.ts';
import { inpaint } from './inpaint.ts';
import { loadModel, type LoadedModel } from './loaded-model.ts';
import type { RunMeter } from './run-meter.ts';
import { reference } from './reference.ts';
import { run } from './run.ts';
import type { GenerateInput, LoraInput, TaskHooks, TaskResult } from './task.ts';
import { textToImage } from './text-to-image.ts';
import { textToVideo } from './text-to-video.ts';
import { upscale } from './upscale.ts';

export type EngineOptions = RuntimeOptions;

const tasks: Record<TaskName, Task> = {
  'text-to-image': textToImage,
  'image-to-image': imageToImage,
  inpaint,
  reference,
  'text-to-video': textToVideo,
  upscale,
};

/**
 * Draws pictures on one device, one task at a time. Keeps the last model's graphs open while they fit the memory budget;
 * those of earlier models stay in the runtime's warm sessions as long as there is room.
 */
export class Engine {
  private readonly options: EngineOptions;
  private readonly loras = new LoraShelf();
  private runtime: Promise<Runtime> | undefined;
  private model: LoadedModel | undefined;
  private meter: RunMeter | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: EngineOptions = {}) {
    this.options = options;
  }

  /** The device chosen. Throws `device_unavailable` where the one asked for does not work here. */
  async device(): Promise<DeviceName> {
    return (await this.open()).device;
  }

  /**
   * Draws what is asked for: see {@link run}. Waits for the task before it. Throws `checkpoint_invalid` where files of the
   * model, an adapter or a ControlNet were replaced meanwhile, or taken away before they were read; what was drawn in full
   * before they went is kept.
   */
  generate(input: GenerateInput, hooks: TaskHooks = {}): Promise<TaskResult> {
    return this.inTurn(async () => {
      const started = performance.now();
      const task = tasks[input.task];
      if (hooks.signal?.aborted) throw new EncoreError('cancelled', 'Cancelled');
      hooks.onProgress?.({ stage: 'load', fraction: 0, step: 0, steps: input.steps, etaSeconds: null });
      const { device } = await this.open();
      const model = await this.use(input.model, input.loras ?? [], input.motionAdapter);
      const versions = {
        encore: packageJson.version,
        onnxruntime: runtimeVersion,
        node: process.versions.node,
      };
      const useMeter = (meter: RunMeter) => {
        this.meter = meter;
      };
      const { memoryBudgetBytes } = this.options;
      const context = { model, device, memoryBudgetBytes, versions, started, useMeter };
      const fate = async () => worstFate([await this.loras.fate(input.loras ?? []), await model.fate()]);
      const result = await run(context, task, input, hooks).catch(async (error: unknown) => {
        throw isCancellation(error) || (await fate()) === 'same' ? error : changedMeanwhile(model, error);
      });
      if ((await fate()) === 'replaced') throw changedMeanwhile(model);
      return result;
    });
  }

  /** What is held: sessions, an estimate of their private bytes, and the model that is open. */
  async held(): Promise<{ sessions: number; idle: number; bytes: number; model: string | null }> {
    const runtime = await this.open();
    return { ...runtime.held(), model: this.model?.name ?? null };
  }

  /** After the running task, releases everything. */
  async dispose(): Promise<void> {
    await this.inTurn(async () => {
      await this.model?.release();
      this.model = undefined;
      await (await this.runtime)?.dispose();
      this.runtime = undefined;
    });
  }

  private open(): Promise<Runtime> {
    this.runtime ??= createRuntime(this.options).catch((error: unknown) => {
      this.runtime = undefined;
      throw error;
    });
    return this.runtime;
  }

  private async use(
    folder: string,
    wanted: readonly LoraInput[],
    motion: string | undefined,
  ): Promise<LoadedModel> {
    const open: OpenGraph = async (graph, hints) => {
      const runtime = await this.open();
      const opening = () => runtime.open(graph, hints);
      return this.meter === undefined ? opening() : this.meter.load(opening);
    };
    const opened = this.model;
    const real = (path: string) => realpath(path).catch(() => path);
    const path = await real(folder);
    const adapter = motion && (await real(motion));
    const same = opened?.path === path && opened.motion?.path === adapter;
    const loras = await this.loras.open(wanted);
    if (same && sameLoras(opened.loras, loras) && (await opened.fate()) === 'same') return opened;
    const model = await loadModel(folder, open, loras, adapter);
    await opened?.release();
    this.model = model;
    return model;
  }

  /** One task after the other: they share the model that is open and the meter. */
  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.last.then(async () => {
      try {
        return await task();
      } finally {
        this.meter = undefined;
        await this.fitBudget();
      }
    });
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** Sessions in use are never evicted: over the budget they are given back, and the runtime keeps what fits. */
  private async fitBudget(): Promise<void> {
    const runtime = await this.runtime?.catch(() => undefined);
    const budget = this.options.memoryBudgetBytes;
    if (runtime === undefined || budget === undefined || runtime.held().bytes <= budget) return;
    await this.model?.release();
  }
}

/** Networks are opened when they are first run: some were read before, some after or not at all. */
function changedMeanwhile({ name }: LoadedModel, cause?: unknown): EncoreError {
  return new EncoreError(
    'checkpoint_invalid',
    `${name}, or what was drawn with beside it, was changed on disk meanwhile`,
    {
      remedy: 'Try again once all of its files are in place.',
      retryable: true,
      cause,
    },
  );
}
