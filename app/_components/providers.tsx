'use client';
import { Toast } from '@base-ui/react/toast';
import { Tooltip } from '@base-ui/react/tooltip';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { ApiError } from '../_lib/api.ts';
import { followEvents } from '../_lib/live.ts';
import { applyTheme, type Theme } from '../_lib/theme.ts';
import { Toaster } from './toaster.tsx';

const ThemeContext = createContext<{ theme: Theme; setTheme: (theme: Theme) => void }>({
  theme: 'system',
  setTheme: applyTheme,
});

export function useTheme() {
  return useContext(ThemeContext);
}

function createClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // A refusal stays a refusal; a studio that is starting answers soon.
        retry: (failures, error) => failures < 3 && error instanceof ApiError && error.problem.status === 0,
      },
    },
  });
}

export function Providers({ theme: initialTheme, children }: { theme: Theme; children: ReactNode }) {
  const [client] = useState(createClient);
  const [theme, setTheme] = useState(initialTheme);
  useEffect(() => followEvents(client), [client]);
  // From here on the page answers: what drives it from outside, a test for example, waits for this.
  useEffect(() => {
    document.documentElement.dataset.interactive = '';
  }, []);
  const themeValue = useMemo(
    () => ({
      theme,
      setTheme: (next: Theme) => {
        applyTheme(next);
        setTheme(next);
      },
    }),
    [theme],
  );
  return (
    <QueryClientProvider client={client}>
      <ThemeContext value={themeValue}>
        <Tooltip.Provider delay={350}>
          <Toast.Provider timeout={7000} limit={3}>
            {children}
            <Toaster />
          </Toast.Provider>
        </Tooltip.Provider>
      </ThemeContext>
    </QueryClientProvider>
  );
}
