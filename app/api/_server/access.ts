import { createHmac, timingSafeEqual } from 'node:crypto';
import { EncoreError } from '../../../lib/contracts/errors.ts';

/** What decides who may ask: where we listen and whether a token was set. */
export interface AccessRules {
  host: string;
  token: string | undefined;
}

export const SESSION_COOKIE = 'encore-session';

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** Name of a `Host` header without its port: `[::1]:3000` -> `[::1]`. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

export function isLoopback(host: string): boolean {
  const name = hostName(host);
  return loopbackNames.has(name) || name.endsWith('.localhost');
}

/**
 * A page of another site cannot use the visitor's browser to reach the studio:
 * - without a token only loopback names are answered, so that no foreign name can be pointed at this machine (DNS rebinding);
 * - what a browser sends from another origin is refused, whatever the method.
 * Programs send none of these headers and are let through to the token.
 * @throws EncoreError `forbidden_origin`
 */
export function checkOrigin(headers: Headers, method: string, rules: AccessRules): void {
  const host = headers.get('host') ?? '';
  if (rules.token === undefined && !isLoopback(host)) {
    throw new EncoreError(
      'forbidden_origin',
      `The studio is not served under the name "${host.slice(0, 100)}".`,
      {
        remedy: 'Open it as http://localhost, or set ENCORE_TOKEN to serve it under other names.',
      },
    );
  }
  const site = headers.get('sec-fetch-site');
  const isNavigation = method === 'GET' && headers.get('sec-fetch-mode') === 'navigate';
  if ((site === 'cross-site' || site === 'same-site') && !isNavigation) {
    throw new EncoreError('forbidden_origin', 'The request comes from a page of another site.');
  }
  const origin = headers.get('origin');
  // A form of our own: the referrer policy hides its origin, and the browser vouches for it in a header of its own.
  const isOwnForm = origin === 'null' && site === 'same-origin';
  if (origin !== null && !isOwnForm && !isSameHost(origin, host)) {
    throw new EncoreError(
      'forbidden_origin',
      `The request comes from ${origin.slice(0, 100)}, the studio is ${host.slice(0, 100)}.`,
    );
  }
}

function isSameHost(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host.toLowerCase();
  } catch {
    // Also the literal origin "null" of sandboxed frames and local files.
    return false;
  }
}

/**
 * @throws EncoreError `unauthorized`
 */
export function checkToken(headers: Headers, rules: AccessRules): void {
  if (rules.token === undefined) {
    if (isLoopback(rules.host)) return;
    throw new EncoreError('unauthorized', `The studio listens on ${rules.host} and has no token.`, {
      remedy: 'Set ENCORE_TOKEN to at least 16 characters, or listen on 127.0.0.1.',
    });
  }
  const bearer = /^bearer\s+(.+)$/i.exec(headers.get('authorization') ?? '')?.[1];
  if (bearer !== undefined && isEqual(bearer.trim(), rules.token)) return;
  const session = readCookie(headers.get('cookie') ?? '', SESSION_COOKIE);
  if (session !== undefined && isEqual(session, sessionValue(rules.token))) return;
  throw new EncoreError('unauthorized', 'The request carries no valid token.', {
    remedy: 'Send the header `Authorization: Bearer TOKEN` with the value of ENCORE_TOKEN.',
  });
}

/** What a signed-in browser keeps instead of the token; it stops being valid when the token changes. */
export function sessionValue(token: string): string {
  return createHmac('sha256', token).update('encore session').digest('base64url');
}

export function isEqual(given: string, expected: string): boolean {
  // Digests have one length, so neither content nor length shows in the time this takes.
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function readCookie(header: string, name: string): string | undefined {
  for (const part of header.split(';')) {
    const [key, ...value] = part.trim().split('=');
    if (key === name) return value.join('=');
  }
  return undefined;
}
