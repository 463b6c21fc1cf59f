import Link from 'next/link';
import type { ComponentProps } from 'react';
import styles from './button.module.css';

interface Look {
  /** `mark` is the one action that a place is for. */
  tone?: 'mark' | 'plain' | 'quiet';
  size?: 'm' | 's';
}

function classesOf({ tone = 'plain', size = 'm' }: Look, className = ''): string {
  return `${styles.button} ${styles[tone]} ${styles[size]} ${className}`;
}

export function Button({
  tone,
  size,
  className,
  type = 'button',
  ...props
}: ComponentProps<'button'> & Look) {
  return <button type={type} className={classesOf({ tone, size }, className)} {...props} />;
}

/** Leads somewhere else, where that is what a place is for. */
export function LinkButton({ tone, size, className, ...props }: ComponentProps<typeof Link> & Look) {
  return <Link className={classesOf({ tone, size }, className)} {...props} />;
}
