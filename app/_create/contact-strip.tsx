'use client';
import Link from 'next/link';
import { useEffect, useRef } from 'react';
import type { Generation } from '../../lib/contracts/generation.ts';
import { Thumb } from '../_components/thumb.tsx';
import { clearDesk } from '../_lib/desk.ts';
import { selectionStore } from '../_lib/selection.ts';
import styles from './contact-strip.module.css';

const SHOWN = 40;

/** The newest pictures, one row; a click puts one on the table. */
export function ContactStrip(props: {
  items: Generation[];
  currentId: string | undefined;
  onShow: () => void;
}) {
  const { items, currentId, onShow } = props;
  const row = useRef<HTMLOListElement>(null);
  // Along the row only: the page stays where it is.
  useEffect(() => {
    const frame = row.current?.querySelector<HTMLElement>('[aria-current="true"]');
    if (row.current === null || frame == null) return;
    const { left, right } = row.current.getBoundingClientRect();
    const box = frame.getBoundingClientRect();
    const beyond = box.left < left ? box.left - left : Math.max(0, box.right - right);
    if (beyond !== 0) row.current.scrollBy({ left: beyond + Math.sign(beyond) * box.width });
  }, [currentId]);
  return (
    <section className={styles.strip} aria-label="Recent pictures">
      {items.length > 0 && (
        <ol ref={row} className={styles.row}>
          {items.slice(0, SHOWN).map((item) => (
            <li key={item.id}>
              <button
                type="button"
                className={styles.frame}
                aria-current={item.id === currentId}
                aria-label={nameOf(item)}
                onClick={() => {
                  clearDesk();
                  selectionStore.set({ follow: false, id: item.id });
                  onShow();
                }}
              >
                <Thumb generation={item} />
              </button>
            </li>
          ))}
          <li className={styles.all}>
            <Link href="/library">All pictures</Link>
          </li>
        </ol>
      )}
    </section>
  );
}

function nameOf({ params, assets, status }: Generation): string {
  return [params.prompt, assets.length > 1 ? `${assets.length} pictures` : null, status]
    .filter(Boolean)
    .join(', ');
}
