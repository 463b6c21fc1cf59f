import { setTimeout as sleep } from 'node:timers/promises';
import { isCancellation } from '../lib/contracts/errors.ts';
import { runInstall, tidyInstalls } from '../lib/studio/hub/install.ts';
import type { ClaimedInstall, InstallProgress } from '../lib/studio/jobs/install-queue.ts';
import { hashInstalled } from '../lib/studio/services/file-hashes.ts';
import type { Studio } from '../lib/studio/studio.ts';
import type { Log } from './engine-process.ts';

export interface InstallLoopOptions {
  studio: Studio;
  log: Log;
  /** Ends the loop: what is on its way is given back and goes on with the next worker. */
  signal: AbortSignal;
  /** Pause before an empty list is asked again, and between looks at a running install's standing, in ms. */
  pollMs?: number;
  retryMs?: number;
}

/** Shortest time between two progress rows, in ms. */
const PROGRESS_MS = 500;

/** Pause between two looks at what lies about and at what is new, in ms. */
const TIDY_MS = 60_000;

/** Fetches what was asked for from the hub, one after the other, beside the drawing; keeps the models' folder in order. */
export async function runInstallLoop(options: InstallLoopOptions): Promise<void> {
  const { studio, log, signal, pollMs = 500 } = options;
  let tidied = 0;
  while (!signal.aborted) {
    const install = await studio.installs.claim().catch((error: unknown) => {
      log.error({ error: messageOf(error) }, 'the installs cannot be read');
      return null;
    });
    if (install !== null) {
      await runOne(install, options).catch((error: unknown) => {
        // The lease runs out and it is taken up again: it is late, not lost.
        log.error(
          { install: install.id, error: messageOf(error) },
          'the end of an install could not be written',
        );
      });
    }
    if (install !== null || Date.now() - tidied > TIDY_MS) {
      tidied = Date.now();
      await keepOrder(options);
    } else await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

async function keepOrder({ studio, log, signal }: InstallLoopOptions): Promise<void> {
  try {
    await tidyInstalls(studio);
    await hashInstalled(studio, signal);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the models could not be put in order');
  }
}

async function runOne(install: ClaimedInstall, options: InstallLoopOptions): Promise<void> {
  const { studio, log, pollMs = 500, retryMs } = options;
  const { id, token, repo } = install;
  const stop = new AbortController();
  let newest: InstallProgress | undefined;
  let last = 0;
  // Says what there is to say, keeps the lease, and notices a pause or a cancel; one after the other.
  const ended = new AbortController();
  const watch = (async () => {
    while (!ended.signal.aborted) {
      const due = newest !== undefined && Date.now() - last >= PROGRESS_MS;
      const progress = due ? newest : undefined;
      if (due) [newest, last] = [undefined, Date.now()];
      const standing = await (
        progress === undefined ? studio.installs.heartbeat(token) : studio.installs.progress(token, progress)
      ).catch((error: unknown) => {
        log.warn({ error: messageOf(error) }, 'the progress of an install was not written');
        return 'ours' as const;
      });
      if (standing !== 'ours') stop.abort();
      await sleep(pollMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  log.info({ install: id, repo }, 'fetching from the hub');
  try {
    const modelId = await runInstall(studio, install, {
      signal: AbortSignal.any([stop.signal, options.signal]),
      retryMs,
      onProgress: (progress) => {
        newest = progress;
      },
    });
    ended.abort();
    await watch;
    if (newest !== undefined) await studio.installs.progress(token, newest);
    await studio.installs.finish(token, modelId);
    log.info({ install: id, model: modelId }, 'installed from the hub');
  } catch (error) {
    ended.abort();
    await watch;
    if (newest !== undefined) await studio.installs.progress(token, newest).catch(() => 'lost');
    const level = isCancellation(error) ? 'info' : 'warn';
    log[level]({ install: id, repo, error: messageOf(error) }, 'an install ended early');
    await studio.installs.fail(token, error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
