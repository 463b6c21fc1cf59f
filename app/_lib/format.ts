/** 0.4 -> "0.4 s", 12.34 -> "12 s", 83 -> "1 min 23 s". */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Length of a video as players write it: 2 -> "0:02", 2.5 -> "0:02.5", 75 -> "1:15". */
export function formatDuration(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const whole = Math.floor(tenths / 10);
  const tenth = tenths % 10;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}${tenth === 0 || whole >= 10 ? '' : `.${tenth}`}`;
}

/** An estimate, rounded as coarsely as it deserves: "a moment", "about 12 s", "about 3 min". */
export function formatEta(seconds: number): string {
  if (seconds < 1) return 'a moment left';
  if (seconds < 20) return `about ${Math.round(seconds)} s left`;
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

/** Decimal units, as file managers and model pages count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** 8_901_234 -> "8.9 million". */
export function formatCount(count: number): string {
  if (count < 100_000) return String(count);
  if (count < 999_500_000) return `${(count / 1e6).toFixed(count < 9.95e6 ? 1 : 0)} million`;
  return `${(count / 1e9).toFixed(2)} billion`;
}

const integerFormat = new Intl.NumberFormat('en');

/** 50000 -> "50,000". */
export function formatInteger(count: number): string {
  return integerFormat.format(count);
}

export function formatPercent(fraction: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100)} %`;
}

const dayFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });
const timeFormat = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** "Today, 14:03", "Yesterday, 09:12", "24 November 2026, 07:57" in the reader's own time zone. */
export function formatWhen(iso: string, now: Date): string {
  const date = new Date(iso);
  return `${formatDay(date, now)}, ${timeFormat.format(date)}`;
}

export function formatDay(date: Date, now: Date): string {
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return dayFormat.format(date);
}
