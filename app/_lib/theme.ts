export const THEME_COOKIE = 'encore-theme';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** The rooms' names on the page. */
export const themeNames: Record<Theme, string> = {
  system: 'As the system',
  light: 'Light table',
  dark: 'Darkroom',
};

export function readTheme(value: string | undefined): Theme {
  return themes.find((theme) => theme === value) ?? 'system';
}

/** Takes effect at once, and in the server's HTML from the next load on: no flash of the other room. */
export function applyTheme(theme: Theme): void {
  document.cookie = `${THEME_COOKIE}=${theme}; path=/; max-age=31536000; samesite=strict`;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
