/** The worker: claims jobs, has them computed by an engine process of its own, and stores what comes out. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { EncoreError } from '../lib/contracts/errors.ts';
import { deviceNames } from '../lib/engine/runtime/session.ts';
import { findFfmpeg } from '../lib/media/ffmpeg.ts';
import { writableFormats } from '../lib/media/video-arguments.ts';
import { endWith } from '../lib/studio/end-with.ts';
import { readEnv } from '../lib/studio/env.ts';
import { migrate } from '../lib/studio/db/migrate.ts';
import { getSettings } from '../lib/studio/services/settings.ts';
import { tidy } from '../lib/studio/services/housekeeping.ts';
import { type EngineReport, reportWorker, reportWorkerStopped } from '../lib/studio/services/status.ts';
import { openStudio } from '../lib/studio/studio.ts';
import { EngineProcess, type Log } from './engine-process.ts';
import { every } from './every.ts';
import { createHandler } from './handlers/index.ts';
import { runInstallLoop } from './install-loop.ts';
import { runLoop } from './loop.ts';

const TIDY_MS = 60_000;

try {
  await main();
} catch (error) {
  endWith(error);
}

async function main(): Promise<void> {
  const env = readEnv();
  const log = pino({ name: 'worker', level: env.logLevel });
  const { version } = JSON.parse(await readFile(join(env.root, 'package.json'), 'utf8')) as {
    version: string;
  };
  await migrate(env.home, join(env.root, 'prisma', 'migrations'));

  requireDevice(env.device);
  const studio = openStudio(env);
  const engine = new EngineProcess({
    entry: new URL('./engine.ts', import.meta.url),
    args: [
      ['--device', env.device],
      ['--cache', join(env.home, 'cache', 'packed')],
      ['--memory', String(Math.round(totalmem() / 4))],
    ].flat(),
    log,
  });
  const workerId = randomUUID();
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stopping.abort());
  }

  log.info({ workerId, home: env.home, version }, 'the worker is ready');
  engine
    .warmUp(stopping.signal)
    .catch((error: unknown) => log.warn({ error: String(error) }, 'the engine did not start'));

  let ffmpeg: EngineReport['ffmpeg'] = null;
  void describeFfmpeg(env.ffmpeg, log).then((found) => {
    ffmpeg = found;
  });
  const installing = runInstallLoop({ studio, log, signal: stopping.signal });
  // Beside the loop: however much there is to clear away, the leases are kept.
  const since = Date.now();
  const tidying = every(TIDY_MS, () => tidy(studio, since, stopping.signal), log);
  await runLoop({
    jobs: studio.jobs,
    workerId,
    handle: createHandler({
      engine,
      models: studio.models,
      assets: studio.assets,
      embedMetadata: async () => (await getSettings(studio)).embedMetadata,
      version,
      ffmpeg: env.ffmpeg,
    }),
    log,
    signal: stopping.signal,
    onPulse: async () => {
      const { device, held } = engine;
      await reportWorker(studio, workerId, { device, held, ffmpeg });
    },
  });
  await Promise.all([installing, tidying.stop()]);

  log.info({}, 'the worker stops');
  await engine.stop();
  await reportWorkerStopped(studio, workerId);
  await studio.close();
}

/** @throws EncoreError `invalid_parameter` */
function requireDevice(device: string): void {
  if (device === 'auto' || deviceNames.some((name) => name === device)) return;
  throw new EncoreError('invalid_parameter', `ENCORE_DEVICE is "${device}", which is no device.`, {
    remedy: `Use auto or one of ${deviceNames.join(', ')}; \`encore devices\` tells which of them work here.`,
  });
}

/** What writes videos, for the health answer; null where nothing does. */
async function describeFfmpeg(path: string | undefined, log: Log): Promise<EngineReport['ffmpeg']> {
  try {
    const { version, source, encoders } = await findFfmpeg(path);
    return { version, source, formats: writableFormats(encoders) };
  } catch (error) {
    log.warn({ error: EncoreError.from(error).message }, 'no videos can be written');
    return null;
  }
}
