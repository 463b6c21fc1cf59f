import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RuntimeOptions } from '../engine/runtime/runtime.ts';

/** What the command line takes from its environment; an empty variable is an unset one. */
export const environment = {
  /** ENCORE_HOME, as for the studio: packed graphs are shared with it. */
  home: resolve(process.env.ENCORE_HOME || fileURLToPath(new URL('../../data', import.meta.url))),
  /** ENCORE_DEBUG=1 prints where an error came from. */
  debug: Boolean(process.env.ENCORE_DEBUG),
  /** ENCORE_FFMPEG: path of the ffmpeg to use, in place of the one that is found. */
  ffmpeg: process.env.ENCORE_FFMPEG || undefined,
};

/** A stable-diffusion checkpoint packs to about 6 GB. */
const packedCacheBytes = 30e9;

/** Runtime settings of this machine, for one command. */
export function runtimeOptions(device: RuntimeOptions['device'] = 'auto'): RuntimeOptions {
  return {
    device,
    cache: { directory: join(environment.home, 'cache', 'packed'), budgetBytes: packedCacheBytes },
    memoryBudgetBytes: totalmem() / 4,
  };
}
