import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EventLog, type LoggedEvent } from '../../../lib/studio/events/log.ts';
import { createGeneration, updateGeneration, waitForGeneration } from '../../../lib/studio/services/index.ts';
import { tidy } from '../../../lib/studio/services/housekeeping.ts';
import { aPicture, aReceipt, aRequest, testClock, testStudio } from '../../support/studio.ts';

test('a reader that reconnects 50 times has every event once, in order', async () => {
  const studio = await testStudio();
  const { generation } = await createGeneration(studio, aRequest());
  const TOTAL = 200;
  const writing = (async () => {
    for (let i = 0; i < TOTAL; i++) await updateGeneration(studio, generation.id, { starred: i % 2 === 0 });
  })();

  const seen: LoggedEvent[] = [];
  let lastId = 0;
  let connections = 0;
  while (seen.length < TOTAL + 1) {
    connections += 1;
    const connection = new AbortController();
    let left = 4;
    for await (const event of studio.events.subscribe(lastId, {}, connection.signal)) {
      seen.push(event);
      lastId = event.id;
      left -= 1;
      if (left === 0 || seen.length === TOTAL + 1) connection.abort();
    }
  }
  await writing;
  expect(connections).toBeGreaterThanOrEqual(50);
  expect(seen).toEqual(await studio.events.since(0));
  expect(new Set(seen.map(({ id }) => id)).size).toBe(TOTAL + 1);
});

test('each reader gets what was asked for: one generation, or everything from now on', async () => {
  const studio = await testStudio();
  const { generation: a } = await createGeneration(studio, aRequest({ prompt: 'a' }));
  const stop = new AbortController();
  const collect = async (after: number, filter: { generationId?: string }) => {
    const ids: string[] = [];
    for await (const { event } of studio.events.subscribe(after, filter, stop.signal))
      if (event.type !== 'install') ids.push(event.generationId);
    return ids;
  };
  const ofA = collect(0, { generationId: a.id });
  const fromNow = collect(await studio.events.latestId(), {});
  const fromTheFuture = collect(1_000_000, {});
  await sleep(100);
  const { generation: b } = await createGeneration(studio, aRequest({ prompt: 'b' }));
  await updateGeneration(studio, a.id, { starred: true });
  await sleep(600);
  stop.abort();
  expect(await ofA).toEqual([a.id, a.id]);
  expect(await fromNow).toEqual([b.id, a.id]);
  expect(await fromTheFuture).toEqual([b.id, a.id]);
});

test('previews are pruned once nobody can be waiting for them, everything else stays', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  await createGeneration(studio, aRequest());
  const job = await studio.jobs.claim('worker');
  const token = job?.token ?? '';
  await studio.jobs.preview(token, 3, 'data:image/webp;base64,AA==');
  await studio.jobs.progress(token, { progress: 0.5, step: 3, steps: 9, etaSeconds: 1, stage: 'denoise' });
  await studio.jobs.finish(job?.token ?? '', [aPicture(1)], aReceipt());
  const types = async () => (await studio.events.since(0)).map(({ event }) => event.type);
  await tidy(studio);
  expect(await types()).toEqual(['status', 'status', 'preview', 'progress', 'status']);
  clock.pass(6 * 60_000);
  await tidy(studio);
  expect(await types()).toEqual(['status', 'status', 'status']);
});

test('a hundred readers that keep up cost the database what one does, and each has what is for it', async () => {
  const studio = await testStudio();
  const ids = [(await createGeneration(studio, aRequest())).generation.id];
  ids.push((await createGeneration(studio, aRequest())).generation.id);
  const from = await studio.events.latestId();
  let reads = 0;
  const log = new EventLog({
    ...studio.db,
    read: (work) => {
      reads += 1;
      return studio.db.read(work);
    },
  });
  const stop = new AbortController();
  const seen = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const filter = i % 2 === 0 ? {} : { generationId: ids[1] };
      const mine: string[] = [];
      const wanted = i % 2 === 0 ? 20 : 10;
      for await (const { event } of log.subscribe(from, filter, stop.signal)) {
        if ('generationId' in event) mine.push(event.generationId);
        if (mine.length === wanted) break;
      }
      return mine;
    }).concat(
      (async () => {
        for (let i = 0; i < 10; i++) {
          for (const id of ids) await updateGeneration(studio, id, { starred: i % 2 === 0 });
          await sleep(50);
        }
        return [];
      })(),
    ),
  );
  expect(seen[0]).toEqual(Array.from({ length: 10 }, () => ids).flat());
  expect(seen[99]).toEqual(Array<string>(10).fill(ids[1] ?? ''));
  // 20 events in about a second: a poll and a page for each 150 ms, whoever reads.
  expect(reads).toBeLessThan(100);
});

test('waiting for a generation ends with it, or with the time', async () => {
  const studio = await testStudio();
  const { generation } = await createGeneration(studio, aRequest());
  expect(await waitForGeneration(studio, generation.id, 0.2)).toMatchObject({ status: 'queued' });
  const waiting = waitForGeneration(studio, generation.id, 30);
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [aPicture(1)], aReceipt());
  expect(await waiting).toMatchObject({ status: 'succeeded' });
  expect(await waitForGeneration(studio, generation.id, 30)).toMatchObject({ status: 'succeeded' });
});
