import { randomUUID } from 'node:crypto';
import { EncoreError, isCancellation } from '../../contracts/errors.ts';
import {
  type Comparison,
  type GenerationParams,
  generationParamsSchema,
  type Receipt,
} from '../../contracts/generation.ts';
import type { StudioEvent } from '../../contracts/events.ts';
import type { Database, Tx } from '../db/database.ts';
import { inputColumns, type InputRow, NO_JSON, type Json, QUEUE_ORDER } from '../db/rows.ts';
import { recordEvent } from '../events/log.ts';
import type { StoredFile } from '../assets/store.ts';
import { toErrorColumn } from '../serialize.ts';
import { readSettings } from '../settings.ts';
import { afterCrash, afterLostLease } from './states.ts';
import { transition, unclaimed, waitingAgain } from './transition.ts';

/** A worker that says nothing for this long has lost its jobs. */
export const LEASE_MS = 15_000;
export const HEARTBEAT_MS = 3_000;

/** A job as a worker gets it. Everything it says about the job afterwards carries the token. */
export interface ClaimedJob {
  id: string;
  token: string;
  /** 1 for the first claim. */
  attempt: number;
  /** Engine processes that died under this job. */
  crashes: number;
  params: GenerationParams;
  /** Pictures that it is made from. */
  inputs: InputRow[];
  /** What the pictures are to be compared with; null unless this verifies another generation. */
  compareWith: StoredPicture[] | null;
}

/** A picture or a video in the asset store, its size in pixels. */
export interface StoredPicture {
  hash: string;
  type: string;
  width: number;
  height: number;
}

const storedColumns = { hash: true, type: true, width: true, height: true } as const;

export interface JobProgress {
  progress: number;
  step: number;
  steps: number;
  etaSeconds: number | null;
  stage: Extract<StudioEvent, { type: 'progress' }>['stage'];
}

/** A picture whose file is already safe on the disk. */
export interface FinishedPicture extends StoredFile {
  width: number;
  height: number;
  seed: number;
  /** Of a video: the file of its poster, and how it plays. */
  video?: { posterHash: string; frames: number; fps: number };
}

/** `lost`: the job is no longer ours, stop and throw the result away. `cancel`: ours, but the user wants it to end. */
export type Standing = 'ours' | 'cancel' | 'lost';

/**
 * The worker's side of the queue. Each change is one conditional update with the claim's token inside one transaction
 * with its event, so a worker that was believed dead and comes back can't change a job that another one has now.
 */
export class JobQueue {
  readonly #db: Database;
  readonly #now: () => number;

  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /** Takes the next waiting job, or null when there is none or the queue is paused. */
  async claim(workerId: string): Promise<ClaimedJob | null> {
    const next = { where: { status: 'queued' }, orderBy: QUEUE_ORDER };
    // Looked up without a lock first: an idle worker asks several times a second.
    if ((await this.#db.read((r) => r.generation.findFirst({ ...next, select: { seq: true } }))) === null)
      return null;
    if ((await this.#db.read(readSettings)).queuePaused) return null;
    const token = randomUUID();
    return this.#db.write(async (tx) => {
      const job = await tx.generation.findFirst({
        ...next,
        select: {
          id: true,
          attempt: true,
          crashes: true,
          params: true,
          inputs: { select: inputColumns },
          verifies: { select: { assets: { select: storedColumns, orderBy: { index: 'asc' } } } },
        },
      });
      if (job === null) return null;
      const now = this.#now();
      const attempt = job.attempt + 1;
      const startedAt = new Date(now);
      const data = { ...this.#lease(now), claimToken: token, workerId, attempt, startedAt, error: NO_JSON };
      const claimed = await transition(tx, { id: job.id }, { to: 'running', data, now });
      if (claimed === null) return null;
      const params = generationParamsSchema.parse(job.params);
      const compareWith = job.verifies?.assets ?? null;
      return { id: job.id, token, attempt, crashes: job.crashes, params, inputs: job.inputs, compareWith };
    });
  }

  /** Whether the job is still ours. Cheap: asked several times a second. */
  async standing(token: string): Promise<Standing> {
    const job = await this.#db.read((r) =>
      r.generation.findUnique({ where: { claimToken: token }, select: { status: true } }),
    );
    return standingOf(job?.status);
  }

  /** Prolongs the lease of everything a worker runs. */
  async heartbeat(token: string): Promise<Standing> {
    return this.#db.write(async (tx) => {
      const { count } = await tx.generation.updateMany({
        where: { claimToken: token, status: { in: ['running', 'cancelling'] } },
        data: this.#lease(this.#now()),
      });
      if (count === 0) return 'lost';
      const job = await tx.generation.findUnique({ where: { claimToken: token }, select: { status: true } });
      return standingOf(job?.status);
    });
  }

  async progress(token: string, { progress, step, steps, etaSeconds, stage }: JobProgress): Promise<void> {
    await this.#db.write(async (tx) => {
      const id = await this.#running(tx, token);
      if (id === null) return;
      const now = this.#now();
      await tx.generation.updateMany({
        where: { claimToken: token },
        data: { ...this.#lease(now), progress, step, etaSeconds },
      });
      await recordEvent(
        tx,
        { type: 'progress', generationId: id, progress, step, steps, etaSeconds, stage },
        now,
      );
    });
  }

  /** `image` is a small data URL. */
  async preview(token: string, step: number, image: string): Promise<void> {
    await this.#db.write(async (tx) => {
      const id = await this.#running(tx, token);
      if (id !== null) await recordEvent(tx, { type: 'preview', generationId: id, step, image }, this.#now());
    });
  }

  /**
   * The job is done and its files are on the disk: pictures, receipt and state in one transaction.
   * @returns false when it was not ours any more, or was cancelled in the last moment
   */
  async finish(
    token: string,
    pictures: FinishedPicture[],
    receipt: Receipt,
    comparison: Comparison | null = null,
  ): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const now = this.#now();
      const job = await tx.generation.findUnique({
        where: { claimToken: token },
        select: { id: true, status: true },
      });
      if (job === null) return false;
      const finishedAt = new Date(now);
      if (job.status === 'cancelling') {
        await transition(
          tx,
          { claimToken: token },
          { to: 'cancelled', data: { ...unclaimed, finishedAt }, now },
        );
        return false;
      }
      await tx.asset.createMany({
        data: pictures.map((picture, index) => ({
          id: randomUUID(),
          generationId: job.id,
          index,
          hash: picture.hash,
          type: picture.type,
          width: picture.width,
          height: picture.height,
          bytes: picture.bytes,
          seed: BigInt(picture.seed),
          ...picture.video,
          createdAt: finishedAt,
        })),
      });
      const done = {
        ...unclaimed,
        progress: 1,
        step: receipt.steps,
        receipt: receipt as unknown as Json,
        comparison: comparison ?? NO_JSON,
        finishedAt,
      };
      if ((await transition(tx, { claimToken: token }, { to: 'succeeded', data: done, now })) === null) {
        throw new EncoreError('conflict', `generation ${job.id} is ${job.status} and cannot succeed`);
      }
      return true;
    });
  }

  /** The job ended without a result. A lost engine or too little memory is tried once more, everything else is final. */
  async fail(token: string, reason: unknown): Promise<void> {
    const error = EncoreError.from(reason);
    await this.#db.write(async (tx) => {
      const job = await tx.generation.findUnique({
        where: { claimToken: token },
        select: { status: true, attempt: true, maxAttempts: true, crashes: true },
      });
      if (job === null || !isHeld(job.status)) return;
      const now = this.#now();
      const over = { ...unclaimed, finishedAt: new Date(now) };
      const crashed = error.code === 'engine_lost' || error.code === 'out_of_memory';
      if (job.status === 'cancelling' || isCancellation(error)) {
        await transition(tx, { claimToken: token }, { to: 'cancelled', data: over, now });
      } else if (crashed && afterCrash(job.status, job) === 'queued') {
        const data = { ...waitingAgain, crashes: job.crashes + 1 };
        await transition(tx, { claimToken: token }, { to: 'queued', data, now });
      } else {
        const data = { ...over, crashes: job.crashes + (crashed ? 1 : 0), error: toErrorColumn(error) };
        await transition(tx, { claimToken: token }, { to: 'failed', data, now });
      }
    });
  }

  /** The worker stops and gives the job back unharmed: this claim does not count. */
  async release(token: string): Promise<void> {
    await this.#db.write(async (tx) => {
      const now = this.#now();
      const cancelled = { ...unclaimed, finishedAt: new Date(now) };
      const where = { claimToken: token };
      if (await transition(tx, where, { to: 'cancelled', from: ['cancelling'], data: cancelled, now }))
        return;
      const data = { ...waitingAgain, attempt: { decrement: 1 } };
      await transition(tx, where, { to: 'queued', from: ['running'], data, now });
    });
  }

  /** Takes jobs from workers whose lease ran out. Any worker may do this at any time. Returns how many. */
  async reap(): Promise<number> {
    const stale = () => ({ status: { in: ['running', 'cancelling'] }, OR: leaseIsOver(this.#now()) });
    if ((await this.#db.read((r) => r.generation.count({ where: stale() }))) === 0) return 0;
    return this.#db.write(async (tx) => {
      const now = this.#now();
      const jobs = await tx.generation.findMany({
        where: stale(),
        select: { id: true, status: true, attempt: true, maxAttempts: true, crashes: true },
      });
      const over = { ...unclaimed, finishedAt: new Date(now) };
      for (const { id, status, ...job } of jobs) {
        const to = afterLostLease(status as 'running' | 'cancelling', job);
        const failure = to === 'failed' ? { error: toErrorColumn(givenUp(job.attempt)) } : {};
        const data = to === 'queued' ? waitingAgain : { ...over, ...failure };
        await transition(tx, { id }, { to, data, now });
      }
      return jobs.length;
    });
  }

  async #running(tx: Tx, token: string): Promise<string | null> {
    const job = await tx.generation.findUnique({
      where: { claimToken: token },
      select: { id: true, status: true },
    });
    return job !== null && isHeld(job.status) ? job.id : null;
  }

  #lease(now: number): { heartbeatAt: Date; leaseExpiresAt: Date } {
    return { heartbeatAt: new Date(now), leaseExpiresAt: new Date(now + LEASE_MS) };
  }
}

/** A lease that ran out, or that nobody can have been given: the clock of the machine was put back since. */
export function leaseIsOver(now: number): { leaseExpiresAt: { lt: Date } | { gt: Date } }[] {
  return [
    { leaseExpiresAt: { lt: new Date(now) } },
    { leaseExpiresAt: { gt: new Date(now + 2 * LEASE_MS) } },
  ];
}

function isHeld(status: string | undefined): status is 'running' | 'cancelling' {
  return status === 'running' || status === 'cancelling';
}

function standingOf(status: string | undefined): Standing {
  if (!isHeld(status)) return 'lost';
  return status === 'cancelling' ? 'cancel' : 'ours';
}

function givenUp(attempts: number): EncoreError {
  return new EncoreError('engine_lost', `The worker stopped ${attempts} times while it was drawing this.`, {
    remedy: 'Look at the worker log for the reason (often too little memory), then try again.',
    retryable: true,
  });
}
