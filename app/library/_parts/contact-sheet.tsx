'use client';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { Check } from 'lucide-react';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type MouseEvent,
} from 'react';
import type { Generation } from '../../../lib/contracts/generation.ts';
import { Thumb } from '../../_components/thumb.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { useRemove, useStar, useVerb, type useGenerations } from '../../_lib/queries.ts';
import { useNow } from '../../_lib/use-now.ts';
import { layOut, moveFocus, rowOf, type Direction } from './rows.ts';
import styles from './contact-sheet.module.css';

const GAP = 10;
const DAY_HEIGHT = 52;
/** Rows rendered beyond the window, so that quick scrolling meets pictures and not gaps. */
const OVERSCAN = 4;

interface ContactSheetProps {
  history: ReturnType<typeof useGenerations>;
  selected: ReadonlySet<string>;
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

/** The history as one long contact sheet. Only what is in sight is in the page, however long it is. */
export function ContactSheet({ history, selected, onToggle, onSelectTo }: ContactSheetProps) {
  const { items, hasNextPage, isFetchingNextPage, fetchNextPage } = history;
  const sheet = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);
  const [wanted, setFocus] = useState(0);
  // The list may have become shorter.
  const focus = Math.min(wanted, items.length - 1);
  const wantsFocus = useRef(false);
  const now = useNow();
  const router = useRouter();
  const star = useStar();
  const remove = useRemove();
  const restore = useVerb('restore');
  const { notify, notifyError } = useNotify();

  useLayoutEffect(() => {
    const element = sheet.current;
    if (element === null) return;
    const measure = () => {
      setWidth(element.clientWidth);
      setTop(element.offsetTop);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const columns = Math.max(2, Math.floor((width + GAP) / (width < 600 ? 118 : 186)));
  const tile = Math.floor((width - GAP * (columns - 1)) / columns);
  const rows = useMemo(() => (now === null ? [] : layOut(items, columns, now)), [items, columns, now]);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => (rows[index]?.kind === 'day' ? DAY_HEIGHT : tile + GAP),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: OVERSCAN,
    scrollMargin: top,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, tile]);

  const visible = virtualizer.getVirtualItems();
  const lastVisible = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastVisible >= rows.length - 6 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [lastVisible, rows.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  // The tile that the keyboard went to may have come into the page only now.
  useEffect(() => {
    if (!wantsFocus.current) return;
    const element = sheet.current?.querySelector<HTMLElement>(`[data-index="${focus}"]`);
    if (element != null) {
      element.focus({ preventScroll: true });
      wantsFocus.current = false;
    }
  });

  const removeOne = (item: Generation) =>
    remove.mutate(item.id, {
      onError: notifyError,
      onSuccess: () =>
        notify({
          title: 'Deleted.',
          action: { label: 'Undo', run: () => restore.mutate(item.id, { onError: notifyError }) },
        }),
    });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const item = items[focus];
    const direction = directions[event.key];
    if (direction !== undefined) {
      event.preventDefault();
      const next = moveFocus(rows, focus, direction, items.length);
      wantsFocus.current = true;
      setFocus(next);
      virtualizer.scrollToIndex(rowOf(rows, next), { align: 'auto' });
      if (event.shiftKey && items[next] !== undefined) onSelectTo(items[next].id);
    } else if (item !== undefined && event.key === ' ') {
      event.preventDefault();
      onToggle(item.id);
    } else if (item !== undefined && event.key === '.') {
      event.preventDefault();
      star.mutate(item, { onError: notifyError });
    } else if (item !== undefined && event.key === 'Delete') {
      event.preventDefault();
      wantsFocus.current = true;
      removeOne(item);
    }
  };

  const open = (event: MouseEvent, item: Generation, index: number) => {
    // Enter opens even while others are selected; Space is what selects.
    const isByKeyboard = event.detail === 0;
    setFocus(index);
    if (event.shiftKey) {
      event.preventDefault();
      onSelectTo(item.id);
    } else if (event.ctrlKey || event.metaKey || (selected.size > 0 && !isByKeyboard)) {
      event.preventDefault();
      onToggle(item.id);
    } else {
      event.preventDefault();
      router.push(`/library/${item.id}`);
    }
  };

  return (
    <div
      ref={sheet}
      className={styles.sheet}
      style={{ height: virtualizer.getTotalSize() }}
      onKeyDown={onKeyDown}
    >
      {visible.map(({ index: rowIndex, key, start }) => {
        const row = rows[rowIndex];
        if (row === undefined) return null;
        const place = { transform: `translateY(${start - top}px)` };
        if (row.kind === 'day') {
          return (
            <h2 key={key} className={styles.day} style={place}>
              {row.label}
            </h2>
          );
        }
        return (
          <ul key={key} className={styles.row} style={{ ...place, gap: GAP, height: tile }}>
            {row.items.map((item, offset) => {
              const index = row.start + offset;
              const isSelected = selected.has(item.id);
              return (
                <li key={item.id} className={styles.tile} style={{ width: tile }} data-selected={isSelected}>
                  <Link
                    href={`/library/${item.id}`}
                    prefetch={false}
                    className={styles.link}
                    data-index={index}
                    tabIndex={index === focus ? 0 : -1}
                    aria-label={describe(item)}
                    onFocus={() => setFocus(index)}
                    onClick={(event) => open(event, item, index)}
                  >
                    <Thumb generation={item} />
                    <span className={styles.caption}>{item.params.prompt}</span>
                  </Link>
                  <button
                    type="button"
                    className={styles.check}
                    role="checkbox"
                    aria-checked={isSelected}
                    aria-label={`Select ${item.params.prompt}`}
                    tabIndex={-1}
                    onClick={(event) => (event.shiftKey ? onSelectTo(item.id) : onToggle(item.id))}
                  >
                    <Check aria-hidden />
                  </button>
                </li>
              );
            })}
          </ul>
        );
      })}
    </div>
  );
}

function describe(item: Generation): string {
  const parts = [item.params.prompt];
  if (item.assets.length > 1) parts.push(`${item.assets.length} pictures`);
  if (item.status !== 'succeeded') parts.push(item.status);
  if (item.starred) parts.push('starred');
  return parts.join(', ');
}
