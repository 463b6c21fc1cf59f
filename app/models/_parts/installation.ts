import type { Installation } from '../../../lib/contracts/models.ts';
import { formatBytes, formatEta, formatPercent } from '../../_lib/format.ts';

const headlines: Record<Installation['status'], string> = {
  queued: 'Waiting',
  running: 'On its way',
  paused: 'Paused',
  failed: 'This did not work',
  cancelled: 'Cancelled',
  succeeded: 'Installed',
};

export interface InstallationState {
  headline: string;
  detail: string | null;
  /** 0 to 1; null where the size is not known. */
  progress: number | null;
}

/** What a person is told about something that comes from a hub. */
export function describeInstallation(installation: Installation): InstallationState {
  const { status, bytesDone, bytesTotal, bytesPerSecond, file } = installation;
  const progress = bytesTotal === null || bytesTotal === 0 ? null : Math.min(1, bytesDone / bytesTotal);
  const isSized = bytesTotal !== null && status !== 'succeeded';
  const isRunning = status === 'running';
  const parts = [
    isSized ? `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}` : null,
    status === 'succeeded' && bytesTotal !== null ? formatBytes(bytesTotal) : null,
    isRunning && progress !== null ? formatPercent(progress) : null,
    isRunning && bytesPerSecond !== null ? `${formatBytes(Math.round(bytesPerSecond))}/s` : null,
    isRunning && bytesPerSecond !== null && bytesPerSecond > 0 && bytesTotal !== null
      ? formatEta((bytesTotal - bytesDone) / bytesPerSecond)
      : null,
    isRunning ? file : null,
  ].filter((part) => part !== null);
  return { headline: headlines[status], detail: parts.length === 0 ? null : parts.join(' · '), progress };
}

/** `ORG/NAME`, also from the address that people copy out of a browser. */
export function readRepository(text: string): string {
  const trimmed = text.trim();
  try {
    const { pathname } = new URL(trimmed);
    return pathname.split('/').filter(Boolean).slice(0, 2).join('/');
  } catch {
    return trimmed.replace(/^\/+|\/+$/g, '');
  }
}
