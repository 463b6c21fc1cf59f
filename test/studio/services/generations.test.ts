import { rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createGeneration,
  deleteGeneration,
  getGeneration,
  getHealth,
  getQueue,
  listGenerations,
  outlineGenerations,
  restoreGeneration,
  retryGeneration,
  type Studio,
  updateGeneration,
} from '../../../lib/studio/services/index.ts';
import { generationQuerySchema, healthSchema, outlineQuerySchema } from '../../../lib/contracts/api.ts';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import { generationSchema } from '../../../lib/contracts/generation.ts';
import { tidy, UNDO_MS } from '../../../lib/studio/services/housekeeping.ts';
import { reportWorker } from '../../../lib/studio/services/status.ts';
import { openStudio } from '../../../lib/studio/studio.ts';
import { aPicture, aReceipt, aRequest, testClock, testStudio, writeModel } from '../../support/studio.ts';

const query = (overrides: Record<string, string> = {}) => generationQuerySchema.parse(overrides);
const prompts = async (studio: Studio, overrides: Record<string, string> = {}) =>
  (await listGenerations(studio, query(overrides))).items.map(({ params }) => params.prompt);

async function finished(studio: Studio, prompt: string) {
  const { generation } = await createGeneration(studio, aRequest({ prompt }));
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [aPicture(1)], aReceipt());
  return generation;
}

test('a request is stored with the defaults of the model and a seed, as the contract says', async () => {
  const studio = await testStudio({}, { randomSeed: () => 4_294_967_295 });
  const { generation, replayed } = await createGeneration(studio, aRequest());
  expect(generationSchema.parse(generation)).toEqual(generation);
  expect(replayed).toBe(false);
  expect(generation).toMatchObject({
    status: 'queued',
    queuePosition: 0,
    seed: 4_294_967_295,
    params: {
      model: 'tiny',
      width: 64,
      height: 64,
      steps: 50,
      guidanceScale: 7.5,
      scheduler: 'ddim',
      plan: 'faster',
      injection: 0.003,
    },
  });
  const exact = await createGeneration(studio, aRequest({ plan: 'exact', seed: 0, guidanceScale: 0 }));
  expect(exact.generation).toMatchObject({
    queuePosition: 1,
    params: { seed: 0, guidanceScale: 0, injection: 0 },
  });
});

test('refuses a model, a plan or a number of jobs that it does not have', async () => {
  const studio = await testStudio({ queueLimit: 2 });
  await expect(createGeneration(studio, aRequest({ model: 'other' }))).rejects.toMatchObject({
    code: 'unknown_model',
  });
  const beyond = aRequest({ steps: 20, plan: { keySteps: [0, 30] } });
  await expect(createGeneration(studio, beyond)).rejects.toMatchObject({ code: 'invalid_parameter' });
  const results = await Promise.allSettled([1, 2, 3].map(() => createGeneration(studio, aRequest())));
  const refused = results.filter((result) => result.status === 'rejected');
  // Sent at once, they may arrive in any order.
  expect(refused).toMatchObject([{ reason: { code: 'queue_full', status: 429 } }]);
  expect(results).toHaveLength(3);
});

test('refuses when the disk is nearly full', async () => {
  const studio = await testStudio({ minFreeBytes: Number.MAX_SAFE_INTEGER });
  await expect(createGeneration(studio, aRequest())).rejects.toMatchObject({
    code: 'storage_full',
    status: 507,
  });
  expect((await getQueue(studio)).queued).toEqual([]);
});

test('an idempotency key makes one generation, however often and from wherever it is sent', async () => {
  const studio = await testStudio();
  const other = openStudio(studio.env);
  const send = (s: Studio) => createGeneration(s, aRequest(), { idempotencyKey: 'key-1' });
  const answers = await Promise.all([send(studio), send(studio), send(other), send(other), send(studio)]);
  await other.close();
  expect(new Set(answers.map(({ generation }) => generation.id)).size).toBe(1);
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  await expect(
    createGeneration(studio, aRequest({ prompt: 'another' }), { idempotencyKey: 'key-1' }),
  ).rejects.toMatchObject({ code: 'idempotency_conflict', status: 409 });
  expect(await studio.db.read((r) => r.generation.count())).toBe(1);
});

test('a burst of requests is stored whole, each answered with its own', async () => {
  const studio = await testStudio();
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, i) => createGeneration(studio, aRequest({ prompt: `picture ${i}` }))),
  );
  answers.forEach(({ generation }, i) => expect(generation.params.prompt).toBe(`picture ${i}`));
  const positions = answers.map(({ generation }) => generation.queuePosition ?? -1);
  expect(positions.sort((a, b) => a - b)).toEqual(answers.map((_, i) => i));
  expect(await studio.db.read((r) => r.event.count({ where: { type: 'status' } }))).toBe(500);
});

test('the history is paged newest first, without a gap or a double, while new ones come in', async () => {
  const studio = await testStudio();
  for (let i = 0; i < 7; i++) await createGeneration(studio, aRequest({ prompt: `p${i}` }));
  const first = await listGenerations(studio, query({ limit: '3' }));
  await createGeneration(studio, aRequest({ prompt: 'new' }));
  const second = await listGenerations(studio, query({ limit: '3', cursor: first.nextCursor ?? '' }));
  const third = await listGenerations(studio, query({ limit: '3', cursor: second.nextCursor ?? '' }));
  const all = [first, second, third].flatMap(({ items }) => items.map(({ params }) => params.prompt));
  expect(all).toEqual(['p6', 'p5', 'p4', 'p3', 'p2', 'p1', 'p0']);
  expect(third.nextCursor).toBeNull();
  await expect(listGenerations(studio, query({ cursor: 'nonsense' }))).rejects.toMatchObject({
    code: 'invalid_request',
  });
});

test('the outline has every entry that is in the history once, in its order, however it is filtered', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  for (let i = 0; i < 40; i++) {
    const { generation } = await createGeneration(
      studio,
      aRequest({ prompt: i % 3 === 0 ? 'a fox' : 'an owl' }),
    );
    if (i % 10 === 0) await updateGeneration(studio, generation.id, { starred: true });
    if (i === 5) await deleteGeneration(studio, generation.id);
    clock.pass(7 * 60_000);
  }
  const all = (await listGenerations(studio, query({ limit: '200' }))).items;
  const middle = all[20]?.createdAt ?? '';
  const filters: Record<string, string>[] = [
    {},
    { q: 'fox' },
    { starred: 'true' },
    { from: middle },
    { to: middle, q: 'owl' },
  ];
  for (const filter of filters) {
    const { quarters } = await outlineGenerations(studio, outlineQuerySchema.parse(filter));
    const { items } = await listGenerations(studio, query({ limit: '200', ...filter }));
    expect(items.length).toBeGreaterThan(0);
    expect(quarters.flatMap(({ ids }) => ids)).toEqual(items.map(({ id }) => id));
    const begin = new Map(quarters.flatMap(({ at, ids }) => ids.map((id) => [id, at])));
    for (const { id, createdAt } of items) {
      const since = Date.parse(createdAt) - (begin.get(id) ?? 0);
      expect(since).toBeGreaterThanOrEqual(0);
      expect(since).toBeLessThan(15 * 60_000);
    }
  }
  expect((await listGenerations(studio, query({ from: middle }))).items).toHaveLength(21);
  expect((await listGenerations(studio, query({ to: middle }))).items).toHaveLength(18);
});

test('those that are named come, whatever the page would hold, and those that are gone are left out', async () => {
  const studio = await testStudio();
  const ids: string[] = [];
  for (let i = 0; i < 60; i++) ids.push((await createGeneration(studio, aRequest())).generation.id);
  await deleteGeneration(studio, ids[3] ?? '');
  const { items } = await listGenerations(studio, query({ ids: [...ids.slice(0, 55), 'nobody'].join(',') }));
  expect(new Set(items.map(({ id }) => id))).toEqual(new Set(ids.slice(0, 55).filter((id) => id !== ids[3])));
});

test('searches words in prompts, literally and in any case, and filters', async () => {
  const studio = await testStudio();
  const fox = await finished(studio, 'A Fox in the MEADOW');
  await createGeneration(studio, aRequest({ prompt: 'a 100% red_fox', negativePrompt: 'ÜBERBLENDUNG' }));
  await createGeneration(studio, aRequest({ prompt: 'a castle' }));
  expect(await prompts(studio, { q: 'meadow fox' })).toEqual(['A Fox in the MEADOW']);
  expect(await prompts(studio, { q: 'fox' })).toHaveLength(2);
  expect(await prompts(studio, { q: '0% r' })).toEqual(['a 100% red_fox']);
  expect(await prompts(studio, { q: 'd_f' })).toEqual(['a 100% red_fox']);
  expect(await prompts(studio, { q: 'a%fox' })).toEqual([]);
  expect(await prompts(studio, { q: 'überblendung' })).toEqual(['a 100% red_fox']);
  expect(await prompts(studio, { status: 'succeeded' })).toEqual(['A Fox in the MEADOW']);
  await updateGeneration(studio, fox.id, { starred: true });
  expect(await prompts(studio, { starred: 'true' })).toEqual(['A Fox in the MEADOW']);
  expect(await prompts(studio, { starred: 'false' })).toHaveLength(2);
  expect(await prompts(studio, { model: 'tiny', task: 'text-to-image' })).toHaveLength(3);
  expect(await prompts(studio, { model: 'none' })).toEqual([]);
});

test('a failed one is tried again as the same row; what runs or succeeded is not', async () => {
  const studio = await testStudio();
  const { generation } = await createGeneration(studio, aRequest({ seed: 5 }));
  await expect(retryGeneration(studio, generation.id)).rejects.toMatchObject({ code: 'conflict' });
  const job = await studio.jobs.claim('worker');
  await studio.jobs.fail(job?.token ?? '', new EncoreError('engine_failed', 'broken'));
  expect(await retryGeneration(studio, generation.id)).toMatchObject({
    id: generation.id,
    status: 'queued',
    error: null,
    attempt: 0,
    seed: 5,
    finishedAt: null,
  });
});

test('delete hides at once and undo brings everything back; after a day rows and files are gone', async () => {
  const clock = testClock(Date.now());
  const studio = await testStudio({}, { now: clock.now });
  const file = await studio.assets.put(Buffer.from('a picture'), 'image/png');
  const { generation } = await createGeneration(studio, aRequest());
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [{ ...file, width: 1, height: 1, seed: 1 }], aReceipt());

  await deleteGeneration(studio, generation.id);
  expect(await prompts(studio)).toEqual([]);
  await expect(getGeneration(studio, generation.id)).rejects.toMatchObject({ code: 'not_found' });
  expect(await restoreGeneration(studio, generation.id)).toMatchObject({
    status: 'succeeded',
    assets: [{ seed: 1 }],
  });
  expect((await studio.events.since(0)).map(({ event }) => event.type).slice(-2)).toEqual([
    'deleted',
    'status',
  ]);

  await deleteGeneration(studio, generation.id);
  clock.pass(UNDO_MS - 1);
  await tidy(studio);
  expect(await studio.db.read((r) => r.asset.count())).toBe(1);
  clock.pass(2);
  await tidy(studio);
  expect(await studio.db.read((r) => r.generation.count())).toBe(0);
  expect(await studio.assets.exists(file.hash, file.type)).toBe(false);
  await expect(restoreGeneration(studio, generation.id)).rejects.toMatchObject({ code: 'not_found' });
});

test('a file that two generations share stays until both are gone', async () => {
  const clock = testClock(Date.now());
  const studio = await testStudio({}, { now: clock.now });
  const file = await studio.assets.put(Buffer.from('shared'), 'image/png');
  const ids = [];
  for (let i = 0; i < 2; i++) {
    ids.push((await createGeneration(studio, aRequest())).generation.id);
    const job = await studio.jobs.claim('worker');
    await studio.jobs.finish(job?.token ?? '', [{ ...file, width: 1, height: 1, seed: 1 }], aReceipt());
  }
  for (const [i, id] of ids.entries()) {
    await deleteGeneration(studio, id);
    clock.pass(UNDO_MS + 1);
    await tidy(studio);
    expect(await studio.assets.exists(file.hash, file.type)).toBe(i === 0);
  }
});

test('a file that no row ever named goes after an hour, but none that was there before the worker', async () => {
  const clock = testClock(Date.now());
  const studio = await testStudio({}, { now: clock.now });
  const put = (text: string) => studio.assets.put(Buffer.from(text), 'image/png');
  const [orphan, older] = [await put('of a job that was cancelled'), await put('of another database')];
  const started = clock.now() - 60_000;
  await utimes(studio.assets.path(older.hash, older.type), new Date(started - 1), new Date(started - 1));
  const kept = await put('a picture');
  await createGeneration(studio, aRequest());
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [{ ...kept, width: 1, height: 1, seed: 1 }], aReceipt());
  const left = async () =>
    (
      await Promise.all([orphan, older, kept].map(({ hash, type }) => studio.assets.exists(hash, type)))
    ).join();
  const quarterOfAnHour = async () => {
    for (let minute = 0; minute < 16; minute++) {
      await tidy(studio, started);
      clock.pass(60_000);
    }
  };
  await quarterOfAnHour();
  expect(await left()).toBe('true,true,true');
  clock.pass(3_600_000);
  await quarterOfAnHour();
  expect(await left()).toBe('false,true,true');
});

test('health tells whether a worker is there, from its last sign of life', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  expect(healthSchema.parse(await getHealth(studio, '1.0'))).toMatchObject({
    status: 'degraded',
    worker: { alive: false },
  });
  await reportWorker(studio, 'w', {
    device: 'cpu',
    held: { model: 'toybox', bytes: 5 },
    ffmpeg: { version: '5.1', source: 'path', formats: ['mp4'] },
  });
  expect(healthSchema.parse(await getHealth(studio, '1.0'))).toMatchObject({
    status: 'ok',
    worker: { alive: true, device: 'cpu', held: { model: 'toybox', bytes: 5 } },
  });
  clock.pass(16_000);
  expect(await getHealth(studio, '1.0')).toMatchObject({ status: 'degraded', worker: { alive: false } });
});

test('a model that is put into a folder is there at once, and gone when it is removed', async () => {
  const studio = await testStudio();
  const folder = join(studio.env.home, 'models', 'mine');
  await writeModel(folder);
  const { generation } = await createGeneration(studio, aRequest({ model: 'mine' }));
  expect(generation.params.model).toBe('mine');
  await rm(folder, { recursive: true });
  await expect(createGeneration(studio, aRequest({ model: 'mine' }))).rejects.toMatchObject({
    code: 'unknown_model',
  });
});
