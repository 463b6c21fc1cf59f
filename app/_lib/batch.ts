import type { Generation } from '../../lib/contracts/generation.ts';
import { MAX_IDS } from '../../lib/contracts/api.ts';
import { api, ApiError } from './api.ts';

/** Tiles come into sight a row at a time; what comes within this is asked for together. */
const GATHER_MS = 30;

interface Wish {
  id: string;
  signal: AbortSignal | undefined;
  resolve: (generation: Generation) => void;
  reject: (error: unknown) => void;
}

let wishes: Wish[] = [];

/**
 * One generation, asked for together with all others that are wanted in the same moment. A wish that was withdrawn
 * before the question was sent, because its tile has been scrolled away, is not part of it.
 */
export function loadGeneration(id: string, signal?: AbortSignal): Promise<Generation> {
  return new Promise((resolve, reject) => {
    if (wishes.length === 0) setTimeout(() => void askForAll(), GATHER_MS);
    wishes.push({ id, signal, resolve, reject });
  });
}

async function askForAll(): Promise<void> {
  const wanted = wishes.filter(({ signal }) => signal?.aborted !== true);
  wishes = [];
  const parts: Wish[][] = [];
  for (let at = 0; at < wanted.length; at += MAX_IDS) parts.push(wanted.slice(at, at + MAX_IDS));
  await Promise.all(parts.map(ask));
}

async function ask(part: Wish[]): Promise<void> {
  try {
    const found = await api.generationsById(part.map(({ id }) => id));
    const byId = new Map(found.items.map((generation) => [generation.id, generation]));
    for (const { id, resolve, reject } of part) {
      const generation = byId.get(id);
      if (generation === undefined) reject(gone(id));
      else resolve(generation);
    }
  } catch (error) {
    for (const { reject } of part) reject(error);
  }
}

function gone(id: string): ApiError {
  return new ApiError({
    type: '/problems/not_found',
    title: 'Not found',
    status: 404,
    code: 'not_found',
    detail: `There is no generation ${id}.`,
    errors: [],
  });
}
