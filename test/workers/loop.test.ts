import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import {
  cancelGeneration,
  createGeneration,
  deleteGeneration,
  getAssetFile,
  getGeneration,
  getQueue,
  readPictureInfo,
  type Studio,
  verifyGeneration,
} from '../../lib/studio/services/index.ts';
import { EngineProcess, type EngineProcessOptions } from '../../workers/engine-process.ts';
import { createHandler } from '../../workers/handlers/index.ts';
import { runLoop } from '../../workers/loop.ts';
import { eventually } from '../support/process.ts';
import { aRequest, testStudio } from '../support/studio.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const scripted = new URL('./support/scripted-engine.ts', import.meta.url);

async function aWorker(options: Partial<EngineProcessOptions> = {}, onPulse?: () => Promise<void>) {
  const studio = await testStudio();
  const engine = new EngineProcess({
    entry: scripted,
    log: quiet,
    backoffMs: 50,
    cancelGraceMs: 500,
    ...options,
  });
  const stopping = new AbortController();
  const embed = { on: true };
  const tools = {
    engine,
    models: studio.models,
    assets: studio.assets,
    embedMetadata: async () => embed.on,
    version: '1.2.3',
    ffmpeg: undefined,
  };
  const running = runLoop({
    jobs: studio.jobs,
    workerId: 'test',
    handle: createHandler(tools),
    log: quiet,
    signal: stopping.signal,
    pollMs: 20,
    pulseMs: 100,
    onPulse,
  });
  const stop = async () => {
    stopping.abort();
    await running;
    await engine.stop();
  };
  onTestFinished(stop);
  return { studio, engine, embed, stop };
}

const draw = async (studio: Studio, prompt: string, more: { count?: number } = {}) =>
  (await createGeneration(studio, aRequest({ prompt, steps: 20, seed: 10, ...more }))).generation.id;

const over = (studio: Studio, id: string) =>
  eventually(async () => {
    const generation = await getGeneration(studio, id);
    return generation.finishedAt === null ? null : generation;
  }, 'the end');

const running = (studio: Studio, id: string) =>
  eventually(async () => (await getGeneration(studio, id)).step !== null, 'the first step');

test('a picture is drawn, stored with how it was made, and told about on the way', async () => {
  const { studio } = await aWorker();
  const id = await draw(studio, 'a slow fox', { count: 2 });
  expect(await over(studio, id)).toMatchObject({
    status: 'succeeded',
    attempt: 1,
    assets: [{ seed: 10 }, { seed: 11 }],
  });
  const { assets } = await getGeneration(studio, id);
  for (const { id: asset, seed } of assets) {
    const file = await readFile((await getAssetFile(studio, asset)).path);
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 64, height: 64, channels: 3 });
    expect(data.every((value) => value === seed)).toBe(true);
  }
  const events = (await studio.events.since(0, { generationId: id })).map(({ event }) => event);
  const progress = events.flatMap((event) => (event.type === 'progress' ? [event.progress] : []));
  expect(progress.length).toBeGreaterThan(3);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  const previews = events.flatMap((event) => (event.type === 'preview' ? [event.image] : []));
  expect(previews.length).toBeGreaterThan(1);
  expect(previews[0]).toMatch(/^data:image\/webp;base64,/);
  expect(events.at(-1)).toMatchObject({ type: 'status', generation: { status: 'succeeded' } });
});

test('an engine that dies is started again and the job is done on the second try, with a notice', async () => {
  const { studio } = await aWorker();
  const id = await draw(studio, 'dies once');
  const done = await over(studio, id);
  expect(done).toMatchObject({ status: 'succeeded', attempt: 2 });
  expect(done.receipt?.notices).toEqual([expect.stringContaining('first try ended early')]);
});

test('a job that kills every engine fails with a sentence, and the next job runs', async () => {
  const { studio } = await aWorker();
  const deadly = await draw(studio, 'always dies');
  const next = await draw(studio, 'a fox');
  expect(await over(studio, deadly)).toMatchObject({
    status: 'failed',
    attempt: 2,
    error: { code: 'engine_lost', detail: 'The engine process was ended by SIGKILL.' },
  });
  expect(await over(studio, next)).toMatchObject({ status: 'succeeded' });
});

test('an engine that cannot even start fails the job instead of keeping it', async () => {
  const { studio } = await aWorker({ args: ['--broken'] });
  const id = await draw(studio, 'a fox');
  expect(await over(studio, id)).toMatchObject({
    status: 'failed',
    error: { code: 'engine_lost', detail: 'The engine process ended with code 1 while starting.' },
  });
});

test('an engine that cannot run here fails the job with its own reason, at once', async () => {
  const { studio } = await aWorker({ args: ['--refuses'] });
  const id = await draw(studio, 'a fox');
  expect(await over(studio, id)).toMatchObject({
    status: 'failed',
    attempt: 1,
    error: { code: 'device_unavailable', detail: 'There is no GPU.' },
  });
});

test('an engine that says nothing any more is killed', async () => {
  const { studio } = await aWorker({ silenceMs: 300 });
  const id = await draw(studio, 'hangs');
  expect(await over(studio, id)).toMatchObject({ status: 'failed', error: { code: 'engine_lost' } });
});

test('an error of the engine reaches the user as it is, without a second try', async () => {
  const { studio } = await aWorker();
  expect(await over(studio, await draw(studio, 'refuses'))).toMatchObject({
    status: 'failed',
    attempt: 1,
    error: { code: 'checkpoint_invalid', detail: 'unet is damaged', remedy: 'Copy it again.' },
  });
});

test('cancelling a running job keeps the engine that listens', async () => {
  const { studio, engine } = await aWorker();
  const id = await draw(studio, 'slow');
  await running(studio, id);
  const { pid } = engine;
  expect(await cancelGeneration(studio, id)).toMatchObject({ status: 'cancelling' });
  expect(await over(studio, id)).toMatchObject({ status: 'cancelled', assets: [], error: null });
  expect(engine.pid).toBe(pid);
});

test('cancelling kills an engine that does not listen, and the next job has a new one', async () => {
  const { studio, engine } = await aWorker();
  const id = await draw(studio, 'deaf');
  await running(studio, id);
  const { pid } = engine;
  await cancelGeneration(studio, id);
  expect(await over(studio, id)).toMatchObject({ status: 'cancelled', error: null });
  expect(await over(studio, await draw(studio, 'a fox'))).toMatchObject({ status: 'succeeded' });
  expect(engine.pid).not.toBe(pid);
});

test('stopping gives the running job back and leaves no process', async () => {
  const { studio, engine, stop } = await aWorker();
  const id = await draw(studio, 'slow');
  await running(studio, id);
  await stop();
  expect(await getGeneration(studio, id)).toMatchObject({ status: 'queued', attempt: 0, progress: 0 });
  expect(engine.pid).toBeUndefined();
});

test('a job that was given to someone else is let go of', async () => {
  const { studio } = await aWorker();
  const id = await draw(studio, 'slow');
  await running(studio, id);
  await studio.db.write((tx) =>
    tx.generation.update({ where: { id }, data: { claimToken: 'someone else' } }),
  );
  await sleep(1000);
  expect(await getGeneration(studio, id)).toMatchObject({ status: 'running', assets: [] });
  expect(await over(studio, await draw(studio, 'a fox'))).toMatchObject({ status: 'succeeded' });
  expect((await getQueue(studio)).running).toMatchObject([{ id }]);
});

test('a picture says how it was made only while that is wanted', async () => {
  const { studio, embed } = await aWorker();
  const parameters = async (id: string) => {
    const asset = (await over(studio, id)).assets[0]?.id ?? '';
    return (await readPictureInfo(studio, await readFile((await getAssetFile(studio, asset)).path))).source;
  };
  expect(await parameters(await draw(studio, 'a fox'))).toBe('encore');
  embed.on = false;
  expect(await parameters(await draw(studio, 'a fox'))).toBeNull();
});

test('verifying draws the same request exactly, once, and says how far apart the two are', async () => {
  const { studio } = await aWorker();
  const id = await draw(studio, 'a fox', { count: 2 });
  await over(studio, id);
  const [first, second] = await Promise.all([verifyGeneration(studio, id), verifyGeneration(studio, id)]);
  expect(second.id).toBe(first.id);
  expect(first).toMatchObject({ verifies: id, params: { plan: 'exact', injection: 0, seed: 10, count: 2 } });
  const done = await over(studio, first.id);
  expect(done.comparison).toEqual({
    psnr: 10 * Math.log10(255 ** 2 / 4),
    meanDifference: 2,
    maxDifference: 2,
  });
  expect(await getGeneration(studio, id)).toMatchObject({ verifiedBy: first.id, comparison: null });
  expect((await verifyGeneration(studio, id)).id).toBe(first.id);
  await expect(verifyGeneration(studio, first.id)).rejects.toMatchObject({ code: 'conflict' });

  await deleteGeneration(studio, first.id);
  expect(await getGeneration(studio, id)).toMatchObject({ verifiedBy: null });
  expect(await verifyGeneration(studio, id)).toMatchObject({ id: first.id, status: 'succeeded' });
});

test('verifying what was drawn exactly shows that nothing differs', async () => {
  const { studio } = await aWorker();
  const { generation } = await createGeneration(studio, aRequest({ plan: 'exact', steps: 3, seed: 7 }));
  await over(studio, generation.id);
  const { id } = await verifyGeneration(studio, generation.id);
  expect((await over(studio, id)).comparison).toEqual({ psnr: null, meanDifference: 0, maxDifference: 0 });
});

test('verifying a video compares it with its exact run frame by frame', async () => {
  const { studio } = await aWorker();
  const video = { frames: 3, fps: 4, motion: { x: 1, y: 0 }, format: 'webm' } as const;
  const request = aRequest({ task: 'text-to-video', video, steps: 20, seed: 100 });
  const { generation } = await createGeneration(studio, request);
  await over(studio, generation.id);
  const exact = await over(studio, (await verifyGeneration(studio, generation.id)).id);
  expect(exact).toMatchObject({ status: 'succeeded', assets: [{ frames: 3, type: 'video/webm' }] });
  const { comparison } = exact;
  expect(comparison?.frames).toHaveLength(3);
  // Grays 2 apart, and what VP9 makes of them.
  for (const each of [comparison, ...(comparison?.frames ?? [])]) {
    expect(each?.meanDifference).toBeGreaterThan(0.5);
    expect(each?.meanDifference).toBeLessThan(3.5);
  }
});

test('what the worker does beside its jobs never costs a lease', async () => {
  const done = new AbortController();
  const { studio } = await aWorker({}, () => sleep(60_000, undefined, { signal: done.signal }));
  onTestFinished(() => done.abort());
  const id = await draw(studio, 'hangs');
  const lease = async () =>
    (
      await studio.db.read((r) => r.generation.findUnique({ where: { id }, select: { heartbeatAt: true } }))
    )?.heartbeatAt?.getTime() ?? 0;
  const first = await eventually(lease, 'the claim');
  await eventually(async () => (await lease()) > first + 300, 'the third heartbeat', 10);
  done.abort();
});
