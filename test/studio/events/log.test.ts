import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LoggedEvent } from '../../../lib/studio/events/log.ts';
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
  await studio.jobs.preview(job?.token ?? '', 3, 'data:image/webp;base64,AA==');
  await studio.jobs.finish(job?.token ?? '', [aPicture(1)], aReceipt());
  const types = async () => (await studio.events.since(0)).map(({ event }) => event.type);
  await tidy(studio);
  expect(await types()).toEqual(['status', 'status', 'preview', 'status']);
  clock.pass(6 * 60_000);
  await tidy(studio);
  expect(await types()).toEqual(['status', 'status', 'status']);
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
