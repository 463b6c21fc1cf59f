'use client';
import { Columns2, Download, Star, Trash2, X } from 'lucide-react';
import { useRouter, useSearchParams } from 'next/navigation';
import { useEffect, useMemo } from 'react';
import { MAX_EXPORTED } from '../../../lib/contracts/studio.ts';
import { Button, LinkButton } from '../../_components/button.tsx';
import { useHotkeys } from '../../_lib/hotkeys.ts';
import { libraryLink, readFilter, type LibraryFilter } from '../../_lib/library-filter.ts';
import { useBoards, useOutline } from '../../_lib/queries.ts';
import { BoardTabs, MoveMenu } from './boards.tsx';
import { ContactSheet } from './contact-sheet.tsx';
import { Filters } from './filters.tsx';
import { useBulk } from './use-bulk.ts';
import styles from './library-page.module.css';

const count = new Intl.NumberFormat('en');

export function LibraryPage() {
  const query = useSearchParams();
  const filter = useMemo(() => readFilter(query), [query]);
  const outline = useOutline(filter);
  const { ids } = outline;
  const { boards } = useBoards();
  const router = useRouter();
  const bulk = useBulk(ids);
  useHotkeys({ 'mod+a': () => bulk.selectAll(), Escape: () => bulk.clear() });

  // The toolbar goes away with what was selected, and takes the focus with it: back to the picture it came from.
  const hasSelection = bulk.selected.size > 0;
  useEffect(() => {
    if (hasSelection || document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>('[data-index][tabindex="0"]')?.focus({ preventScroll: true });
  }, [hasSelection]);

  // Without a new page of the browser's history: Back leaves the library, it does not take filters off one by one.
  const setFilter = (next: LibraryFilter) => window.history.replaceState(null, '', libraryLink(next));
  const change = (part: LibraryFilter) => setFilter({ ...filter, ...part });
  const isComplete = outline.isSuccess && !outline.isPlaceholderData;

  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <div className={styles.name}>
          <h1 className={styles.title}>Library</h1>
          <p className={styles.total} role="status">
            {isComplete &&
              ids.length > 0 &&
              `${count.format(ids.length)} ${ids.length === 1 ? 'entry' : 'entries'}`}
          </p>
        </div>
        <Filters filter={filter} onChange={change} />
      </div>

      <BoardTabs boards={boards} current={filter.board} onChange={(board) => change({ board })} />

      {outline.isError ? (
        <Note title="The history cannot be read">
          <p>{outline.error.message}</p>
          <Button onClick={() => void outline.refetch()}>Try again</Button>
        </Note>
      ) : isComplete && ids.length === 0 ? (
        <Nothing filter={filter} onReset={() => setFilter({})} />
      ) : (
        outline.data !== undefined && (
          <div className={styles.sheet} aria-busy={outline.isPlaceholderData}>
            <ContactSheet
              outline={outline.data}
              ids={ids}
              filter={filter}
              selected={bulk.selected}
              onToggle={(id) => bulk.toggle(id)}
              onSelectTo={(id) => bulk.selectTo(id)}
            />
          </div>
        )
      )}

      {bulk.selected.size > 0 && (
        <div className={styles.bulk} role="toolbar" aria-label="With the selected pictures">
          <p>
            <strong>{count.format(bulk.selected.size)}</strong> selected
          </p>
          <Button size="s" onClick={() => bulk.star()}>
            <Star aria-hidden /> Star
          </Button>
          {boards.length > 0 && <MoveMenu boards={boards} onMove={(boardId) => bulk.move(boardId)} />}
          {bulk.selected.size === 2 && (
            <Button size="s" onClick={() => router.push(compareLink([...bulk.selected]))}>
              <Columns2 aria-hidden /> Compare
            </Button>
          )}
          {bulk.selected.size <= MAX_EXPORTED && (
            // A form, because an address is too short for many, and the browser saves what it answers.
            <form method="post" action="/api/v1/generations/export">
              <input type="hidden" name="ids" value={[...bulk.selected].join(',')} />
              <Button type="submit" size="s">
                <Download aria-hidden /> Zip
              </Button>
            </form>
          )}
          <Button size="s" onClick={() => bulk.remove()}>
            <Trash2 aria-hidden /> Delete
          </Button>
          <Button size="s" tone="quiet" onClick={() => bulk.clear()}>
            <X aria-hidden /> None
          </Button>
        </div>
      )}
    </div>
  );
}

function compareLink([a = '', b = '']: string[]): string {
  return `/compare?${new URLSearchParams({ a, b })}`;
}

function Nothing({ filter, onReset }: { filter: LibraryFilter; onReset: () => void }) {
  const { board, ...others } = filter;
  const isFiltered = Object.values(others).some((value) => value !== undefined);
  if (isFiltered || board === 'none') {
    return (
      <Note title="Nothing found">
        <p>No picture has these words and filters.</p>
        <Button onClick={onReset}>Show everything</Button>
      </Note>
    );
  }
  return board === undefined ? (
    <Note title="No pictures yet">
      <p>Everything you make is kept here, newest first, with all that made it.</p>
      <LinkButton href="/">Make the first one</LinkButton>
    </Note>
  ) : (
    <Note title="This board is empty">
      <p>Select pictures in the library, then put them here with “To a board”.</p>
    </Note>
  );
}

function Note({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className={styles.note}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
