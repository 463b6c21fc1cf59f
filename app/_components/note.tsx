import type { ReactNode } from 'react';
import styles from './note.module.css';

interface NoteProps {
  title: string;
  /** 1 where the page has no other headline. */
  level?: 1 | 2;
  children: ReactNode;
}

/** In the place of what is not there: a headline, why, and what can be done. */
export function Note({ title, level = 2, children }: NoteProps) {
  const Headline = `h${level}` as const;
  return (
    <div className={styles.note}>
      <Headline className={styles.headline}>{title}</Headline>
      {children}
    </div>
  );
}
