import { setTimeout as sleep } from 'node:timers/promises';
import { EncoreError } from '../lib/contracts/errors.ts';
import type { Comparison, Receipt } from '../lib/contracts/generation.ts';
import type { ClaimedJob, FinishedPicture, JobProgress, Standing } from '../lib/studio/jobs/queue.ts';
import type { Log } from './engine-process.ts';
import { every } from './every.ts';

/** The queue as the loop sees it: lib/studio's JobQueue, or another one that keeps the same promises. */
export interface JobSource {
  claim(workerId: string): Promise<ClaimedJob | null>;
  standing(token: string): Promise<Standing>;
  heartbeat(token: string): Promise<Standing>;
  progress(token: string, progress: JobProgress): Promise<void>;
  preview(token: string, step: number, image: string): Promise<void>;
  finish(
    token: string,
    pictures: FinishedPicture[],
    receipt: Receipt,
    comparison: Comparison | null,
  ): Promise<boolean>;
  fail(token: string, reason: unknown): Promise<void>;
  release(token: string): Promise<void>;
  reap(): Promise<number>;
}

/** What a handler is given besides the job's parameters. It does not know where the job came from. */
export interface HandlerContext {
  /** Aborts when the user cancels, the worker stops or the job was given to someone else. */
  signal: AbortSignal;
  /** Engine processes that died under this job before. */
  crashes: number;
  /** May be called as often as one likes; what comes too fast is left out. */
  report: (progress: JobProgress) => void;
  /** `image` makes the data URL when it is wanted. */
  preview: (step: number, image: () => Promise<string>) => void;
  log: Log;
}

/** What there is to do: of a claimed job, everything but the claim. */
export type Work = Pick<ClaimedJob, 'params' | 'inputs' | 'compareWith'>;
export type Handler = (work: Work, context: HandlerContext) => Promise<HandlerResult>;
export interface HandlerResult {
  /** Already on the disk. */
  pictures: FinishedPicture[];
  receipt: Receipt;
  comparison: Comparison | null;
}

export interface LoopOptions {
  jobs: JobSource;
  workerId: string;
  handle: Handler;
  log: Log;
  /** Ends the loop: the running job goes back into the queue. */
  signal: AbortSignal;
  /** Also called with every heartbeat, busy or not. */
  onPulse?: () => Promise<void>;
  /** Pause before an empty queue is asked again, and between looks at a running job's standing, in ms. */
  pollMs?: number;
  pulseMs?: number;
}

/** Shortest time between two progress rows, and between two previews, in ms. */
const PROGRESS_MS = 250;
const PREVIEW_MS = 500;
/** How long a finished job is held on to while the database cannot be written, in ms. */
const PERSIST_MS = 10 * 60_000;

/** Claims and runs one job after the other until the signal aborts. */
export async function runLoop(options: LoopOptions): Promise<void> {
  const { jobs, workerId, log, signal, pollMs = 200, pulseMs = 3_000 } = options;
  let token: string | undefined;
  const pulses = [
    every(
      pulseMs,
      async () => {
        // The own lease first: after a long lock the reaper would otherwise take this worker's own job.
        if (token !== undefined) await jobs.heartbeat(token);
        const reaped = await jobs.reap();
        if (reaped > 0) log.warn({ jobs: reaped }, 'took back jobs whose worker is gone');
      },
      log,
    ),
    // By itself, so that nothing it waits for costs a lease.
    every(pulseMs, async () => options.onPulse?.(), log),
  ];
  try {
    while (!signal.aborted) {
      const job = await jobs.claim(workerId).catch((error: unknown) => {
        log.error({ error: messageOf(error) }, 'the queue cannot be read');
        return null;
      });
      if (job === null) {
        await sleep(pollMs, undefined, { signal }).catch(() => undefined);
        continue;
      }
      token = job.token;
      await runJob(job, options, pollMs).catch((error: unknown) => {
        // The lease runs out and the job is taken back: it is late, not lost.
        log.error({ job: job.id, error: messageOf(error) }, 'the end of a job could not be written');
      });
      token = undefined;
    }
  } finally {
    await Promise.all(pulses.map((pulse) => pulse.stop()));
  }
}

async function runJob(job: ClaimedJob, options: LoopOptions, pollMs: number): Promise<void> {
  const { jobs, handle, log } = options;
  const started = Date.now();
  const stop = new AbortController();
  let standing: Standing = 'ours';
  const watch = every(
    pollMs,
    async () => {
      standing = await jobs.standing(job.token);
      if (standing !== 'ours') stop.abort();
    },
    log,
  );
  const reports = throttled(PROGRESS_MS, (progress: JobProgress) => jobs.progress(job.token, progress), log);
  const previews = throttled(
    PREVIEW_MS,
    async ({ step, image }: { step: number; image: () => Promise<string> }) =>
      jobs.preview(job.token, step, await image()),
    log,
  );
  log.info({ job: job.id, attempt: job.attempt }, 'started');
  try {
    const result = await handle(job, {
      signal: AbortSignal.any([stop.signal, options.signal]),
      crashes: job.crashes,
      report: reports.add,
      preview: (step, image) => previews.add({ step, image }),
      log,
    });
    await Promise.all([reports.end(), previews.end()]);
    const kept = await persistently(
      () => jobs.finish(job.token, result.pictures, result.receipt, result.comparison),
      log,
    );
    log.info({ job: job.id, ms: Date.now() - started }, kept ? 'succeeded' : 'finished too late');
  } catch (error) {
    await Promise.all([reports.end(), previews.end()]);
    const wanted = options.signal.aborted && standing === 'ours';
    log.info({ job: job.id, error: messageOf(error) }, wanted ? 'given back' : 'ended without a result');
    await persistently(() => (wanted ? jobs.release(job.token) : jobs.fail(job.token, error)), log);
  } finally {
    await watch.stop();
  }
}

/** Tries again while the database is locked or its disk is full. */
async function persistently<T>(write: () => Promise<T>, log: Log): Promise<T> {
  const deadline = Date.now() + PERSIST_MS;
  for (let pause = 250; ; pause = Math.min(pause * 2, 10_000)) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof EncoreError) || !error.retryable || Date.now() + pause > deadline) throw error;
      log.warn({ error: error.message }, 'writing is tried again');
      await sleep(pause);
    }
  }
}

/** Passes on the newest value at most once in `ms`, one after the other, until `end`, which waits for what is on its way. */
function throttled<T>(ms: number, write: (value: T) => Promise<void>, log: Log) {
  const ended = new AbortController();
  let next: { value: T } | undefined;
  let running: Promise<void> | undefined;
  let last = 0;
  const drain = async (): Promise<void> => {
    for (let turn = next; turn !== undefined; turn = next) {
      const wait = Math.max(0, last + ms - Date.now());
      await sleep(wait, undefined, { signal: ended.signal }).catch(() => undefined);
      // The end says more than the last bit of progress.
      if (ended.signal.aborted) break;
      const { value } = next ?? turn;
      next = undefined;
      last = Date.now();
      await write(value).catch((error: unknown) =>
        log.warn({ error: messageOf(error) }, 'progress was not written'),
      );
    }
    running = undefined;
  };
  return {
    add: (value: T): void => {
      if (ended.signal.aborted) return;
      next = { value };
      running ??= drain();
    },
    end: async (): Promise<void> => {
      ended.abort();
      await running;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
