'use client';
import { useSyncExternalStore } from 'react';

/**
 * Whether the page is in the light or in the dark now, chosen or by the system, for what is painted and not styled.
 * Changes in the frame in which the colours do.
 */
export function useColorScheme(): 'light' | 'dark' {
  return useSyncExternalStore(
    subscribe,
    () => {
      const chosen = document.documentElement.dataset.theme;
      if (chosen === 'light' || chosen === 'dark') return chosen;
      return matchMedia(query).matches ? 'dark' : 'light';
    },
    () => 'light',
  );
}

const query = '(prefers-color-scheme: dark)';

function subscribe(onChange: () => void): () => void {
  const system = matchMedia(query);
  const chosen = new MutationObserver(onChange);
  system.addEventListener('change', onChange);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    system.removeEventListener('change', onChange);
    chosen.disconnect();
  };
}
