import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './engine-process.ts';

/** Runs `work` again and again with a pause in between; an error is logged and does not end it. */
export function every(ms: number, work: () => Promise<void>, log: Log): { stop: () => Promise<void> } {
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await work().catch((error: unknown) =>
        log.warn({ error: error instanceof Error ? error.message : String(error) }, 'a regular task failed'),
      );
      await sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
