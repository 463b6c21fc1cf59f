import { setTimeout as sleep } from 'node:timers/promises';

/** A message of an event stream. Without an id it does not move the client's `Last-Event-ID`. */
export interface ServerSentEvent {
  id?: number;
  type: string;
  data: unknown;
}

/** Proxies close connections that are silent for 30 s or so. */
const HEARTBEAT_MS = 15_000;

export function encodeEvent({ id, type, data }: ServerSentEvent): string {
  // JSON has no raw line breaks, so one data line is enough.
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The id to go on after, from the header of a reconnecting browser; undefined for a new reader. */
export function readLastEventId(header: string | null): number | undefined {
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

let stopping: AbortController | undefined;

/** Aborts when the server is told to stop: it waits for the answers that are on their way, and these never end. */
function serverStops(): AbortSignal {
  if (stopping === undefined) {
    const controller = (stopping = new AbortController());
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  }
  return stopping.signal;
}

/**
 * A stream of events that is read only as fast as the client takes it, so a slow one costs no memory.
 * `events` is given a signal that aborts when the client goes away, and when the server stops.
 */
export function eventStream(
  events: (signal: AbortSignal) => AsyncGenerator<ServerSentEvent, void, void>,
  clientGone: AbortSignal,
): Response {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, clientGone, serverStops()]);
  const iterator = events(signal);
  const encoder = new TextEncoder();
  let next: Promise<IteratorResult<ServerSentEvent, void>> | undefined;

  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      // Reconnect after 2 s. The first bytes also make the browser's `open` event happen at once.
      controller.enqueue(encoder.encode('retry: 2000\n\n'));
    },
    async pull(controller) {
      const quiet = new AbortController();
      next ??= iterator.next();
      try {
        const result = await Promise.race([
          next,
          sleep(HEARTBEAT_MS, 'heartbeat' as const, { signal: quiet.signal, ref: false }),
        ]);
        if (result === 'heartbeat') {
          controller.enqueue(encoder.encode(': still here\n\n'));
          return;
        }
        next = undefined;
        if (result.done === true) controller.close();
        else controller.enqueue(encoder.encode(encodeEvent(result.value)));
      } finally {
        quiet.abort();
      }
    },
    async cancel() {
      stop.abort();
      await iterator.return();
    },
  });
  return new Response(stream, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
  });
}
