'use client';
import { useQueryClient } from '@tanstack/react-query';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useRouter } from 'next/navigation';
import {
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type MouseEvent,
} from 'react';
import type { Outline } from '../../../lib/contracts/api.ts';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { useNotify } from '../../_components/toaster.tsx';
import { useRemoveWithUndo } from '../../_components/use-remove-with-undo.ts';
import { libraryLink, type LibraryFilter } from '../../_lib/library-filter.ts';
import { useStar } from '../../_lib/queries.ts';
import { useNow } from '../../_lib/use-now.ts';
import { getLastSeen, setLastSeen } from './last-seen.ts';
import { whatWasHit } from './hit.ts';
import { layOut, moveFocus, rowOf, type Direction } from './rows.ts';
import { Tile } from './tile.tsx';
import { useExtent } from './use-extent.ts';
import styles from './contact-sheet.module.css';

const GAP = 10;
const DAY_HEIGHT = 52;
/** Rows rendered beyond the window, so that quick scrolling meets pictures and not gaps. */
const OVERSCAN = 3;
/** The bar of the studio and the day that stays in sight, which must not lie over the picture in focus; in pixels. */
const HEADER = 56 + 40;
/** The bar of a phone. */
const FOOTER = 64;

interface ContactSheetProps {
  outline: Outline;
  /** The ids of the outline in one list. */
  ids: readonly string[];
  filter: LibraryFilter;
  selected: ReadonlySet<string>;
  /** A touch selects. */
  isSelecting: boolean;
  onToggle: (id: string) => void;
  onSelectTo: (id: string) => void;
}

const directions: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
};

/**
 * The history as one long contact sheet. It is as long as the outline says, so that any place can be gone to at once;
 * only what is in sight is in the page, and only that is asked for.
 */
export function ContactSheet(props: ContactSheetProps) {
  const { outline, ids, filter, selected, isSelecting, onToggle, onSelectTo } = props;
  const sheet = useRef<HTMLDivElement>(null);
  const { width, top } = useExtent(sheet);
  // Coming back from a picture, one finds the place again where it lies.
  const [seen] = useState(() => ids.indexOf(getLastSeen() ?? ''));
  const [wanted, setFocus] = useState(Math.max(0, seen));
  // The list may have become shorter.
  const focus = Math.max(0, Math.min(wanted, ids.length - 1));
  const wantsFocus = useRef(false);
  const now = useNow();
  const router = useRouter();
  const client = useQueryClient();
  const star = useStar();
  const remove = useRemoveWithUndo();
  const { notifyError } = useNotify();

  const columns = Math.max(2, Math.floor((width + GAP) / (width < 600 ? 118 : 186)));
  const side = Math.floor((width - GAP * (columns - 1)) / columns);
  const isMeasured = width > 0;
  const rows = useMemo(
    () => (now === null || !isMeasured ? [] : layOut(outline, columns, now)),
    [outline, columns, now, isMeasured],
  );
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => (rows[index]?.kind === 'day' ? DAY_HEIGHT : side + GAP),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: OVERSCAN,
    scrollMargin: top,
    scrollPaddingStart: HEADER,
    scrollPaddingEnd: FOOTER,
  });
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, side, rows]);

  const goBack = useEffectEvent(() => {
    if (seen >= 0) virtualizer.scrollToIndex(rowOf(rows, seen), { align: 'center' });
    setLastSeen(undefined);
  });
  const isLaidOut = rows.length > 0;
  useEffect(() => {
    if (isLaidOut) goBack();
  }, [isLaidOut]);

  // The tile that the keyboard went to may have come into the page only now.
  useEffect(() => {
    if (!wantsFocus.current) return;
    const element = sheet.current?.querySelector<HTMLElement>(`[data-index="${focus}"]`);
    if (element != null) {
      element.focus({ preventScroll: true });
      wantsFocus.current = false;
    }
  });

  const toggleStar = (id: string) => {
    const item = client.getQueryData<Generation>(['generation', id]);
    if (item !== undefined) star.mutate(item, { onError: notifyError });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = ids[focus];
    const direction = directions[event.key];
    if (direction !== undefined) {
      event.preventDefault();
      const next = moveFocus(rows, focus, direction, ids.length);
      wantsFocus.current = true;
      setFocus(next);
      virtualizer.scrollToIndex(rowOf(rows, next), { align: 'auto' });
      if (event.shiftKey && ids[next] !== undefined) onSelectTo(ids[next]);
    } else if (id !== undefined && event.key === ' ') {
      event.preventDefault();
      onToggle(id);
    } else if (id !== undefined && event.key === '.') {
      event.preventDefault();
      toggleStar(id);
    } else if (id !== undefined && event.key === 'Delete') {
      event.preventDefault();
      wantsFocus.current = true;
      remove({ id });
    }
  };

  const onClick = (event: MouseEvent) => {
    const { part, index } = whatWasHit(event.target);
    const id = ids[index ?? -1];
    if (index === undefined || id === undefined) return;
    // Before the link itself, which would go to another page.
    event.preventDefault();
    setFocus(index);
    // Enter opens even while others are selected; Space is what selects.
    const isByKeyboard = event.detail === 0;
    if (part === 'star') toggleStar(id);
    else if (event.shiftKey) onSelectTo(id);
    else if (part === 'check' || event.ctrlKey || event.metaKey || (isSelecting && !isByKeyboard))
      onToggle(id);
    else {
      setLastSeen(id);
      router.push(libraryLink(filter, id));
    }
  };

  const items = virtualizer.getVirtualItems();
  const offset = (virtualizer.scrollOffset ?? 0) + HEADER;
  const isBelowFirstDay = offset > top + HEADER;
  const first = isBelowFirstDay ? items.find(({ end }) => end > offset) : undefined;
  const day = first === undefined ? undefined : rows[first.index]?.day;

  return (
    <div
      ref={sheet}
      className={styles.sheet}
      data-selecting={isSelecting}
      style={{ height: virtualizer.getTotalSize() }}
      onKeyDown={onKeyDown}
      onClickCapture={onClick}
      onFocus={(event) => {
        const { index } = whatWasHit(event.target);
        if (index !== undefined) setFocus(index);
      }}
    >
      {day !== undefined && (
        <p className={styles.here} aria-hidden>
          {day}
        </p>
      )}
      {items.map(({ index: rowIndex, key, start }) => {
        const row = rows[rowIndex];
        if (row === undefined) return null;
        const place = { transform: `translateY(${start - top}px)` };
        if (row.kind === 'day') {
          return (
            <h2 key={key} className={styles.day} style={place}>
              {row.day}
            </h2>
          );
        }
        return (
          <ul key={key} className={styles.row} style={{ ...place, gap: GAP, height: side }}>
            {ids.slice(row.start, row.start + row.count).map((id, offset) => (
              <Tile
                key={id}
                id={id}
                index={row.start + offset}
                side={side}
                href={libraryLink(filter, id)}
                isSelected={selected.has(id)}
                isInFocus={row.start + offset === focus}
              />
            ))}
          </ul>
        );
      })}
    </div>
  );
}
