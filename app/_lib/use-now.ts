'use client';
import { useMemo, useSyncExternalStore } from 'react';

const MINUTE_MS = 60_000;

function everyMinute(listener: () => void): () => void {
  const timer = setInterval(listener, MINUTE_MS);
  return () => clearInterval(timer);
}

/** The present, to the minute. Null in the server's HTML, which knows neither the reader's clock nor time zone. */
export function useNow(): Date | null {
  const minute = useSyncExternalStore(
    everyMinute,
    () => Math.floor(Date.now() / MINUTE_MS),
    () => null,
  );
  return useMemo(() => (minute === null ? null : new Date(minute * MINUTE_MS)), [minute]);
}
