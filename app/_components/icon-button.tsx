'use client';
import { Tooltip } from '@base-ui/react/tooltip';
import type { ComponentProps } from 'react';
import styles from './icon-button.module.css';

interface IconButtonProps extends ComponentProps<'button'> {
  /** Its name for everyone: the tooltip for eyes, the label for ears. */
  label: string;
  shortcut?: string;
}

export function IconButton({ label, shortcut, className, ...props }: IconButtonProps) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger
        type="button"
        aria-label={label}
        aria-keyshortcuts={shortcut}
        className={`${styles.button} ${className ?? ''}`}
        {...props}
      />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} className={styles.positioner}>
          <Tooltip.Popup className={styles.tip}>
            {label}
            {shortcut !== undefined && <kbd className={styles.key}>{shortcut}</kbd>}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
