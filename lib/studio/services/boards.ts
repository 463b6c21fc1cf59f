import { randomUUID } from 'node:crypto';
import { EncoreError } from '../../contracts/errors.ts';
import type { Board } from '../../contracts/studio.ts';
import type { Reader, Tx } from '../db/database.ts';
import type { Studio } from '../studio.ts';

/** More than anyone finds anything on; all of them are listed at once. */
const MAX_BOARDS = 1000;

/** Newest board first. */
export async function listBoards(studio: Studio): Promise<Board[]> {
  return studio.db.read(async (r) => {
    const boards = await r.board.findMany({ orderBy: [{ createdAt: 'desc' }, { id: 'asc' }] });
    return Promise.all(boards.map((board) => describe(r, board)));
  });
}

/** @throws EncoreError `conflict` when there are too many */
export async function createBoard(studio: Studio, name: string): Promise<Board> {
  const board = { id: randomUUID(), name, createdAt: new Date(studio.now()) };
  await studio.db.write(async (tx) => {
    if ((await tx.board.count()) >= MAX_BOARDS) {
      throw new EncoreError('conflict', `There are ${MAX_BOARDS} boards already.`, {
        remedy: 'Take some away that you do not need.',
      });
    }
    await tx.board.create({ data: board });
  });
  return { ...board, count: 0, coverAssetId: null, createdAt: board.createdAt.toISOString() };
}

/** @throws EncoreError `not_found` */
export async function renameBoard(studio: Studio, id: string, name: string): Promise<Board> {
  return studio.db.write(async (tx) => {
    await requireBoard(tx, id);
    return describe(tx, await tx.board.update({ where: { id }, data: { name } }));
  });
}

/** Takes the board away; what stood on it stays in the history. @throws EncoreError `not_found` */
export async function deleteBoard(studio: Studio, id: string): Promise<void> {
  await studio.db.write(async (tx) => {
    await requireBoard(tx, id);
    await tx.board.delete({ where: { id } });
  });
}

/** @throws EncoreError `not_found` */
export async function requireBoard(tx: Tx, id: string): Promise<void> {
  if ((await tx.board.findUnique({ where: { id }, select: { id: true } })) !== null) return;
  throw new EncoreError('not_found', `There is no board ${id.slice(0, 80)}.`);
}

async function describe(
  r: Pick<Reader | Tx, 'generation'>,
  { id, name, createdAt }: { id: string; name: string; createdAt: Date },
): Promise<Board> {
  const shown = { boardId: id, deletedAt: null };
  const [count, newest] = await Promise.all([
    r.generation.count({ where: shown }),
    r.generation.findFirst({
      where: { ...shown, status: 'succeeded' },
      select: { assets: { select: { id: true }, take: 1, orderBy: { index: 'asc' } } },
      orderBy: { seq: 'desc' },
    }),
  ]);
  return { id, name, count, coverAssetId: newest?.assets[0]?.id ?? null, createdAt: createdAt.toISOString() };
}
