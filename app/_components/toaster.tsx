'use client';
import { Toast } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import { useCallback } from 'react';
import { ApiError } from '../_lib/api.ts';
import styles from './toaster.module.css';

/** Short messages at the lower edge. They stay while the pointer or the focus is on them. */
export function Toaster() {
  const { toasts } = Toast.useToastManager();
  return (
    <Toast.Portal>
      <Toast.Viewport className={styles.viewport}>
        {toasts.map((toast) => (
          <Toast.Root
            key={toast.id}
            toast={toast}
            className={styles.toast}
            swipeDirection={['down', 'right']}
          >
            <Toast.Content className={styles.content}>
              <div className={styles.text}>
                <Toast.Title className={styles.title} />
                <Toast.Description className={styles.description} />
              </div>
              <Toast.Action className={styles.action} />
              <Toast.Close className={styles.close} aria-label="Dismiss">
                <X size={16} aria-hidden />
              </Toast.Close>
            </Toast.Content>
          </Toast.Root>
        ))}
      </Toast.Viewport>
    </Toast.Portal>
  );
}

export interface Notice {
  title: string;
  description?: string;
  action?: { label: string; run: () => void };
}

export function useNotify() {
  const { add, close } = Toast.useToastManager();
  const notify = useCallback(
    ({ title, description, action }: Notice) => {
      const id = add({
        title,
        description,
        actionProps: action && {
          children: action.label,
          onClick: () => {
            action.run();
            close(id);
          },
        },
      });
      return id;
    },
    [add, close],
  );
  const notifyError = useCallback(
    (error: unknown) => {
      const problem = error instanceof ApiError ? error.problem : undefined;
      notify({
        title: problem?.detail ?? 'Something went wrong in this page.',
        description: problem?.remedy,
      });
    },
    [notify],
  );
  return { notify, notifyError };
}
