/** A client that waits longer than this would meet the time limits of proxies in between. */
export const MAX_WAIT_SECONDS = 60;

/** Seconds of `Prefer: wait=10` (RFC 7240) among other preferences; 0 without one. */
export function readWait(prefer: string | null): number {
  for (const preference of (prefer ?? '').split(/[,;]/)) {
    const match = /^\s*wait\s*(?:=\s*"?(\d+(?:\.\d+)?)"?\s*)?$/i.exec(preference);
    if (match !== null) return Math.min(Number(match[1] ?? MAX_WAIT_SECONDS), MAX_WAIT_SECONDS);
  }
  return 0;
}
