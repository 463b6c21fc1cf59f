'use client';
import { Switch } from '@base-ui/react/switch';
import { useId, type ReactNode } from 'react';
import styles from './settings-page.module.css';

interface ToggleProps {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  children: ReactNode;
}

/** Something that is on or off, with what that means. */
export function Toggle({ label, isOn, onChange, children }: ToggleProps) {
  const id = useId();
  return (
    <div className={styles.toggle}>
      <Switch.Root
        id={id}
        checked={isOn}
        onCheckedChange={onChange}
        aria-labelledby={`${id}-label`}
        aria-describedby={`${id}-more`}
        className={styles.switch}
      >
        <Switch.Thumb className={styles.knob} />
      </Switch.Root>
      <div>
        <label id={`${id}-label`} htmlFor={id} className={styles.toggleLabel}>
          {label}
        </label>
        <p id={`${id}-more`} className={styles.text}>
          {children}
        </p>
      </div>
    </div>
  );
}
