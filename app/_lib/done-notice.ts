'use client';
import type { Generation } from '../../lib/contracts/generation.ts';
import { createPersistentStore, useStore } from './store.ts';

/** Whether this browser says aloud that a picture is done while its tab is out of sight. Off until it is asked for. */
export const doneNoticeStore = createPersistentStore<boolean>('encore.notice', false, (raw) => raw === true);

export function useDoneNotice(): boolean {
  return useStore(doneNoticeStore, (isOn) => isOn, false);
}

/** Asks the browser, which asks the person. False where either says no. */
export async function askForNotices(): Promise<boolean> {
  if (!('Notification' in window)) return false;
  return (await Notification.requestPermission()) === 'granted';
}

/** An event that is read long after it happened, when a browser comes back, is no news. */
const NEWS_MS = 60_000;

/** Says that a picture is done or failed, where the person wants to know and is looking elsewhere. */
export function announceDone({ id, status, params, assets, error, finishedAt }: Generation): void {
  if (!doneNoticeStore.get() || !document.hidden || finishedAt === null) return;
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  if (Date.now() - Date.parse(finishedAt) > NEWS_MS) return;
  if (status !== 'succeeded' && status !== 'failed') return;
  const first = assets[0];
  const notice = new Notification(status === 'succeeded' ? 'Your picture is done' : 'This did not work', {
    body: status === 'succeeded' ? params.prompt : (error?.detail ?? params.prompt),
    icon: first && `/api/v1/assets/${first.id}/thumbnail?side=128`,
    // Several tabs of the studio say it once.
    tag: `encore ${id}`,
  });
  notice.addEventListener('click', () => {
    window.focus();
    notice.close();
  });
}
