import type { GenerationStatus } from '../../contracts/generation.ts';

/**
 * Every change of state there is. Nothing else in the product changes `Generation.status`; see docs/studio.md for who
 * may do which.
 */
export const transitions = {
  queued: ['running', 'cancelled'],
  running: ['succeeded', 'failed', 'cancelling', 'cancelled', 'queued'],
  cancelling: ['cancelled'],
  succeeded: [],
  failed: ['queued'],
  cancelled: ['queued'],
} as const satisfies Record<GenerationStatus, readonly GenerationStatus[]>;

/** States from which `to` can be reached in one change. */
export function statesBefore(to: GenerationStatus): GenerationStatus[] {
  return (Object.keys(transitions) as GenerationStatus[]).filter((from) =>
    (transitions[from] as readonly GenerationStatus[]).includes(to),
  );
}

/** Claims that end without an answer (the worker was killed, the machine went down) before a job is given up. */
export const MAX_ATTEMPTS = 4;
/** Deaths of the engine process while it ran this job before it is given up: tried once more, then failed. */
const MAX_CRASHES = 2;

/** A worker that said nothing for this long is gone. */
export const SILENT_MS = 15_000;

export interface Ended {
  attempt: number;
  maxAttempts: number;
  crashes: number;
}

/** What becomes of a job whose lease ran out: its worker is gone and said nothing. */
export function afterLostLease(
  status: 'running' | 'cancelling',
  job: Ended,
): 'queued' | 'failed' | 'cancelled' {
  if (status === 'cancelling') return 'cancelled';
  return job.attempt < job.maxAttempts ? 'queued' : 'failed';
}

/** What becomes of a job whose engine died under it. */
export function afterCrash(status: 'running' | 'cancelling', job: Ended): 'queued' | 'failed' | 'cancelled' {
  if (status === 'cancelling') return 'cancelled';
  return job.crashes + 1 < MAX_CRASHES ? 'queued' : 'failed';
}
