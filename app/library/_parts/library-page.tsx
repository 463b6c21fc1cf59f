'use client';
import { useSearchParams } from 'next/navigation';
import { useEffect, useId, useMemo, useState } from 'react';
import { Button } from '../../_components/button.tsx';
import { Note } from '../../_components/note.tsx';
import { formatInteger } from '../../_lib/format.ts';
import { useHotkeys } from '../../_lib/hotkeys.ts';
import { libraryLink, readFilter, type LibraryFilter } from '../../_lib/library-filter.ts';
import { useBoards, useOutline } from '../../_lib/queries.ts';
import { BoardTabs } from './board-tabs.tsx';
import { ContactSheet } from './contact-sheet.tsx';
import { countMore, Filters } from './filters.tsx';
import { Nothing } from './nothing.tsx';
import { SearchBar } from './search-bar.tsx';
import { SelectionBar } from './selection-bar.tsx';
import { useBulk } from './use-bulk.ts';
import styles from './library-page.module.css';

export function LibraryPage() {
  const query = useSearchParams();
  const filter = useMemo(() => readFilter(query), [query]);
  const outline = useOutline(filter);
  const { ids } = outline;
  const { boards } = useBoards();
  const bulk = useBulk(ids);
  const [isOpen, setOpen] = useState(countMore(filter) > 0);
  const moreId = useId();
  // A finger, which cannot hover, is shown what selects only when it asks.
  const [isSelecting, setSelecting] = useState(false);
  const clear = () => {
    bulk.clear();
    setSelecting(false);
  };
  useHotkeys({ 'mod+a': () => bulk.selectAll(), Escape: clear });

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
              `${formatInteger(ids.length)} ${ids.length === 1 ? 'entry' : 'entries'}`}
          </p>
          {ids.length > 0 && (
            <Button
              size="s"
              tone="quiet"
              className={styles.select}
              aria-pressed={isSelecting}
              onClick={() => (isSelecting ? clear() : setSelecting(true))}
            >
              {isSelecting ? 'Done' : 'Select'}
            </Button>
          )}
        </div>
        <SearchBar filter={filter} onChange={change} moreId={moreId} isOpen={isOpen} onOpenChange={setOpen} />
      </div>

      <BoardTabs boards={boards} current={filter.board} onChange={(board) => change({ board })} />
      <Filters id={moreId} isOpen={isOpen} filter={filter} onChange={change} />

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
              isSelecting={isSelecting || hasSelection}
              onToggle={(id) => bulk.toggle(id)}
              onSelectTo={(id) => bulk.selectTo(id)}
            />
          </div>
        )
      )}

      {hasSelection && (
        <SelectionBar bulk={bulk} boards={boards} isStarred={filter.starred === true} onClear={clear} />
      )}
    </div>
  );
}
