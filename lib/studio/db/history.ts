import type { Reader } from './database.ts';
import { Prisma } from './generated/client.ts';
import { generationColumns, type GenerationRow } from './rows.ts';

export interface HistoryFilter {
  /** Each must be contained in the search text, letter by letter. */
  words: readonly string[];
  task?: string;
  model?: string;
  status?: string;
  starred?: boolean;
  /** A board's id, or `none`. */
  board?: string;
  /** Asked for at this moment or later, and before that one; ISO 8601. */
  from?: string;
  to?: string;
  ids?: readonly string[];
}

/**
 * Up to `limit` generations that are not deleted, newest first. The rows are found by SQL of our own: Prisma's
 * `contains` is LIKE, in which `%` and `_` of a search would be wildcards.
 * @param before only what is older than this `seq`
 */
export async function findHistory(
  reader: Reader,
  filter: HistoryFilter,
  limit: number,
  before?: number,
): Promise<GenerationRow[]> {
  const found = await reader.$queryRaw<{ seq: number }[]>`
    SELECT "seq" FROM "Generation" WHERE ${conditionsOf(filter)}
      ${before === undefined ? Prisma.empty : Prisma.sql`AND "seq" < ${before}`}
    ORDER BY "seq" DESC LIMIT ${limit}`;
  return reader.generation.findMany({
    where: { seq: { in: found.map(({ seq }) => seq) } },
    select: generationColumns,
    orderBy: { seq: 'desc' },
  });
}

const QUARTER_MS = 15 * 60 * 1000;

/**
 * Ids of everything that matches, newest first, by quarter of an hour. SQLite joins the ids, so that tens of thousands
 * of entries are a few thousand rows.
 */
export async function outlineHistory(
  reader: Reader,
  filter: HistoryFilter,
): Promise<{ at: number; ids: string[] }[]> {
  const rows = await reader.$queryRaw<{ quarter: number | bigint; ids: string }[]>`
    SELECT CAST("createdAt" / ${QUARTER_MS} AS INTEGER) AS "quarter", group_concat("id", ',' ORDER BY "seq" DESC) AS "ids"
    FROM "Generation" WHERE ${conditionsOf(filter)} GROUP BY "quarter" ORDER BY "quarter" DESC`;
  return rows.map(({ quarter, ids }) => ({ at: Number(quarter) * QUARTER_MS, ids: ids.split(',') }));
}

function conditionsOf({
  words,
  task,
  model,
  status,
  starred,
  board,
  from,
  to,
  ids,
}: HistoryFilter): Prisma.Sql {
  const conditions = [
    Prisma.sql`"deletedAt" IS NULL`,
    ...(task === undefined ? [] : [Prisma.sql`"task" = ${task}`]),
    ...(model === undefined ? [] : [Prisma.sql`"model" = ${model}`]),
    ...(status === undefined ? [] : [Prisma.sql`"status" = ${status}`]),
    ...(starred === undefined ? [] : [Prisma.sql`"starred" = ${starred}`]),
    ...(board === undefined
      ? []
      : [board === 'none' ? Prisma.sql`"boardId" IS NULL` : Prisma.sql`"boardId" = ${board}`]),
    ...(from === undefined ? [] : [Prisma.sql`"createdAt" >= ${Date.parse(from)}`]),
    ...(to === undefined ? [] : [Prisma.sql`"createdAt" < ${Date.parse(to)}`]),
    ...(ids === undefined ? [] : [Prisma.sql`"id" IN (${Prisma.join([...ids])})`]),
    ...words.map((word) => Prisma.sql`instr("searchText", ${word}) > 0`),
  ];
  return Prisma.join(conditions, ' AND ');
}
