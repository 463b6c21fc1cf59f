'use client';
import Link from 'next/link';
import { usePathname, useRouter } from 'next/navigation';
import { useState, type ReactNode } from 'react';
import {
  Box,
  Images,
  Keyboard,
  ListOrdered,
  Moon,
  SlidersHorizontal,
  Sparkle,
  Sun,
  SunMoon,
} from 'lucide-react';
import { lockedStore } from '../_lib/api.ts';
import { useHotkeys } from '../_lib/hotkeys.ts';
import { useHealth, useUnderWay } from '../_lib/queries.ts';
import { useConnection } from '../_lib/live.ts';
import { useStore } from '../_lib/store.ts';
import { themeNames, themes, type Theme } from '../_lib/theme.ts';
import { IconButton } from './icon-button.tsx';
import { Logo } from './logo.tsx';
import { useTheme } from './providers.tsx';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';
import { UnlockDialog } from './unlock-dialog.tsx';
import styles from './shell.module.css';

const pages = [
  { href: '/', label: 'Create', Icon: Sparkle },
  { href: '/library', label: 'Library', Icon: Images },
  { href: '/queue', label: 'Queue', Icon: ListOrdered },
  { href: '/models', label: 'Models', Icon: Box },
  { href: '/settings', label: 'Settings', Icon: SlidersHorizontal },
];

export function Shell({ children }: { children: ReactNode }) {
  const pathname = usePathname();
  const [showShortcuts, setShowShortcuts] = useState(false);
  const router = useRouter();
  useHotkeys({
    '?': () => setShowShortcuts(true),
    1: () => router.push('/'),
    2: () => router.push('/library'),
    3: () => router.push('/queue'),
    4: () => router.push('/models'),
    5: () => router.push('/settings'),
  });
  const underWay = useUnderWay();
  // Two pictures are compared on a page of the library.
  const place = pathname.startsWith('/compare') ? '/library' : pathname;
  const isCurrent = (href: string) => (href === '/' ? place === '/' : place.startsWith(href));

  return (
    <>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.bar}>
        <Link href="/" className={styles.home} aria-label="Encore, create a picture">
          <Logo />
        </Link>
        <nav aria-label="Pages" className={styles.nav}>
          {pages.map(({ href, label, Icon }) => (
            <Link
              key={href}
              href={href}
              className={styles.link}
              aria-label={href === '/queue' && underWay > 0 ? `${label}, ${underWay} under way` : undefined}
              aria-current={isCurrent(href) ? 'page' : undefined}
            >
              <Icon aria-hidden />
              {label}
              {href === '/queue' && underWay > 0 && (
                <span className={styles.count} data-text={underWay > 99 ? '99+' : underWay} />
              )}
            </Link>
          ))}
        </nav>
        <div className={styles.tools}>
          <StudioState />
          <span className={styles.wideOnly}>
            <IconButton label="Keyboard shortcuts" shortcut="?" onClick={() => setShowShortcuts(true)}>
              <Keyboard />
            </IconButton>
          </span>
          <ThemeButton />
        </div>
      </header>
      <main id="main" tabIndex={-1} className={styles.main}>
        {children}
      </main>
      <ShortcutsDialog open={showShortcuts} onOpenChange={setShowShortcuts} />
      <UnlockDialog />
    </>
  );
}

const themeIcons: Record<Theme, typeof Sun> = { system: SunMoon, light: Sun, dark: Moon };

function ThemeButton() {
  const { theme, setTheme } = useTheme();
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
  const Icon = themeIcons[theme];
  return (
    <IconButton
      label={`Light: ${themeNames[theme]}. Change to: ${themeNames[next]}`}
      onClick={() => setTheme(next)}
    >
      <Icon />
    </IconButton>
  );
}

/** Says so only when something is wrong or a person would wonder; a healthy studio is silent. */
function StudioState() {
  const connection = useConnection();
  const isLocked = useStore(lockedStore, (locked) => locked, false);
  const { data: health, isError } = useHealth();
  const message = isLocked
    ? null
    : isError || connection === 'lost'
      ? 'Reconnecting…'
      : health !== undefined && !health.worker.alive
        ? 'The worker is not running'
        : null;
  return (
    <p role="status" className={styles.state} data-shown={message !== null}>
      {message}
    </p>
  );
}
