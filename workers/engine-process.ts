import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { EncoreError } from '../lib/contracts/errors.ts';
import type { Picture, Progress } from '../lib/engine/tasks/task.ts';
import type { EngineHeld, EngineJob, EngineMessage, EngineRequest, EngineResult } from './protocol.ts';

export interface EngineProcessOptions {
  /** Script of the child. */
  entry: URL;
  /** Arguments for it. */
  args?: string[];
  log: Log;
  /** A cancelled run that does not end by itself is killed after this long, in ms. */
  cancelGraceMs?: number;
  /** A run that says nothing for this long hangs, in ms: a single call on a slow processor takes minutes at most. */
  silenceMs?: number;
  /** First pause before a new process after a crash, in ms; doubles with each further one. */
  backoffMs?: number;
}

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RunHooks {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  onPreview: (step: number, picture: Picture) => void;
}

/** The child runs TypeScript as its parent does. */
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const MAX_BACKOFF_MS = 30_000;
const STDERR_KEPT = 4_000;

/**
 * The process that computes, seen from outside. It may be killed at any moment and is started again for the next run:
 * a crash inside onnxruntime ends the child, never the supervisor. One run at a time.
 */
export class EngineProcess {
  /** Where the engine computes, once it has said so. */
  device: string | null = null;
  /** What it said it holds after its last run. */
  held: EngineHeld | null = null;
  readonly #options: Required<EngineProcessOptions>;
  #child: ChildProcess | undefined;
  #ready: Promise<ChildProcess> | undefined;
  #crashes = 0;
  #stopping = false;

  constructor(options: EngineProcessOptions) {
    this.#options = { args: [], cancelGraceMs: 5_000, silenceMs: 15 * 60_000, backoffMs: 500, ...options };
  }

  /** Process id of the engine that is alive now. For logs and fault tests; nothing is decided by it. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Runs one job to its end.
   * @throws EncoreError `engine_lost` when the process died or hung, `cancelled` after the signal, what the run failed
   * with, or why no engine can run here
   */
  async run(job: EngineJob, hooks: RunHooks): Promise<EngineResult> {
    const child = await this.#alive(hooks.signal);
    return new Promise((resolve, reject) => {
      let killTimer: NodeJS.Timeout | undefined;
      let killedFor: EncoreError | undefined;
      const kill = (reason: EncoreError): void => {
        killedFor ??= reason;
        child.kill('SIGKILL');
      };
      const silence = setTimeout(
        () => kill(lost(`said nothing for ${Math.round(this.#options.silenceMs / 60_000)} minutes`)),
        this.#options.silenceMs,
      );
      const cancel = (): void => {
        send(child, { type: 'cancel', runId: job.runId });
        killTimer = setTimeout(
          () => kill(new EncoreError('cancelled', 'Cancelled.')),
          this.#options.cancelGraceMs,
        );
      };
      const end = (): void => {
        clearTimeout(silence);
        clearTimeout(killTimer);
        hooks.signal.removeEventListener('abort', cancel);
        child.off('message', onMessage);
        child.off('exit', onExit);
      };
      const onMessage = (raw: unknown): void => {
        const message = raw as EngineMessage;
        if (!('runId' in message) || message.runId !== job.runId) return;
        silence.refresh();
        switch (message.type) {
          case 'progress':
            hooks.onProgress(message.progress);
            break;
          case 'preview':
            hooks.onPreview(message.step, message.picture);
            break;
          // Whatever it answers, a process that answers is well.
          case 'done':
            end();
            this.#crashes = 0;
            resolve(message.result);
            break;
          case 'failed':
            end();
            this.#crashes = 0;
            reject(EncoreError.from(message.error));
            break;
        }
      };
      const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
        end();
        reject(killedFor ?? lost(howItEnded(code, signal)));
      };
      child.on('message', onMessage);
      child.on('exit', onExit);
      hooks.signal.addEventListener('abort', cancel, { once: true });
      send(child, { type: 'run', job });
      if (hooks.signal.aborted) cancel();
    });
  }

  /** Starts the process ahead of the first run. */
  async warmUp(signal: AbortSignal): Promise<void> {
    await this.#alive(signal);
  }

  /** Ends the process: first asked, then killed. */
  async stop(graceMs = 3_000): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    send(child, { type: 'stop' });
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await gone;
    clearTimeout(timer);
  }

  async #alive(signal: AbortSignal): Promise<ChildProcess> {
    if (this.#ready !== undefined) return this.#ready;
    if (this.#crashes > 0) {
      const pause = Math.min(this.#options.backoffMs * 2 ** (this.#crashes - 1), MAX_BACKOFF_MS);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted || this.#stopping) throw new EncoreError('cancelled', 'Cancelled.');
    return (this.#ready ??= this.#start());
  }

  /** Resolves when the engine has said that it is ready. */
  #start(): Promise<ChildProcess> {
    const { entry, args, log } = this.#options;
    const child = fork(entry, args, {
      execArgv: ['--import', TSX],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
    });
    return new Promise((resolve, reject) => {
      let refusal: EncoreError | undefined;
      const gone = (how: string): void => {
        this.#child = undefined;
        this.#ready = undefined;
        this.device = null;
        this.held = null;
        if (!this.#stopping) {
          this.#crashes += 1;
          log.warn({ how, stderr: stderr.trim() }, 'the engine process is gone');
        }
        reject(refusal ?? lost(`${how} while starting`));
      };
      child.once('exit', (code, signal) => gone(howItEnded(code, signal)));
      child.on('error', (error) => {
        if (child.pid === undefined) gone(`could not be started (${error.message})`);
        else log.error({ error: error.message }, 'the engine process cannot be reached');
      });
      child.on('message', (raw: unknown) => {
        const message = raw as EngineMessage;
        if (message.type === 'held') this.held = message.held;
        if (message.type === 'refused') refusal = EncoreError.from(message.error);
        if (message.type !== 'ready') return;
        this.device = message.device;
        log.info({ device: message.device, enginePid: child.pid }, 'the engine is ready');
        resolve(child);
      });
    });
  }
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
}

function send(child: ChildProcess, request: EngineRequest): void {
  // A child that is gone answers by its exit event.
  if (child.connected) child.send(request, () => undefined);
}

function lost(how: string): EncoreError {
  return new EncoreError('engine_lost', `The engine process ${how}.`, {
    remedy: 'This is often too little memory: a smaller picture, fewer at once or a smaller model helps.',
    retryable: true,
  });
}
