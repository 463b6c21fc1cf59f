import {
  getGeneration,
  getQueue,
  isOver,
  type LoggedEvent,
  type Studio,
} from '../../../lib/studio/services/index.ts';
import { defineOperation } from '../_server/operation.ts';
import { eventStream, readLastEventId, type ServerSentEvent } from '../_server/sse.ts';
import { idParams } from './generations.ts';

const stream = {
  description:
    'Server-sent events named `status`, `progress`, `preview`, `deleted` and `install`; the data of each is JSON',
  contentType: 'text/event-stream',
};

const requestHeaders = {
  'Last-Event-ID':
    'Goes on after that event without a gap, as browsers do by themselves when they reconnect.',
};

const sent = ({ id, event }: LoggedEvent): ServerSentEvent => ({ id, type: event.type, data: event });

export const allEventsOperation = defineOperation({
  id: 'followAll',
  tag: 'Events',
  method: 'GET',
  path: '/events',
  summary: 'Follow everything',
  description: 'Starts now, with the newest preview of whatever is being made.',
  requestHeaders,
  responses: { 200: stream },
  async run({ headers, signal, studio }) {
    const lastId = readLastEventId(headers.get('last-event-id'));
    const from = lastId ?? (await studio.events.latestId());
    return eventStream(async function* (gone) {
      if (lastId === undefined) yield* newestPreviews(studio);
      for await (const logged of studio.events.subscribe(from, {}, gone)) yield sent(logged);
    }, signal);
  },
});

/** So that a page that was opened in the middle of a picture need not wait for the next key step. */
async function* newestPreviews(studio: Studio): AsyncGenerator<ServerSentEvent, void, void> {
  const { running } = await getQueue(studio);
  for (const { id } of running) {
    const events = await studio.events.since(0, { generationId: id });
    const preview = events.findLast(({ event }) => event.type === 'preview');
    if (preview !== undefined) yield { type: 'preview', data: preview.event };
  }
}

export const generationEventsOperation = defineOperation({
  id: 'followGeneration',
  tag: 'Events',
  method: 'GET',
  path: '/generations/{id}/events',
  summary: 'Follow one generation',
  description:
    'Starts with its state and everything that happened so far, ends when it is over. A client that reconnects after that is answered 204, which ends a browser’s EventSource.',
  params: idParams,
  requestHeaders,
  responses: { 200: stream, 204: { description: 'It is over and nothing happened since Last-Event-ID' } },
  errors: ['not_found'],
  async run({ params, headers, signal, studio }) {
    const lastId = readLastEventId(headers.get('last-event-id'));
    const generation = await getGeneration(studio, params.id);
    const filter = { generationId: params.id };
    if (lastId !== undefined && isOver(generation)) {
      const missed = await studio.events.since(lastId, filter, 1);
      if (missed.length === 0) return { status: 204 };
    }
    return eventStream(async function* (gone) {
      if (lastId === undefined) {
        yield { type: 'status', data: { type: 'status', generationId: generation.id, generation } };
      }
      // Over before anybody listened: what is still in the table, then the end. Else until the event that ends it.
      if (isOver(generation)) {
        for (const logged of await studio.events.since(lastId ?? 0, filter)) yield sent(logged);
        return;
      }
      for await (const logged of studio.events.subscribe(lastId ?? 0, filter, gone)) {
        yield sent(logged);
        const { event } = logged;
        if (event.type === 'deleted' || (event.type === 'status' && isOver(event.generation))) return;
      }
    }, signal);
  },
});
