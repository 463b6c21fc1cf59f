import { randomInt } from 'node:crypto';
import { join } from './disk.ts';
import { EncoreError } from '../contracts/errors.ts';
import { AssetStore } from './assets/store.ts';
import { ThumbnailCache } from './assets/thumbnails.ts';
import { type Database, openDatabase } from './db/database.ts';
import type { StudioEnv } from './env.ts';
import { EventLog } from './events/log.ts';
import { InstallQueue } from './jobs/install-queue.ts';
import { JobQueue } from './jobs/queue.ts';
import { ModelCatalog } from './models/catalog.ts';

/** Everything that remembers, opened once by each process and handed to the services. */
export interface Studio {
  readonly env: StudioEnv;
  readonly db: Database;
  readonly assets: AssetStore;
  readonly thumbnails: ThumbnailCache;
  readonly models: ModelCatalog;
  readonly events: EventLog;
  readonly jobs: JobQueue;
  readonly installs: InstallQueue;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly randomSeed: () => number;
  /** @throws EncoreError `storage_full` when the disk has less room than is kept free */
  requireSpace(): Promise<void>;
  close(): Promise<void>;
}

export interface StudioOptions {
  now?: () => number;
  randomSeed?: () => number;
  /** How long a write waits for a database that another process keeps locked, in ms. */
  busyTimeout?: number;
}

/** Opens the data directory of an environment; its migrations have been applied before. */
export function openStudio(env: StudioEnv, options: StudioOptions = {}): Studio {
  const now = options.now ?? Date.now;
  const db = openDatabase(env.home, { busyTimeout: options.busyTimeout });
  const assets = new AssetStore(env.home);
  return {
    env,
    db,
    assets,
    thumbnails: new ThumbnailCache(env.home),
    models: new ModelCatalog([
      { path: join(env.root, 'models'), source: 'bundled' },
      { path: join(env.home, 'models'), source: 'added' },
    ]),
    events: new EventLog(db),
    jobs: new JobQueue(db, now),
    installs: new InstallQueue(db, now),
    now,
    randomSeed: options.randomSeed ?? (() => randomInt(0, 2 ** 32)),
    requireSpace: () => requireSpace(assets, env.minFreeBytes),
    close: () => db.close(),
  };
}

async function requireSpace(assets: AssetStore, least: number): Promise<void> {
  const free = await assets.freeBytes();
  if (free >= least) return;
  throw new EncoreError('storage_full', `Only ${free} bytes are left on the disk of the data directory.`, {
    remedy: `Free some space: at least ${least} bytes are kept for pictures that are on their way.`,
    retryable: true,
  });
}
