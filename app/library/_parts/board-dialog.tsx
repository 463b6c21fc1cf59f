'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { Board } from '../../../lib/contracts/studio.ts';
import { Button } from '../../_components/button.tsx';
import { Dialog, DialogForm } from '../../_components/dialog.tsx';
import { TextField } from '../../_components/fields.tsx';
import { api } from '../../_lib/api.ts';
import { refreshHistory } from '../../_lib/queries.ts';

interface BoardDialogProps {
  /** The one that gets another name; without it a new one is made. */
  board?: Board;
  onClose: () => void;
  onSaved: (board: Board) => void;
}

/** Asks for the name of a board. */
export function BoardDialog({ board, onClose, onSaved }: BoardDialogProps) {
  const client = useQueryClient();
  const [name, setName] = useState(board?.name ?? '');
  const field = useRef<HTMLInputElement>(null);
  const save = useMutation({
    mutationFn: (body: { name: string }) =>
      board === undefined ? api.createBoard(body) : api.renameBoard(board.id, body),
    onSuccess: async (saved) => {
      await refreshHistory(client);
      onSaved(saved);
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={board === undefined ? 'New board' : 'Rename the board'}
      initialFocus={field}
    >
      <DialogForm onSubmit={() => save.mutate({ name: name.trim() })}>
        <TextField
          ref={field}
          label="Name"
          value={name}
          maxLength={100}
          error={save.error?.message}
          onChange={(value) => {
            setName(value);
            save.reset();
          }}
        />
        <Button type="submit" tone="mark" disabled={name.trim() === '' || save.isPending}>
          Save
        </Button>
      </DialogForm>
    </Dialog>
  );
}
