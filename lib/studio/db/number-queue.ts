import type { Tx } from './database.ts';

/**
 * Gives what waits the orders `first`, `first + 1`, ... in the order it has, with one left free for `except` at place
 * `gapAt`. One statement, however many there are.
 */
export async function numberQueue(
  tx: Tx,
  { first, except, gapAt }: { first: number; except: string; gapAt: number },
): Promise<void> {
  await tx.$executeRaw`
    WITH "place" AS (
      SELECT "id", row_number() OVER (ORDER BY "queueOrder", "seq") - 1 AS "n"
      FROM "Generation" WHERE "status" = 'queued' AND "id" <> ${except}
    )
    UPDATE "Generation" SET "queueOrder" = ${first} + "place"."n" + ("place"."n" >= ${gapAt})
    FROM "place" WHERE "Generation"."id" = "place"."id"`;
}
