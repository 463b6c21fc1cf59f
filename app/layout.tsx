import type { Metadata, Viewport } from 'next';
import { cookies } from 'next/headers';
import type { ReactNode } from 'react';
import '@fontsource-variable/schibsted-grotesk/wght.css';
import '@fontsource-variable/martian-mono/standard.css';
import './colours.css';
import './globals.css';
import { Shell } from './_components/shell.tsx';
import { Providers } from './_components/providers.tsx';
import { readTheme, THEME_COOKIE } from './_lib/theme.ts';

export const metadata: Metadata = {
  title: { default: 'Encore', template: '%s · Encore' },
  description: 'A studio of your own: pictures from a sentence.',
};

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#e4e9e7' },
    { media: '(prefers-color-scheme: dark)', color: '#110e0d' },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  const theme = readTheme((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <html lang="en" data-theme={theme === 'system' ? undefined : theme}>
      <body>
        <Providers theme={theme}>
          <Shell>{children}</Shell>
        </Providers>
      </body>
    </html>
  );
}
