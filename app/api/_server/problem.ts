import type { EncoreError } from '../../../lib/contracts/errors.ts';
import { toProblem } from '../../../lib/studio/services/index.ts';

/** The one shape of every refusal (RFC 9457). */
export function problemResponse(error: EncoreError, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(toProblem(error)), {
    status: error.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(error.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
      ...(error.code === 'queue_full' || error.code === 'database_unavailable' ? { 'retry-after': '5' } : {}),
      ...headers,
    },
  });
}
