import { randomUUID } from 'node:crypto';
import { EncoreError } from '../../contracts/errors.ts';
import {
  type Generation,
  type GenerationParams,
  generationParamsSchema,
} from '../../contracts/generation.ts';
import { generationColumns, type GenerationRow } from '../db/rows.ts';
import { announce } from '../jobs/transition.ts';
import type { Studio } from '../studio.ts';
import { enqueue } from './enqueue.ts';
import { getGeneration, restoreGeneration, retryGeneration } from './generations.ts';

/**
 * Has the same request drawn exactly, every step with its own encoder pass and nothing injected, and compared with what
 * is there. Asked again for the same generation it gives the same verification, tried again where that failed.
 * @throws EncoreError `not_found`, `conflict` for what has not succeeded or is itself a verification
 */
export async function verifyGeneration(studio: Studio, id: string): Promise<Generation> {
  const row = await studio.db.read((r) =>
    r.generation.findUnique({ where: { id, deletedAt: null }, select: generationColumns }),
  );
  if (row === null) throw new EncoreError('not_found', `There is no generation ${id.slice(0, 80)}.`);
  if (row.status !== 'succeeded' || row.verifiesId !== null) {
    const what = row.verifiesId === null ? row.status : 'a verification itself';
    throw new EncoreError(
      'conflict',
      `Generation ${id} is ${what}; only a picture that is done can be verified.`,
    );
  }
  return row.verifiedBy === null ? create(studio, row) : again(studio, row.verifiedBy.id);
}

async function create(studio: Studio, { id, params: stored }: GenerationRow): Promise<Generation> {
  const params: GenerationParams = { ...generationParamsSchema.parse(stored), plan: 'exact', injection: 0 };
  const { generation } = await enqueue(studio, {
    id: randomUUID(),
    params,
    // Two requests at once make one verification. A header cannot hold a line feed, so no client's key is like it.
    idempotencyKey: `verify\n${id}`,
    requestHash: 'verify',
    verifiesId: id,
  });
  await studio.db.write((tx) => announce(tx, id, studio.now()));
  return generation;
}

async function again(studio: Studio, id: string): Promise<Generation> {
  const generation = await restoreGeneration(studio, id);
  const ended = generation.status === 'failed' || generation.status === 'cancelled';
  return ended ? retryGeneration(studio, id) : getGeneration(studio, id);
}
