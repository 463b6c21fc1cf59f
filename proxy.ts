import { NextResponse } from 'next/server';
import type { NextRequest } from 'next/server';

// The development server evaluates modules to replace them while the page is open.
// eslint-disable-next-line no-restricted-properties -- not configuration: the compiler puts the value in
const isDevelopment = process.env.NODE_ENV === 'development';

/** Gives every page a content security policy whose nonce Next puts on its own inline scripts. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = crypto.randomUUID().replaceAll('-', '');
  const policy = [
    `default-src 'self'`,
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${isDevelopment ? ` 'unsafe-eval'` : ''}`,
    // React writes `style` attributes into the server's HTML.
    `style-src 'self' 'unsafe-inline'`,
    `img-src 'self' data: blob:`,
    `media-src 'self' blob:`,
    `font-src 'self'`,
    `connect-src 'self'`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
  ].join('; ');

  const headers = new Headers(request.headers);
  headers.set('content-security-policy', policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy);
  return response;
}

export const config = {
  matcher: [
    { source: '/((?!api/|_next/|icon.svg).*)', missing: [{ type: 'header', key: 'next-router-prefetch' }] },
  ],
};
