'use client';
import { useSyncExternalStore } from 'react';
import { keyCaps, shortcuts } from '../_lib/hotkeys.ts';
import { Dialog } from './dialog.tsx';
import styles from './shortcuts-dialog.module.css';

export function useIsMac(): boolean {
  return useSyncExternalStore(
    () => () => undefined,
    () => /Mac|iPhone|iPad/.test(navigator.userAgent),
    () => false,
  );
}

export function Keys({ keys }: { keys: string }) {
  const isMac = useIsMac();
  return (
    <span className={styles.keys}>
      {keyCaps(keys, isMac).map((cap) => (
        <kbd key={cap} className={styles.cap}>
          {cap}
        </kbd>
      ))}
    </span>
  );
}

export function ShortcutsDialog({
  open,
  onOpenChange,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const groups = [...new Set(shortcuts.map((shortcut) => shortcut.group))];
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard" wide>
      <div className={styles.groups}>
        {groups.map((group) => (
          <section key={group} className={styles.group}>
            <h3 className={styles.groupTitle}>{group}</h3>
            <ul>
              {shortcuts
                .filter((shortcut) => shortcut.group === group)
                .map((shortcut) => (
                  <li key={shortcut.keys} className={styles.row}>
                    <span>{shortcut.does}</span>
                    <Keys keys={shortcut.keys} />
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
