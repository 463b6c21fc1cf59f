'use client';
import { Check, Star } from 'lucide-react';
import Link from 'next/link';
import { memo, useState } from 'react';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { isVideo } from '../../_components/result.tsx';
import { Thumb } from '../../_components/thumb.tsx';
import { useEntry } from '../../_lib/queries.ts';
import styles from './contact-sheet.module.css';

interface TileProps {
  id: string;
  /** Place in the whole list. */
  index: number;
  side: number;
  href: string;
  isSelected: boolean;
  /** Tab leads here. */
  isInFocus: boolean;
}

/**
 * One square of the contact sheet. It asks for its own generation when it comes into sight. What a click on it means is
 * the sheet's to say: `data-index` is on the link, `data-check` on the box that selects, `data-star` on the star.
 */
export const Tile = memo(function Tile({ id, index, side, href, isSelected, isInFocus }: TileProps) {
  const { data: generation } = useEntry(id);
  const [isPointedAt, setPointedAt] = useState(false);
  const [isFocused, setFocused] = useState(false);
  return (
    <li
      className={styles.tile}
      style={{ width: side }}
      data-selected={isSelected}
      onPointerEnter={() => setPointedAt(true)}
      onPointerLeave={() => setPointedAt(false)}
    >
      <Link
        href={href}
        prefetch={false}
        className={styles.link}
        data-index={index}
        tabIndex={isInFocus ? 0 : -1}
        aria-label={generation === undefined ? 'A picture that is on its way' : describe(generation)}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
      >
        {generation !== undefined && (
          <>
            <Thumb generation={generation} isLookedAt={isPointedAt || isFocused} />
            <span className={styles.caption} data-bare={isBare(generation)}>
              {generation.params.prompt}
            </span>
          </>
        )}
      </Link>
      <button
        type="button"
        className={styles.check}
        role="checkbox"
        aria-checked={isSelected}
        aria-label={`Select ${generation?.params.prompt ?? 'this picture'}`}
        tabIndex={-1}
        data-check={index}
      >
        <Check aria-hidden />
      </button>
      {generation !== undefined && (
        <button
          type="button"
          className={styles.star}
          aria-pressed={generation.starred}
          aria-label={`Star ${generation.params.prompt}`}
          tabIndex={-1}
          data-star={index}
        >
          <Star aria-hidden fill={generation.starred ? 'currentColor' : 'none'} />
        </button>
      )}
    </li>
  );
});

/** Nothing is seen of it, and will not be soon. */
function isBare({ assets, status }: Generation): boolean {
  return assets.length === 0 && status !== 'running' && status !== 'cancelling';
}

function describe({ params, assets, status, starred }: Generation): string {
  const parts = [params.prompt];
  if (assets.some(isVideo)) parts.push('video');
  else if (assets.length > 1) parts.push(`${assets.length} pictures`);
  if (status !== 'succeeded') parts.push(status);
  if (starred) parts.push('starred');
  return parts.join(', ');
}
