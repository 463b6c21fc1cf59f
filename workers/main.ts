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
import { readEnv } from '../lib/studio/env.ts';
import { migrate } from '../lib/studio/db/migrate.ts';
import { getSettings } from '../lib/studio/services/settings.ts';
import { tidy } from '../lib/studio/services/housekeeping.ts';
import { type EngineReport, reportWorker, reportWorkerStopped } from '../lib/studio/services/status.ts';
import { openStudio } from '../lib/studio/studio.ts';
import { EngineProcess } from './engine-process.ts';
import { createHandler } from './handlers/index.ts';
import { runInstallLoop } from './install-loop.ts';
import { runLoop } from './loop.ts';

const TIDY_MS = 60_000;

try {
  await main();
} catch (error) {
  const { message, remedy } = EncoreError.from(error);
  process.stderr.write(`${[message, remedy].filter(Boolean).join('\n')}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const env = readEnv();
  const log = pino({ name: 'worker', level: env.logLevel });
  const { version } = JSON.parse(await readFile(join(env.root, 'package.json'), 'utf8')) as {
    version: string;
  };
  await migrate(env.home, join(env.root, 'prisma', 'migrations'));

  if (env.device !== 'auto' && !deviceNames.some((name) => name === env.device)) {
    throw new EncoreError('invalid_parameter', `ENCORE_DEVICE is "${env.device}", which is no device.`, {
      remedy: `Use auto or one of ${deviceNames.join(', ')}; \`encore devices\` tells which of them work here.`,
    });
  }
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
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => stopping.abort());
  }

  log.info({ workerId, home: env.home, version }, 'the worker is ready');
  engine
    .warmUp(stopping.signal)
    .catch((error: unknown) => log.warn({ error: String(error) }, 'the engine did not start'));

  let ffmpeg: EngineReport['ffmpeg'] = null;
  findFfmpeg(env.ffmpeg).then(
    ({ version, source, encoders }) => {
      ffmpeg = { version, source, formats: writableFormats(encoders) };
    },
    (error: unknown) => log.warn({ error: EncoreError.from(error).message }, 'no videos can be written'),
  );
  const installing = runInstallLoop({ studio, log, signal: stopping.signal });
  let tidied = 0;
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
      if (Date.now() - tidied < TIDY_MS) return;
      tidied = Date.now();
      await tidy(studio);
    },
  });
  await installing;

  log.info({}, 'the worker stops');
  await engine.stop();
  await reportWorkerStopped(studio, workerId);
  await studio.close();
}
