import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_JSON_BYTES, readBody } from '../../../app/api/_server/body.ts';
import { readWait } from '../../../app/api/_server/prefer.ts';
import { readRange } from '../../../app/api/_server/range.ts';
import {
  encodeEvent,
  eventStream,
  readLastEventId,
  type ServerSentEvent,
} from '../../../app/api/_server/sse.ts';

describe('Range', () => {
  it.each([
    ['bytes=0-9', { start: 0, end: 9 }],
    ['bytes=90-', { start: 90, end: 99 }],
    ['bytes=90-400', { start: 90, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-400', { start: 0, end: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=9-0', null],
    ['bytes=0-1,5-6', null],
    ['items=0-1', null],
    ['bytes=-', null],
    [null, null],
  ])('%s of 100 bytes', (header, expected) => expect(readRange(header, 100)).toEqual(expected));

  it('never leaves the file', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 300 }),
        fc.nat({ max: 300 }),
        fc.integer({ min: 1, max: 200 }),
        (from, to, size) => {
          const range = readRange(`bytes=${from}-${to}`, size);
          if (range === null || range === 'unsatisfiable') return;
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.end).toBeLessThan(size);
          expect(range.start).toBeLessThanOrEqual(range.end);
        },
      ),
    );
  });
});

describe('Prefer', () => {
  it.each([
    ['wait=10', 10],
    ['respond-async, wait=5', 5],
    ['wait="2.5"', 2.5],
    ['wait', 60],
    ['wait=9000', 60],
    ['respond-async', 0],
    ['await=10', 0],
    [null, 0],
  ])('%s waits %d s', (header, seconds) => expect(readWait(header)).toBe(seconds));
});

describe('a JSON body', () => {
  const post = (body: BodyInit, type = 'application/json') =>
    readBody(new Request('http://localhost', { method: 'POST', body, headers: { 'content-type': type } }));

  it('is read whatever its charset parameter', async () => {
    await expect(post('{"a":"ä"}', 'application/json; charset=utf-8')).resolves.toEqual({ a: 'ä' });
  });

  it.each([
    ['another type', '{}', 'text/plain', 'invalid_request'],
    ['no JSON', '{', 'application/json', 'invalid_request'],
    ['bytes that are no text', new Uint8Array([0x22, 0xff, 0x22]), 'application/json', 'invalid_request'],
    ['too long', `"${'x'.repeat(MAX_JSON_BYTES)}"`, 'application/json', 'payload_too_large'],
  ])('is refused: %s', async (_, body, type, code) => {
    await expect(post(body, type)).rejects.toMatchObject({ code });
  });

  it('is made of whole characters', async () => {
    const read = (body: string) =>
      readBody(
        new Request('http://localhost', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        }),
      );
    expect(await read('{"prompt":"\\ud83e\\udd8a"}')).toEqual({ prompt: '🦊' });
    for (const text of ['\\ud83e', '\\udd8a fox', 'a\\u0000fox'])
      await expect(read(`{"prompt":["${text}"]}`), text).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('comes from a form only where one is expected, and only as long as that may be', async () => {
    const form = (text: string) =>
      new Request('http://localhost', {
        method: 'POST',
        body: text,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    await expect(readBody(form('ids=a%2Cb&format=png'), { maxBytes: 100 })).resolves.toEqual({
      ids: 'a,b',
      format: 'png',
    });
    await expect(readBody(form('ids=a'))).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(readBody(form('x'.repeat(101)), { maxBytes: 100 })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });

  it('is not read past the limit where the length was not announced', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const request = new Request('http://localhost', {
      method: 'POST',
      body: endless,
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
    } as RequestInit);
    await expect(readBody(request)).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(sent).toBeLessThan(MAX_JSON_BYTES + 3 * 65_536);
  });
});

describe('an event stream', () => {
  it('writes one event as the standard wants it', () => {
    expect(encodeEvent({ id: 7, type: 'status', data: { text: 'two\nlines' } })).toBe(
      'id: 7\nevent: status\ndata: {"text":"two\\nlines"}\n\n',
    );
    expect(encodeEvent({ type: 'preview', data: 1 })).not.toContain('id:');
  });

  it.each([
    ['12', 12],
    ['0', 0],
    ['-1', undefined],
    ['1e3', undefined],
    ['', undefined],
    [null, undefined],
  ])('goes on after Last-Event-ID %s', (header, id) => expect(readLastEventId(header)).toBe(id));

  it('is read no faster than the client takes it, and stops when the client leaves', async () => {
    let made = 0;
    let stopped = false;
    async function* events(): AsyncGenerator<ServerSentEvent, void, void> {
      try {
        for (;;) {
          made += 1;
          yield { id: made, type: 'progress', data: made };
        }
      } finally {
        stopped = true;
      }
    }
    const response = eventStream(events, new AbortController().signal);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (let i = 0; i < 5; i += 1) await reader.read();
    expect(made).toBeLessThan(10);
    await reader.cancel();
    expect(stopped).toBe(true);
  });
});
