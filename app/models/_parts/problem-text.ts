import { ApiError } from '../../_lib/api.ts';
import { sentences } from '../../_lib/sentences.ts';

/** What went wrong and what can be done, in one line; undefined where nothing did. */
export function problemText(error: Error | null): string | undefined {
  if (error === null) return undefined;
  if (!(error instanceof ApiError)) return error.message;
  const { detail, remedy } = error.problem;
  return sentences(detail, remedy);
}
