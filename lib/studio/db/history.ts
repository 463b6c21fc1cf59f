import type { Reader } from './database.ts';
import { Prisma } from './generated/client.ts';
import { generationColumns, type GenerationRow } from './rows.ts';

export interface HistoryFilter {
  /** Only what is older than this `seq`. */
  before?: number;
  /** Each must be contained in the search text, letter by letter. */
  words: readonly string[];
  task?: string;
  model?: string;
  status?: string;
  starred?: boolean;
  /** A board's id, or `none`. */
  board?: string;
}

/**
 * Up to `limit` generations that are not deleted, newest first. The rows are found by SQL of our own: Prisma's
 * `contains` is LIKE, in which `%` and `_` of a search would be wildcards.
 */
export async function findHistory(
  reader: Reader,
  filter: HistoryFilter,
  limit: number,
): Promise<GenerationRow[]> {
  const { before, words, task, model, status, starred, board } = filter;
  const conditions = [
    Prisma.sql`"deletedAt" IS NULL`,
    ...(before === undefined ? [] : [Prisma.sql`"seq" < ${before}`]),
    ...(task === undefined ? [] : [Prisma.sql`"task" = ${task}`]),
    ...(model === undefined ? [] : [Prisma.sql`"model" = ${model}`]),
    ...(status === undefined ? [] : [Prisma.sql`"status" = ${status}`]),
    ...(starred === undefined ? [] : [Prisma.sql`"starred" = ${starred}`]),
    ...(board === undefined
      ? []
      : [board === 'none' ? Prisma.sql`"boardId" IS NULL` : Prisma.sql`"boardId" = ${board}`]),
    ...words.map((word) => Prisma.sql`instr("searchText", ${word}) > 0`),
  ];
  const found = await reader.$queryRaw<{ seq: number }[]>`
    SELECT "seq" FROM "Generation" WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY "seq" DESC LIMIT ${limit}`;
  return reader.generation.findMany({
    where: { seq: { in: found.map(({ seq }) => seq) } },
    select: generationColumns,
    orderBy: { seq: 'desc' },
  });
}
