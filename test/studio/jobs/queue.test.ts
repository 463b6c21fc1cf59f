import { expect, test } from 'vitest';
import { EncoreError } from '../../../lib/contracts/errors.ts';
import { LEASE_MS } from '../../../lib/studio/jobs/queue.ts';
import {
  cancelGeneration,
  createGeneration,
  deleteGeneration,
  getGeneration,
  getHealth,
  getQueue,
  moveInQueue,
  setQueuePaused,
} from '../../../lib/studio/services/index.ts';
import { reportWorker } from '../../../lib/studio/services/status.ts';
import type { Studio } from '../../../lib/studio/studio.ts';
import { aPicture, aReceipt, aRequest, testClock, testStudio } from '../../support/studio.ts';

const create = async (studio: Studio, prompt = 'a fox') =>
  (await createGeneration(studio, aRequest({ prompt }))).generation;

const statuses = async (studio: Studio, id: string) =>
  (await studio.events.since(0, { generationId: id })).flatMap(({ event }) =>
    event.type === 'status' ? [event.generation.status] : [],
  );

async function claimed(studio: Studio) {
  const { id } = await create(studio);
  const job = await studio.jobs.claim('worker');
  if (job?.id !== id) throw new Error(`claimed ${job?.id} instead of ${id}`);
  return job;
}

test('a job runs: claimed once, its pictures, receipt and state appear together', async () => {
  const studio = await testStudio();
  const { id } = await create(studio);
  const job = await studio.jobs.claim('worker');
  expect(job).toMatchObject({
    id,
    attempt: 1,
    crashes: 0,
    params: { prompt: 'a fox', width: 64, steps: 50 },
  });
  expect(await studio.jobs.claim('another')).toBeNull();
  const token = job?.token ?? '';
  await studio.jobs.progress(token, { progress: 0.5, step: 25, steps: 50, etaSeconds: 3, stage: 'denoise' });
  expect(await getGeneration(studio, id)).toMatchObject({
    status: 'running',
    progress: 0.5,
    step: 25,
    etaSeconds: 3,
  });
  expect(await studio.jobs.finish(token, [aPicture(7), aPicture(8)], aReceipt())).toBe(true);
  const done = await getGeneration(studio, id);
  expect(done).toMatchObject({
    status: 'succeeded',
    progress: 1,
    etaSeconds: null,
    receipt: { encoderRuns: 9 },
  });
  expect(done.assets.map(({ seed }) => seed)).toEqual([7, 8]);
  expect(await statuses(studio, id)).toEqual(['queued', 'running', 'succeeded']);
});

test('jobs run in the order they came, unless one was moved', async () => {
  const studio = await testStudio();
  const [a, b, c] = [await create(studio, 'a'), await create(studio, 'b'), await create(studio, 'c')];
  expect(await moveInQueue(studio, c.id, 0)).toMatchObject({ id: c.id, queuePosition: 0 });
  expect(await moveInQueue(studio, a.id, 99)).toMatchObject({ id: a.id, queuePosition: 2 });
  const order = [];
  for (let i = 0; i < 3; i++) order.push((await studio.jobs.claim('worker'))?.id);
  expect(order).toEqual([c.id, b.id, a.id]);
});

test('moving between two jobs that came in the same millisecond puts it between them', async () => {
  const studio = await testStudio({}, { now: testClock().now });
  const [a, b, c] = [await create(studio, 'a'), await create(studio, 'b'), await create(studio, 'c')];
  await moveInQueue(studio, c.id, 1);
  const order = [];
  for (let i = 0; i < 3; i++) order.push((await studio.jobs.claim('worker'))?.id);
  expect(order).toEqual([a.id, c.id, b.id]);
});

test('moving in a long queue of one moment is one statement, and leaves the order of the others', async () => {
  const studio = await testStudio({}, { now: testClock().now });
  await Promise.all(Array.from({ length: 300 }, () => create(studio)));
  const rows = await studio.db.read((r) =>
    r.generation.findMany({ select: { id: true }, orderBy: { seq: 'asc' } }),
  );
  const ids = rows.map(({ id }) => id);
  const wanted = [...ids.slice(0, 99), ids[299], ...ids.slice(99, 299)];
  expect(await moveInQueue(studio, ids[299] ?? '', 99)).toMatchObject({ queuePosition: 99 });
  const { queued } = await getQueue(studio);
  expect(queued.map(({ id }) => id)).toEqual(wanted.slice(0, 200));
  // What comes now still comes last.
  expect(await create(studio)).toMatchObject({ queuePosition: 300 });
});

test('a paused queue starts nothing and goes on where it was', async () => {
  const studio = await testStudio();
  const { id } = await create(studio);
  expect(await setQueuePaused(studio, true)).toMatchObject({ paused: true, queued: [{ id }] });
  expect(await studio.jobs.claim('worker')).toBeNull();
  await setQueuePaused(studio, false);
  expect(await studio.jobs.claim('worker')).toMatchObject({ id });
});

test('a worker that was believed dead changes nothing when it comes back', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  const first = await claimed(studio);
  clock.pass(LEASE_MS + 1);
  expect(await studio.jobs.reap()).toBe(1);
  const second = await studio.jobs.claim('another');
  expect(second).toMatchObject({ id: first.id, attempt: 2 });

  expect(await studio.jobs.standing(first.token)).toBe('lost');
  expect(await studio.jobs.heartbeat(first.token)).toBe('lost');
  await studio.jobs.progress(first.token, {
    progress: 0.9,
    step: 1,
    steps: 2,
    etaSeconds: 0,
    stage: 'denoise',
  });
  await studio.jobs.fail(first.token, new EncoreError('engine_failed', 'late'));
  await studio.jobs.release(first.token);
  expect(await studio.jobs.finish(first.token, [aPicture(1)], aReceipt())).toBe(false);

  expect(await getGeneration(studio, first.id)).toMatchObject({ status: 'running', progress: 0, assets: [] });
  expect(await studio.jobs.finish(second?.token ?? '', [aPicture(1)], aReceipt())).toBe(true);
});

test('a heartbeat keeps the lease', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  const job = await claimed(studio);
  for (let i = 0; i < 4; i++) {
    clock.pass(LEASE_MS * 0.6);
    expect(await studio.jobs.reap()).toBe(0);
    expect(await studio.jobs.heartbeat(job.token)).toBe('ours');
  }
});

test('a job whose workers keep vanishing is given up with a sentence', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  const { id } = await create(studio);
  let claims = 0;
  while ((await studio.jobs.claim(`worker ${claims}`)) !== null) {
    claims += 1;
    clock.pass(LEASE_MS + 1);
    await studio.jobs.reap();
  }
  expect(claims).toBe(4);
  expect(await getGeneration(studio, id)).toMatchObject({
    status: 'failed',
    error: { code: 'engine_lost', detail: 'The worker stopped 4 times while it was drawing this.' },
  });
});

test('an engine that dies is given one more try, then the job fails', async () => {
  const studio = await testStudio();
  const first = await claimed(studio);
  await studio.jobs.fail(
    first.token,
    new EncoreError('engine_lost', 'The engine process was ended by SIGKILL.'),
  );
  const second = await studio.jobs.claim('worker');
  expect(second).toMatchObject({ id: first.id, crashes: 1 });
  await studio.jobs.fail(second?.token ?? '', new EncoreError('out_of_memory', 'No memory.'));
  expect(await getGeneration(studio, first.id)).toMatchObject({
    status: 'failed',
    error: { code: 'out_of_memory' },
  });
});

test('an error of the input is final at once', async () => {
  const studio = await testStudio();
  const job = await claimed(studio);
  await studio.jobs.fail(
    job.token,
    new EncoreError('checkpoint_invalid', 'unet: 3 bytes', { remedy: 'Copy it again.' }),
  );
  expect(await getGeneration(studio, job.id)).toMatchObject({
    status: 'failed',
    error: { code: 'checkpoint_invalid', detail: 'unet: 3 bytes', remedy: 'Copy it again.' },
  });
});

test('a released job waits again, in its old place, and the claim does not count', async () => {
  const studio = await testStudio();
  const job = await claimed(studio);
  const later = await create(studio, 'later');
  await studio.jobs.release(job.token);
  expect(await getGeneration(studio, job.id)).toMatchObject({
    status: 'queued',
    attempt: 0,
    queuePosition: 0,
  });
  expect(await studio.jobs.claim('worker')).toMatchObject({ id: job.id, attempt: 1 });
  expect(await studio.jobs.claim('worker')).toMatchObject({ id: later.id });
});

test('cancelling: waiting at once, running when the worker lets go', async () => {
  const studio = await testStudio();
  const waiting = await create(studio);
  expect(await cancelGeneration(studio, waiting.id)).toMatchObject({ status: 'cancelled' });
  await expect(cancelGeneration(studio, waiting.id)).rejects.toMatchObject({ code: 'conflict' });

  const job = await claimed(studio);
  expect(await cancelGeneration(studio, job.id)).toMatchObject({ status: 'cancelling' });
  expect(await cancelGeneration(studio, job.id)).toMatchObject({ status: 'cancelling' });
  expect(await studio.jobs.standing(job.token)).toBe('cancel');
  await studio.jobs.fail(job.token, new EncoreError('cancelled', 'Cancelled.'));
  expect(await getGeneration(studio, job.id)).toMatchObject({ status: 'cancelled', error: null });
  expect(await statuses(studio, job.id)).toEqual(['queued', 'running', 'cancelling', 'cancelled']);
});

test('a picture that is done after the cancel is not kept', async () => {
  const studio = await testStudio();
  const job = await claimed(studio);
  await cancelGeneration(studio, job.id);
  expect(await studio.jobs.finish(job.token, [aPicture(1)], aReceipt())).toBe(false);
  expect(await getGeneration(studio, job.id)).toMatchObject({ status: 'cancelled', assets: [] });
});

test('a job that was being cancelled when its worker vanished is cancelled', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  const job = await claimed(studio);
  await cancelGeneration(studio, job.id);
  clock.pass(LEASE_MS + 1);
  await studio.jobs.reap();
  expect(await getGeneration(studio, job.id)).toMatchObject({ status: 'cancelled' });
});

test('deleting a running generation stops it', async () => {
  const studio = await testStudio();
  const job = await claimed(studio);
  await deleteGeneration(studio, job.id);
  expect(await studio.jobs.standing(job.token)).toBe('cancel');
  await expect(getGeneration(studio, job.id)).rejects.toMatchObject({ code: 'not_found' });
});

test('a clock that is put back neither holds on to a lost job nor lets new ones in before those that wait', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  const lost = await claimed(studio);
  const waiting = await create(studio);
  await reportWorker(studio, 'gone', null);
  clock.pass(-3_600_000);
  const late = await create(studio);
  expect(await getHealth(studio, '1')).toMatchObject({ status: 'degraded' });
  await reportWorker(studio, 'here', null);
  expect(await getHealth(studio, '1')).toMatchObject({ status: 'ok' });

  expect(await studio.jobs.reap()).toBe(1);
  const order = [];
  for (let job = await studio.jobs.claim('here'); job !== null; job = await studio.jobs.claim('here'))
    order.push(job.id);
  expect(order).toEqual([lost.id, waiting.id, late.id]);
  // A lease that was given by the new clock is a good one.
  expect(await studio.jobs.reap()).toBe(0);
});
