'use client';
import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import type { ReactNode, RefObject } from 'react';
import styles from './dialog.module.css';

interface DialogProps {
  open: boolean;
  onOpenChange?: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  /** For lists that stand in columns. */
  wide?: boolean;
  /** What has the focus when it opens; else its first control. */
  initialFocus?: RefObject<HTMLElement | null>;
  children: ReactNode;
}

/** Without `onOpenChange` the dialog cannot be dismissed. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  wide = false,
  initialFocus,
  children,
}: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => onOpenChange?.(next)}>
      <Base.Portal>
        <Base.Backdrop className={styles.veil} />
        <Base.Popup className={`${styles.sheet} ${wide ? styles.wide : ''}`} initialFocus={initialFocus}>
          <div className={styles.head}>
            <Base.Title className={styles.title}>{title}</Base.Title>
            {onOpenChange !== undefined && (
              <Base.Close className={styles.close} aria-label="Close">
                <X size={18} aria-hidden />
              </Base.Close>
            )}
          </div>
          {description !== undefined && (
            <Base.Description className={styles.description}>{description}</Base.Description>
          )}
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** What a dialog asks for: a field over the whole width, and the button that sends it. */
export function DialogForm({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}
