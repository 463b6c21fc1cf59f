import { describe, expect, it } from 'vitest';
import { checkOrigin, checkToken, sessionValue, SESSION_COOKIE } from '../../../app/api/_server/access.ts';

const local = { host: '127.0.0.1', token: undefined };
const token = 'a-long-random-token';
const open = { host: '0.0.0.0', token };
const origin =
  (headers: Record<string, string>, rules = local, method = 'POST') =>
  () =>
    checkOrigin(new Headers(headers), method, rules);
const auth =
  (headers: Record<string, string>, rules: { host: string; token: string | undefined } = open) =>
  () =>
    checkToken(new Headers(headers), rules);

describe('who may ask', () => {
  it('lets programs and its own pages through', () => {
    expect(origin({ host: '127.0.0.1:3000' })).not.toThrow();
    expect(
      origin({ host: 'localhost:3000', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' }),
    ).not.toThrow();
    expect(origin({ host: '[::1]:3000' })).not.toThrow();
    const form = { host: 'localhost:3000', origin: 'null', 'sec-fetch-site': 'same-origin' };
    expect(origin(form, local, 'POST')).not.toThrow();
  });

  it.each([
    [
      'a page of another site',
      { host: 'localhost:3000', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    ],
    [
      'another port of this machine',
      { host: 'localhost:3000', origin: 'http://localhost:8080', 'sec-fetch-site': 'same-site' },
    ],
    ['a sandboxed frame', { host: 'localhost:3000', origin: 'null' }],
    ['a frame that says so', { host: 'localhost:3000', origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a browser that hides the origin', { host: 'localhost:3000', 'sec-fetch-site': 'cross-site' }],
    [
      'a foreign name that points here',
      {
        host: 'rebound.example:3000',
        origin: 'http://rebound.example:3000',
        'sec-fetch-site': 'same-origin',
      },
    ],
    ['a name that only looks local', { host: 'localhost.evil.example:3000' }],
    ['no name at all', {}],
  ])('refuses %s', (_, headers) => {
    expect(origin(headers as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'forbidden_origin' }) as Error,
    );
  });

  it('lets a link from elsewhere open a page, but not post', () => {
    const headers = { host: 'localhost:3000', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(origin(headers, local, 'GET')).not.toThrow();
    expect(origin(headers, local, 'POST')).toThrow();
  });

  it('answers to any name once a token protects it', () => {
    expect(() => checkOrigin(new Headers({ host: 'studio.lan:3000' }), 'POST', open)).not.toThrow();
  });

  it('wants the token, as a header or as the session made from it', () => {
    expect(auth({ authorization: `Bearer ${token}` })).not.toThrow();
    expect(auth({ cookie: `other=1; ${SESSION_COOKIE}=${sessionValue(token)}` })).not.toThrow();
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: token },
      { cookie: `${SESSION_COOKIE}=${token}` },
      { cookie: `${SESSION_COOKIE}=${sessionValue('an-older-token')}` },
    ]) {
      expect(auth(headers as Record<string, string>)).toThrow(
        expect.objectContaining({ code: 'unauthorized' }) as Error,
      );
    }
  });

  it('needs none on its own machine, and never goes without beyond it', () => {
    expect(auth({}, local)).not.toThrow();
    expect(auth({}, { host: '0.0.0.0', token: undefined })).toThrow(/has no token/);
  });
});
