import { generationParamsSchema, type Receipt } from '../lib/contracts/generation.ts';
import type { Studio } from '../lib/studio/services/index.ts';

const things = ['fox', 'castle', 'robot', 'pizza', 'owl'];
const places = ['in a meadow', 'on the beach', 'in space', 'at night', 'in the snow'];
const style = 'soft light, highly detailed, as long as people write them';
const MINUTE_MS = 60_000;

/** What entry `n` of a seeded history was asked for. */
export function seededPrompt(n: number): string {
  return `a ${things[n % 5]} ${places[Math.floor(n / 5) % 5]} number ${n}, ${style}`;
}

interface SeedOptions {
  entries: number;
  /** Of the oldest; each further entry is a minute younger. */
  from?: Date;
  model?: string;
  /** Pictures taken in turn, as they lie in the studio's assets; without them rows name files that are not there. */
  pictures?: { hash: string; bytes: number }[];
}

/**
 * Writes a long history straight into the database, in two statements: 50,000 entries in seconds. Every 20th failed,
 * every 500th is by a rare model, every 1000th starred.
 */
export async function seedHistory(studio: Studio, options: SeedOptions): Promise<void> {
  const { entries, from = new Date(Date.UTC(2026, 0, 1)), model = 'toybox' } = options;
  const { pictures = [{ hash: '0'.repeat(64), bytes: 40_000 }] } = options;
  const begin = from.getTime();
  const params = JSON.stringify(
    generationParamsSchema.parse({
      task: 'text-to-image',
      prompt: 'filled in below',
      model,
      width: 128,
      height: 128,
      steps: 25,
      guidanceScale: 3,
      seed: 0,
      scheduler: 'ddim',
      injection: 0.003,
      negativePrompt: '',
      count: 1,
      plan: 'faster',
    }),
  );
  const receipt = JSON.stringify(receiptOf(model));
  await studio.db.write(async (tx) => {
    await tx.$executeRaw`
      WITH RECURSIVE
        "count"("n") AS (SELECT 0 UNION ALL SELECT "n" + 1 FROM "count" WHERE "n" + 1 < ${entries}),
        "entry" AS (
          SELECT "n", lower(hex(randomblob(16))) AS "hex",
            'a ' || (${JSON.stringify(things)} ->> ("n" % 5)) || ' ' || (${JSON.stringify(places)} ->> ("n" / 5 % 5))
              || ' number ' || "n" || ', ' || ${style} AS "prompt"
          FROM "count"
        )
      INSERT INTO "Generation" ("id", "task", "status", "model", "prompt", "searchText", "params", "receipt", "progress",
        "starred", "queueOrder", "maxAttempts", "createdAt", "finishedAt")
      SELECT
        substr("hex", 1, 8) || '-' || substr("hex", 9, 4) || '-4' || substr("hex", 14, 3) || '-8' || substr("hex", 18, 3)
          || '-' || substr("hex", 21),
        'text-to-image', iif("n" % 20 = 0, 'failed', 'succeeded'), iif("n" % 500 = 0, 'rare', ${model}),
        "prompt", lower("prompt"), json_set(${params}, '$.prompt', "prompt", '$.seed', "n"),
        iif("n" % 20 = 0, NULL, json_set(${receipt}, '$.seed', "n")), "n" % 20 != 0,
        "n" % 1000 = 7, "n", 4, ${begin} + "n" * ${MINUTE_MS}, ${begin} + "n" * ${MINUTE_MS}
      FROM "entry"`;
    await tx.$executeRaw`
      INSERT INTO "Asset" ("id", "generationId", "index", "hash", "type", "width", "height", "bytes", "seed", "createdAt")
      SELECT g."id" || '-0', g."id", 0, "picture"."value" ->> 'hash', 'image/png', 128, 128, "picture"."value" ->> 'bytes',
        CAST(g."queueOrder" AS INTEGER), g."createdAt"
      FROM "Generation" AS g
      JOIN json_each(${JSON.stringify(pictures)}) AS "picture" ON "picture"."key" = CAST(g."queueOrder" AS INTEGER) % ${pictures.length}
      WHERE g."status" = 'succeeded'`;
  });
}

/** As long as those that the engine writes. */
function receiptOf(model: string): Receipt {
  return {
    model,
    modelHash: '0123456789abcdef',
    device: 'cpu',
    versions: { encore: '0.1.0', 'onnxruntime-node': '1.30.0', node: 'v20.20.2' },
    scheduler: 'ddim',
    steps: 25,
    plan: 'faster',
    keySteps: [0, 1, 2, 3, 5, 8, 13, 18],
    encoderRuns: 8,
    decoderRuns: 25,
    encoderRunsSaved: 17,
    decodeWidth: 4,
    injection: 0.003,
    guidanceScale: 3,
    seed: 0,
    width: 128,
    height: 128,
    seconds: {
      load: 0,
      textEncoder: 0.01,
      encoder: 0.4,
      decoder: 0.9,
      scheduler: 0.01,
      vae: 0.2,
      total: 1.6,
    },
    exactEstimate: { unetSeconds: 2.3, method: 'measured on this machine with this model at 128 x 128' },
    peakMemoryBytes: 800_000_000,
    promptTokens: 21,
    notices: [],
  };
}
