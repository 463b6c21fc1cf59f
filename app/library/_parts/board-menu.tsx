'use client';
import { Menu } from '@base-ui/react/menu';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Check, ChevronDown } from 'lucide-react';
import { useState, type ReactElement, type ReactNode } from 'react';
import type { Generation } from '../../../lib/contracts/generation.ts';
import type { Board } from '../../../lib/contracts/studio.ts';
import menu from '../../_components/menu.module.css';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { placeGeneration } from '../../_lib/live.ts';
import { refreshHistory, useBoards } from '../../_lib/queries.ts';
import { BoardDialog } from './board-dialog.tsx';
import styles from './board-tabs.module.css';

interface BoardMenuProps {
  boards: readonly Board[];
  /** The board it stands on, where that is one. */
  current?: string;
  trigger: ReactElement;
  side: 'top' | 'bottom';
  onMove: (boardId: string | null) => void;
  children: ReactNode;
}

/** The boards that something can be put on, and a new one. */
export function BoardMenu({ boards, current, trigger, side, onMove, children }: BoardMenuProps) {
  const [isNaming, setNaming] = useState(false);
  return (
    <>
      <Menu.Root>
        <Menu.Trigger render={trigger}>{children}</Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className={menu.positioner} sideOffset={8} side={side} align="start">
            <Menu.Popup className={menu.popup}>
              {boards.map(({ id, name }) => (
                <Menu.Item key={id} className={menu.item} onClick={() => onMove(id)}>
                  {name}
                  {id === current && <Check size={16} aria-label="it is here" />}
                </Menu.Item>
              ))}
              {boards.length > 0 && (
                <Menu.Item className={menu.item} onClick={() => onMove(null)}>
                  On no board
                </Menu.Item>
              )}
              <Menu.Item className={menu.item} onClick={() => setNaming(true)}>
                A new board…
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      {isNaming && (
        <BoardDialog
          onClose={() => setNaming(false)}
          onSaved={({ id }) => {
            setNaming(false);
            onMove(id);
          }}
        />
      )}
    </>
  );
}

/** Which board a generation stands on, and the way to another. */
export function BoardOf({ generation: { id, boardId } }: { generation: Generation }) {
  const client = useQueryClient();
  const { boards, isSuccess } = useBoards();
  const { notifyError } = useNotify();
  const { mutate } = useMutation({
    mutationFn: (to: string | null) => api.update(id, { boardId: to }),
    onSuccess: (moved) => {
      placeGeneration(client, moved);
      void refreshHistory(client);
    },
    onError: notifyError,
  });
  if (!isSuccess) return null;
  const name = boards.find((board) => board.id === boardId)?.name;
  return (
    <BoardMenu
      boards={boards}
      current={boardId ?? undefined}
      trigger={<button type="button" className={styles.board} />}
      side="bottom"
      onMove={(to) => mutate(to)}
    >
      {name === undefined ? 'On no board' : `On ${name}`} <ChevronDown aria-hidden />
    </BoardMenu>
  );
}
