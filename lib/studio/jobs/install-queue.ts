import { randomUUID } from 'node:crypto';
import { EncoreError, isCancellation } from '../../contracts/errors.ts';
import type { Installation } from '../../contracts/models.ts';
import type { Database, Tx } from '../db/database.ts';
import { installColumns, type InstallRow, NO_JSON } from '../db/rows.ts';
import { recordEvent } from '../events/log.ts';
import { toErrorColumn, toProblem } from '../serialize.ts';
import { LEASE_MS, leaseIsOver, type Standing } from './queue.ts';

/** An install as a worker gets it. */
export interface ClaimedInstall {
  id: string;
  token: string;
  repo: string;
  revision: string;
  file: string | null;
  /** What the revision was when an earlier try began; the same files go on. */
  commit: string | null;
}

export interface InstallProgress {
  commit: string;
  bytesDone: number;
  bytesTotal: number;
  bytesPerSecond: number | null;
  file: string | null;
}

/**
 * Installs, as {@link JobQueue} does it for generations: the row is the truth, every change is one conditional update with
 * its event, and what a worker says carries the token of its claim. Pausing and cancelling take effect in the row at once;
 * the token stays until the worker has let go, so that nobody else writes the same files meanwhile.
 */
export class InstallQueue {
  readonly #db: Database;
  readonly #now: () => number;

  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /** Takes the oldest that waits, or whose worker is gone; null when there is none. */
  async claim(): Promise<ClaimedInstall | null> {
    const next = () => {
      const free = [{ claimToken: null }, ...leaseIsOver(this.#now())];
      return { status: { in: ['queued', 'running'] }, OR: free };
    };
    if ((await this.#db.read((r) => r.install.count({ where: next() }))) === 0) return null;
    return this.#db.write(async (tx) => {
      const row = await tx.install.findFirst({ where: next(), orderBy: { createdAt: 'asc' } });
      if (row === null) return null;
      const token = randomUUID();
      await tx.install.update({
        where: { id: row.id },
        data: { status: 'running', claimToken: token, ...this.#lease(), error: NO_JSON, finishedAt: null },
      });
      await announceInstall(tx, row.id, this.#now());
      const { id, repo, revision, file, commit } = row;
      return { id, token, repo, revision, file, commit };
    });
  }

  /** Prolongs the lease. */
  async heartbeat(token: string): Promise<Standing> {
    const { count } = await this.#db.write((tx) =>
      tx.install.updateMany({ where: { claimToken: token, status: 'running' }, data: this.#lease() }),
    );
    return count > 0 ? 'ours' : 'lost';
  }

  async progress(token: string, progress: InstallProgress): Promise<Standing> {
    const { commit, bytesDone, bytesTotal, bytesPerSecond, file } = progress;
    return this.#db.write(async (tx) => {
      const data = {
        ...this.#lease(),
        commit,
        bytesDone: BigInt(bytesDone),
        bytesTotal: BigInt(bytesTotal),
        bytesPerSecond,
        currentFile: file,
      };
      const { count } = await tx.install.updateMany({
        where: { claimToken: token, status: 'running' },
        data,
      });
      if (count === 0) return 'lost';
      await this.#announceOf(tx, token);
      return 'ours';
    });
  }

  /** It is in its place, whatever was asked for in the last moment. False when it was taken off the list. */
  async finish(token: string, modelId: string): Promise<boolean> {
    return this.#end(token, { status: 'succeeded', modelId });
  }

  /** It ended without a result, or was given back: what has come stays for the next try. */
  async fail(token: string, reason: unknown): Promise<void> {
    const error = EncoreError.from(reason);
    if (isCancellation(error)) await this.#end(token, { status: 'queued' });
    else await this.#end(token, { status: 'failed', error: toErrorColumn(error) });
    // Paused and cancelled ones keep their state.
    await this.#db.write((tx) =>
      tx.install.updateMany({ where: { claimToken: token }, data: { claimToken: null } }),
    );
  }

  async #end(
    token: string,
    change:
      { status: 'succeeded'; modelId: string } | { status: 'queued' } | { status: 'failed'; error: object },
  ): Promise<boolean> {
    return this.#db.write(async (tx) => {
      const row = await tx.install.findUnique({ where: { claimToken: token }, select: { id: true } });
      const finishedAt = change.status === 'queued' ? null : new Date(this.#now());
      const held = change.status === 'succeeded' ? {} : { status: 'running' };
      const { count } = await tx.install.updateMany({
        where: { claimToken: token, ...held },
        data: { ...change, claimToken: null, bytesPerSecond: null, currentFile: null, finishedAt },
      });
      if (count === 0 || row === null) return false;
      await announceInstall(tx, row.id, this.#now());
      return true;
    });
  }

  async #announceOf(tx: Tx, token: string): Promise<void> {
    const row = await tx.install.findUnique({ where: { claimToken: token }, select: { id: true } });
    if (row !== null) await announceInstall(tx, row.id, this.#now());
  }

  #lease(): { leaseExpiresAt: Date } {
    return { leaseExpiresAt: new Date(this.#now() + LEASE_MS) };
  }
}

/** Writes an `install` event with the install as it is now. */
export async function announceInstall(
  tx: Tx,
  id: string,
  now: number,
  removed = false,
): Promise<Installation> {
  const row = await tx.install.findUniqueOrThrow({ where: { id }, select: installColumns });
  const installation = toInstallation(row);
  await recordEvent(tx, { type: 'install', installation, removed }, now);
  return installation;
}

export function toInstallation(row: InstallRow): Installation {
  return {
    id: row.id,
    repo: row.repo,
    revision: row.revision,
    status: row.status as Installation['status'],
    bytesDone: Number(row.bytesDone),
    bytesTotal: row.bytesTotal === null ? null : Number(row.bytesTotal),
    bytesPerSecond: row.status === 'running' ? row.bytesPerSecond : null,
    file: row.currentFile ?? row.file,
    error: row.error === null ? null : toProblem(EncoreError.from(row.error)),
    modelId: row.modelId,
    createdAt: row.createdAt.toISOString(),
  };
}
