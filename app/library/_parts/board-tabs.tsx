'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Board } from '../../../lib/contracts/studio.ts';
import { IconButton } from '../../_components/icon-button.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { formatInteger } from '../../_lib/format.ts';
import { refreshHistory } from '../../_lib/queries.ts';
import { BoardDialog } from './board-dialog.tsx';
import styles from './board-tabs.module.css';

interface BoardTabsProps {
  boards: Board[];
  /** A board's id, `none`, or undefined for everything. */
  current: string | undefined;
  onChange: (board: string | undefined) => void;
}

/** Shelves of the library, one line. */
export function BoardTabs({ boards, current, onChange }: BoardTabsProps) {
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const [naming, setNaming] = useState<'new' | 'rename'>();
  const board = boards.find(({ id }) => id === current);
  const remove = useMutation({
    mutationFn: (id: string) => api.removeBoard(id),
    onSuccess: async () => {
      onChange(undefined);
      notify({ title: 'The board is gone; its pictures are still in the library.' });
      await refreshHistory(client);
    },
    onError: notifyError,
  });

  const tabs: { id: string | undefined; label: string; count?: number }[] = [
    { id: undefined, label: 'Everything' },
    ...boards.map(({ id, name, count }) => ({ id, label: name, count })),
    ...(boards.length > 0 ? [{ id: 'none', label: 'On no board' }] : []),
  ];

  return (
    <div className={styles.bar}>
      <ul className={styles.tabs} aria-label="Boards">
        {tabs.map(({ id, label, count }) => (
          <li key={id ?? ''}>
            <button
              type="button"
              className={styles.tab}
              aria-pressed={id === current}
              onClick={() => onChange(id)}
            >
              {label}
              {count !== undefined && <span className={styles.count}>{formatInteger(count)}</span>}
            </button>
          </li>
        ))}
      </ul>
      {board !== undefined && (
        <>
          <IconButton label={`Rename ${board.name}`} onClick={() => setNaming('rename')}>
            <Pencil />
          </IconButton>
          <IconButton label={`Take the board ${board.name} away`} onClick={() => remove.mutate(board.id)}>
            <Trash2 />
          </IconButton>
        </>
      )}
      <button type="button" className={styles.add} onClick={() => setNaming('new')}>
        <Plus aria-hidden /> Board
      </button>
      {naming !== undefined && (
        <BoardDialog
          board={naming === 'rename' ? board : undefined}
          onClose={() => setNaming(undefined)}
          onSaved={(saved) => {
            setNaming(undefined);
            onChange(saved.id);
          }}
        />
      )}
    </div>
  );
}
