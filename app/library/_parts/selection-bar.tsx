'use client';
import { Columns2, Download, FolderInput, Star, StarOff, Trash2, X } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { MAX_EXPORTED, type Board } from '../../../lib/contracts/studio.ts';
import { Button } from '../../_components/button.tsx';
import { formatInteger } from '../../_lib/format.ts';
import { BoardMenu } from './board-menu.tsx';
import type { BulkActions } from './use-bulk.ts';
import styles from './selection-bar.module.css';

interface SelectionBarProps {
  bulk: BulkActions;
  boards: readonly Board[];
  /** All that can be selected has its star. */
  isStarred: boolean;
  onClear: () => void;
}

/** What can be done with all that is selected; at the lower edge, where it covers least. */
export function SelectionBar({ bulk, boards, isStarred, onClear }: SelectionBarProps) {
  const router = useRouter();
  const ids = [...bulk.selected];
  return (
    <div className={styles.bar} role="toolbar" aria-label="With the selected pictures">
      <p className={styles.count}>
        <strong>{formatInteger(ids.length)}</strong> selected
      </p>
      <Button size="s" onClick={() => bulk.star(!isStarred)}>
        {isStarred ? <StarOff aria-hidden /> : <Star aria-hidden />} {isStarred ? 'Unstar' : 'Star'}
      </Button>
      <BoardMenu boards={boards} trigger={<Button size="s" />} side="top" onMove={(to) => bulk.move(to)}>
        <FolderInput aria-hidden /> To a board
      </BoardMenu>
      {ids.length === 2 && (
        <Button size="s" onClick={() => router.push(compareLink(ids))}>
          <Columns2 aria-hidden /> Compare
        </Button>
      )}
      {ids.length <= MAX_EXPORTED && (
        // A form, because an address is too short for many, and the browser saves what it answers.
        <form method="post" action="/api/v1/generations/export">
          <input type="hidden" name="ids" value={ids.join(',')} />
          <Button type="submit" size="s">
            <Download aria-hidden /> Zip
          </Button>
        </form>
      )}
      <Button size="s" onClick={() => bulk.remove()}>
        <Trash2 aria-hidden /> Delete
      </Button>
      <Button size="s" tone="quiet" className={styles.clear} onClick={onClear}>
        <X aria-hidden /> Clear
      </Button>
    </div>
  );
}

function compareLink([a = '', b = '']: string[]): string {
  return `/compare?${new URLSearchParams({ a, b })}`;
}
