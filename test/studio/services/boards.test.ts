import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boardSchema, bulkSchema, settingsSchema } from '../../../lib/contracts/studio.ts';
import { generationQuerySchema } from '../../../lib/contracts/api.ts';
import {
  changeGenerations,
  createBoard,
  createGeneration,
  deleteBoard,
  getGeneration,
  getSettings,
  listBoards,
  listModels,
  listGenerations,
  renameBoard,
  type Studio,
  updateGeneration,
  updateSettings,
} from '../../../lib/studio/services/index.ts';
import { aPicture, aReceipt, aRequest, testClock, testStudio, writeModel } from '../../support/studio.ts';

const create = async (studio: Studio, prompt: string) =>
  (await createGeneration(studio, aRequest({ prompt }))).generation.id;
const onBoard = async (studio: Studio, board: string) =>
  (await listGenerations(studio, generationQuerySchema.parse({ board }))).items.map(({ id }) => id);

test('a board: made, named, filled, shown with its newest picture, taken away without its pictures', async () => {
  const clock = testClock();
  const studio = await testStudio({}, { now: clock.now });
  const foxes = await createBoard(studio, 'Foxes');
  clock.pass(1);
  const other = await createBoard(studio, 'Other');
  const [a, b, c] = [await create(studio, 'a'), await create(studio, 'b'), await create(studio, 'c')];
  const job = await studio.jobs.claim('worker');
  await studio.jobs.finish(job?.token ?? '', [aPicture(1)], aReceipt());

  expect(await updateGeneration(studio, a, { boardId: foxes.id })).toMatchObject({
    boardId: foxes.id,
    starred: false,
  });
  expect(await changeGenerations(studio, { action: 'move', ids: [b, a], boardId: foxes.id })).toEqual([b]);
  expect(await onBoard(studio, foxes.id)).toEqual([b, a]);
  expect(await onBoard(studio, 'none')).toEqual([c]);
  expect((await renameBoard(studio, foxes.id, 'Füchse')).name).toBe('Füchse');
  const cover = (await getGeneration(studio, a)).assets[0]?.id;
  const boards = await listBoards(studio);
  expect(boards.map((board) => boardSchema.parse(board))).toMatchObject([
    { id: other.id, count: 0, coverAssetId: null },
    { id: foxes.id, name: 'Füchse', count: 2, coverAssetId: cover },
  ]);

  expect(await changeGenerations(studio, { action: 'move', ids: [b, c], boardId: null })).toEqual([b]);
  await deleteBoard(studio, foxes.id);
  expect(await getGeneration(studio, a)).toMatchObject({ boardId: null, status: 'succeeded' });
  await expect(deleteBoard(studio, foxes.id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(updateGeneration(studio, a, { boardId: foxes.id })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(
    changeGenerations(studio, { action: 'move', ids: [a], boardId: 'nowhere' }),
  ).rejects.toMatchObject({ code: 'not_found' });
});

test('many at once: deleted with one undo, starred, and only what changed is told', async () => {
  const studio = await testStudio();
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push(await create(studio, `p${i}`));
  const running = await studio.jobs.claim('worker');
  const from = await studio.events.latestId();
  expect(await changeGenerations(studio, { action: 'delete', ids: [...ids, 'unknown'] })).toEqual(ids);
  expect(await studio.jobs.standing(running?.token ?? '')).toBe('cancel');
  const told = (await studio.events.since(from)).flatMap(({ event }) =>
    event.type === 'deleted' ? [event.generationId] : [],
  );
  expect(told).toEqual(ids);
  expect(await changeGenerations(studio, { action: 'delete', ids })).toEqual([]);
  expect(await changeGenerations(studio, { action: 'restore', ids })).toEqual(ids);
  expect(await getGeneration(studio, ids[1] ?? '')).toMatchObject({ status: 'cancelled' });
  expect(await changeGenerations(studio, { action: 'star', ids: ids.slice(0, 2) })).toHaveLength(2);
  expect(await changeGenerations(studio, { action: 'star', ids })).toEqual(ids.slice(2));
  expect(await changeGenerations(studio, { action: 'unstar', ids })).toEqual(ids);
});

test('as many as a request may name are changed at once', async () => {
  const studio = await testStudio();
  const requests = Array.from({ length: 1000 }, (_, i) => create(studio, `p${i}`));
  const ids = await Promise.all(requests);
  const board = await createBoard(studio, 'all of them');
  const all = [
    { action: 'move', ids, boardId: board.id },
    { action: 'delete', ids },
  ] as const;
  for (const bulk of all)
    expect(await changeGenerations(studio, bulkSchema.parse(bulk)), bulk.action).toEqual(ids);
}, 120_000);

test('the contract refuses a bulk request that is too large, empty or half of another', () => {
  expect(bulkSchema.safeParse({ action: 'delete', ids: [] }).success).toBe(false);
  expect(bulkSchema.safeParse({ action: 'delete', ids: Array(1001).fill('x') }).success).toBe(false);
  expect(bulkSchema.safeParse({ action: 'move', ids: ['x'] }).success).toBe(false);
  expect(bulkSchema.safeParse({ action: 'move', ids: ['x'], boardId: null }).success).toBe(true);
});

test('boards are as many as can be listed at once', async () => {
  const studio = await testStudio();
  const createdAt = new Date(0);
  const data = Array.from({ length: 1000 }, (_, i) => ({ id: `b${i}`, name: `${i}`, createdAt }));
  await studio.db.write((tx) => tx.board.createMany({ data }));
  await expect(createBoard(studio, 'one more')).rejects.toMatchObject({ code: 'conflict' });
});

test('settings have their defaults until they are changed, and stay changed', async () => {
  const studio = await testStudio();
  const defaults = { queuePaused: false, embedMetadata: true, defaultModel: '' };
  expect(settingsSchema.parse(await getSettings(studio))).toEqual(defaults);
  expect(await updateSettings(studio, { embedMetadata: false })).toEqual({
    ...defaults,
    embedMetadata: false,
  });
  expect(await getSettings(studio)).toEqual({ ...defaults, embedMetadata: false });
});

test('the default model is the one that was chosen, as long as it is installed', async () => {
  const studio = await testStudio();
  const folder = join(studio.env.home, 'models', 'other');
  await writeModel(folder);
  const usual = async () => {
    const [first] = await listModels(studio, 'model');
    const { generation } = await createGeneration(studio, aRequest());
    expect(generation.params.model).toBe(first?.id);
    return first?.id;
  };
  expect(await usual()).toBe('tiny');
  await updateSettings(studio, { defaultModel: 'other' });
  expect(await usual()).toBe('other');
  await rm(folder, { recursive: true });
  expect(await usual()).toBe('tiny');
});
