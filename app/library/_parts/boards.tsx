'use client';
import { Menu } from '@base-ui/react/menu';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { FolderInput, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import type { Board } from '../../../lib/contracts/studio.ts';
import { Button } from '../../_components/button.tsx';
import { Dialog } from '../../_components/dialog.tsx';
import { TextField } from '../../_components/fields.tsx';
import { IconButton } from '../../_components/icon-button.tsx';
import menu from '../../_components/menu.module.css';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { refreshHistory } from '../../_lib/queries.ts';
import styles from './boards.module.css';

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
  const refresh = () => refreshHistory(client);

  const save = useMutation({
    mutationFn: (name: string) =>
      naming === 'rename' && board !== undefined
        ? api.renameBoard(board.id, { name })
        : api.createBoard({ name }),
    onSuccess: async (saved) => {
      setNaming(undefined);
      await refresh();
      onChange(saved.id);
    },
  });
  const remove = useMutation({
    mutationFn: (id: string) => api.removeBoard(id),
    onSuccess: async () => {
      onChange(undefined);
      notify({ title: 'The board is gone; its pictures are still in the library.' });
      await refresh();
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
              {count !== undefined && <span className={`film ${styles.count}`}>{count}</span>}
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
      <Button size="s" tone="quiet" onClick={() => setNaming('new')}>
        <Plus aria-hidden /> Board
      </Button>
      {naming !== undefined && (
        <NameDialog
          title={naming === 'new' ? 'New board' : 'Rename the board'}
          initial={naming === 'rename' ? (board?.name ?? '') : ''}
          error={save.error?.message}
          onClose={() => {
            setNaming(undefined);
            save.reset();
          }}
          onSave={(name) => save.mutate(name)}
        />
      )}
    </div>
  );
}

interface NameDialogProps {
  title: string;
  initial: string;
  error: string | undefined;
  onClose: () => void;
  onSave: (name: string) => void;
}

function NameDialog({ title, initial, error, onClose, onSave }: NameDialogProps) {
  const [name, setName] = useState(initial);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={title}>
      <form
        className={styles.form}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          onSave(name.trim());
        }}
      >
        <TextField label="Name" value={name} maxLength={100} error={error} onChange={setName} />
        <Button type="submit" tone="mark" disabled={name.trim() === ''}>
          Save
        </Button>
      </form>
    </Dialog>
  );
}

interface MoveMenuProps {
  boards: Board[];
  onMove: (boardId: string | null) => void;
}

export function MoveMenu({ boards, onMove }: MoveMenuProps) {
  return (
    <Menu.Root>
      <Menu.Trigger render={<Button size="s" />}>
        <FolderInput aria-hidden /> To a board
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className={menu.positioner} sideOffset={8} side="top" align="start">
          <Menu.Popup className={menu.popup}>
            {boards.map(({ id, name }) => (
              <Menu.Item key={id} className={menu.item} onClick={() => onMove(id)}>
                {name}
              </Menu.Item>
            ))}
            <Menu.Item className={menu.item} onClick={() => onMove(null)}>
              On no board
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
