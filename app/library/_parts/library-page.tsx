'use client';
import { Columns2, Download, Search, Star, Trash2, X } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useDeferredValue, useState } from 'react';
import { Button } from '../../_components/button.tsx';
import { useHotkeys } from '../../_lib/hotkeys.ts';
import { SelectField } from '../../_components/fields.tsx';
import { useBoards, useGenerations, useModels } from '../../_lib/queries.ts';
import { BoardTabs, MoveMenu } from './boards.tsx';
import { useBulk } from './use-bulk.ts';
import { ContactSheet } from './contact-sheet.tsx';
import styles from './library-page.module.css';

const everyModel = '';

/** Web servers refuse addresses of more than 16 kB. */
const MOST_IN_A_LINK = 350;

export function LibraryPage() {
  const [search, setSearch] = useState('');
  const [board, setBoard] = useState<string>();
  const [starred, setStarred] = useState(false);
  const [model, setModel] = useState(everyModel);
  const q = useDeferredValue(search.trim());
  const history = useGenerations({ q, starred, model, board });
  const { models } = useModels();
  const { boards } = useBoards();
  const router = useRouter();
  const bulk = useBulk(history.items);
  const isFiltered = q !== '' || starred || model !== everyModel || board !== undefined;
  useHotkeys({ 'mod+a': () => bulk.selectAll(), Escape: () => bulk.clear() });

  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1 className={styles.title}>Library</h1>
        <div className={styles.filters} role="search">
          <label className={styles.search}>
            <Search aria-hidden />
            <span className="visually-hidden">Search in prompts</span>
            <input
              type="search"
              value={search}
              placeholder="Search in prompts"
              onChange={(event) => setSearch(event.target.value)}
            />
          </label>
          <Button aria-pressed={starred} className={styles.starred} onClick={() => setStarred(!starred)}>
            <Star aria-hidden fill={starred ? 'currentColor' : 'none'} /> Starred
          </Button>
          {models.length > 1 && (
            <SelectField
              label="Model"
              hideLabel
              value={model}
              options={[
                { value: everyModel, label: 'Every model' },
                ...models.map(({ id, name }) => ({ value: id, label: name })),
              ]}
              onChange={setModel}
            />
          )}
        </div>
      </div>

      <BoardTabs boards={boards} current={board} onChange={setBoard} />

      {history.isError ? (
        <Note title="The history cannot be read">
          <p>{history.error.message}</p>
          <Button onClick={() => void history.refetch()}>Try again</Button>
        </Note>
      ) : history.isSuccess && history.items.length === 0 ? (
        board !== undefined && board !== 'none' && q === '' && !starred && model === everyModel ? (
          <Note title="This board is empty">
            <p>Select pictures in the library, then put them here with “To a board”.</p>
          </Note>
        ) : isFiltered ? (
          <Note title="Nothing found">
            <p>No picture has these words and filters.</p>
            <Button
              onClick={() => {
                setSearch('');
                setStarred(false);
                setModel(everyModel);
                setBoard(undefined);
              }}
            >
              Show everything
            </Button>
          </Note>
        ) : (
          <Note title="No pictures yet">
            <p>Everything you make is kept here, newest first, with all that made it.</p>
          </Note>
        )
      ) : (
        <ContactSheet
          history={history}
          selected={bulk.selected}
          onToggle={(id) => bulk.toggle(id)}
          onSelectTo={(id) => bulk.selectTo(id)}
        />
      )}

      {bulk.selected.size > 0 && (
        <div className={styles.bulk} role="toolbar" aria-label="With the selected pictures">
          <p>
            <strong>{bulk.selected.size}</strong> selected
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
          {bulk.selected.size <= MOST_IN_A_LINK && (
            <a
              className={styles.zip}
              href={`/api/v1/generations/export?${new URLSearchParams({ ids: [...bulk.selected].join(',') })}`}
              download
            >
              <Download aria-hidden /> Zip
            </a>
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

function Note({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div className={styles.note}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
