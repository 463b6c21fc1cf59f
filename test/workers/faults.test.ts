/**
 * The real worker, the real engine, the bundled model; and kill -9 in each state. Nothing may be stuck, lost or drawn
 * twice.
 */
import { readFileSync } from 'node:fs';
import { cp, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import type { Generation } from '../../lib/contracts/generation.ts';
import { migrate } from '../../lib/studio/db/migrate.ts';
import { Connection } from '../../lib/studio/db/connection.ts';
import { databaseFile } from '../../lib/studio/db/database.ts';
import {
  cancelGeneration,
  createGeneration,
  getAssetFile,
  getGeneration,
  getHealth,
  openStudio,
  type Studio,
} from '../../lib/studio/services/index.ts';
import { ended, eventually, repository, startScript } from '../support/process.ts';
import { aRequest, migrations, temporaryFolder, testEnv } from '../support/studio.ts';

async function aStudio(): Promise<Studio> {
  const home = await temporaryFolder();
  await migrate(home, migrations);
  const studio = openStudio(await testEnv({ home, root: repository }));
  onTestFinished(() => studio.close());
  return studio;
}

const startWorker = (studio: Studio) =>
  startScript(join(repository, 'workers/main.ts'), {
    ENCORE_HOME: studio.env.home,
    ENCORE_LOG_LEVEL: 'info',
  });
type WorkerProcess = ReturnType<typeof startWorker>;

/** Process id of the engine that a worker said is ready last. */
const enginePid = (worker: WorkerProcess) =>
  eventually(
    () => Number(/"enginePid":(\d+)(?![\s\S]*"enginePid")/.exec(worker.output())?.[1]),
    'the engine',
  );

const draw = async (studio: Studio, steps = 25) =>
  (await createGeneration(studio, aRequest({ model: 'toybox', prompt: 'a fox in a meadow', seed: 1, steps })))
    .generation.id;

const reaches = (studio: Studio, id: string, is: (generation: Generation) => boolean, what: string) =>
  eventually(
    async () => {
      const generation = await getGeneration(studio, id);
      return is(generation) ? generation : null;
    },
    what,
    120,
  );
const ends = (studio: Studio, id: string) =>
  reaches(studio, id, ({ status }) => ['succeeded', 'failed', 'cancelled'].includes(status), 'the end');
const denoises = (studio: Studio, id: string) =>
  reaches(studio, id, ({ status, step }) => status === 'running' && (step ?? 0) > 0, 'a step');

async function fileOf(studio: Studio, { assets }: Generation): Promise<Buffer> {
  const file = await readFile((await getAssetFile(studio, assets[0]?.id ?? '')).path);
  expect(await sharp(file).metadata()).toMatchObject({ format: 'png', width: 128, height: 128 });
  return file;
}

/** Long enough to be met in the middle of its work, on any machine. */
const LONG = 400;

test('kill -9 of the engine while it draws: drawn by the next one, byte for byte as without the kill', async () => {
  const studio = await aStudio();
  const worker = startWorker(studio);
  const undisturbed = await ends(studio, await draw(studio, LONG));
  const id = await draw(studio, LONG);
  await denoises(studio, id);
  process.kill(await enginePid(worker), 'SIGKILL');
  const done = await ends(studio, id);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 2 });
  expect(await fileOf(studio, done)).toEqual(await fileOf(studio, undisturbed));
}, 300_000);

test('kill -9 of the worker while it draws: its engine goes with it, the next worker draws the picture', async () => {
  const studio = await aStudio();
  const first = startWorker(studio);
  const id = await draw(studio, LONG);
  await denoises(studio, id);
  const engine = await enginePid(first);
  first.kill('SIGKILL');
  await eventually(() => !isAlive(engine), 'the orphan to go', 10);
  expect(await getGeneration(studio, id)).toMatchObject({ status: 'running' });
  const second = startWorker(studio);
  const done = await ends(studio, id);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 2 });
  await fileOf(studio, done);
  expect((await getHealth(studio, '1')).status).toBe('ok');
  second.kill('SIGTERM');
  expect(await ended(second)).toBe(0);
  expect((await getHealth(studio, '1')).status).toBe('degraded');
}, 300_000);

test('kill -9 of the worker while it cancels: cancelled all the same', async () => {
  const studio = await aStudio();
  const first = startWorker(studio);
  const id = await draw(studio, LONG);
  await denoises(studio, id);
  process.kill(await enginePid(first), 'SIGSTOP');
  await cancelGeneration(studio, id);
  first.kill('SIGKILL');
  process.kill(await enginePid(first), 'SIGKILL');
  startWorker(studio);
  expect(await ends(studio, id)).toMatchObject({ status: 'cancelled', assets: [], error: null });
}, 300_000);

test('SIGTERM gives the running job back at once and leaves no process behind', async () => {
  const studio = await aStudio();
  const worker = startWorker(studio);
  const id = await draw(studio, LONG);
  await denoises(studio, id);
  const engine = await enginePid(worker);
  worker.kill('SIGTERM');
  expect(await ended(worker)).toBe(0);
  expect(isAlive(engine)).toBe(false);
  expect(await getGeneration(studio, id)).toMatchObject({ status: 'queued', attempt: 0 });
}, 300_000);

test('a database that is locked for 10 s while a picture is drawn: the picture is there afterwards', async () => {
  const studio = await aStudio();
  const worker = startWorker(studio);
  const id = await draw(studio, LONG);
  await denoises(studio, id);
  const other = new Connection({ file: databaseFile(studio.env.home) });
  onTestFinished(() => other.close());
  await other.begin();
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  other.commit();
  expect(await ends(studio, id)).toMatchObject({ status: 'succeeded', attempt: 1 });
  expect(worker.exitCode).toBeNull();
}, 300_000);

test('damaged weights fail their own job with the file and a remedy, and the next job runs', async () => {
  const studio = await aStudio();
  const broken = join(studio.env.home, 'models', 'broken');
  await cp(join(repository, 'models', 'toybox'), broken, { recursive: true });
  const unet = join(broken, 'unet', 'diffusion_pytorch_model.safetensors');
  await truncate(unet, (await stat(unet)).size - 1000);
  const worker = startWorker(studio);
  const request = aRequest({ model: 'broken', prompt: 'a fox in a meadow', steps: 5 });
  const { generation } = await createGeneration(studio, request);
  const failed = await ends(studio, generation.id);
  expect(failed).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'checkpoint_invalid' } });
  expect(failed.error?.detail).toContain('diffusion_pytorch_model.safetensors');
  expect(await ends(studio, await draw(studio, 5))).toMatchObject({ status: 'succeeded' });
  expect(worker.exitCode).toBeNull();
}, 300_000);

/** A killed process whose parent has not asked for its end yet is a zombie: dead. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
