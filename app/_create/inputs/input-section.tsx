'use client';
import { X } from 'lucide-react';
import { useId, type ReactNode } from 'react';
import { IconButton } from '../../_components/icon-button.tsx';
import { focusGenerate } from '../../_lib/focus-generate.ts';
import styles from './inputs.module.css';

interface InputSectionProps {
  title: string;
  /** What the button that takes the input away again is called. */
  removeLabel: string;
  onRemove: () => void;
  /** A small picture at the left. */
  picture?: ReactNode;
  note?: ReactNode;
  children?: ReactNode;
}

/** One thing that a picture is made from besides the words. It is there only while it is used. */
export function InputSection({ title, removeLabel, onRemove, picture, note, children }: InputSectionProps) {
  const id = useId();
  return (
    <section className={styles.section} aria-labelledby={id}>
      <div className={styles.head}>
        {picture}
        <div className={styles.name}>
          <h2 id={id} className={styles.title}>
            {title}
          </h2>
          {note !== undefined && <p className={styles.note}>{note}</p>}
        </div>
        <IconButton
          label={removeLabel}
          onClick={() => {
            onRemove();
            // This button goes away with what it belongs to.
            focusGenerate({ preventScroll: true });
          }}
        >
          <X />
        </IconButton>
      </div>
      {children}
    </section>
  );
}
