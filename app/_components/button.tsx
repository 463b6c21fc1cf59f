import type { ComponentProps } from 'react';
import styles from './button.module.css';

interface ButtonProps extends ComponentProps<'button'> {
  /** `mark` is the one action that a place is for. */
  tone?: 'mark' | 'plain' | 'quiet';
  size?: 'm' | 's';
}

export function Button({ tone = 'plain', size = 'm', className, type = 'button', ...props }: ButtonProps) {
  return (
    <button
      type={type}
      className={`${styles.button} ${styles[tone]} ${styles[size]} ${className ?? ''}`}
      {...props}
    />
  );
}
