'use client';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ApiError, lockedStore } from '../_lib/api.ts';
import { useStore } from '../_lib/store.ts';
import { Button } from './button.tsx';
import { Dialog, DialogForm } from './dialog.tsx';
import { TextField } from './fields.tsx';

/** Asks for the token where the studio listens beyond its own machine. */
export function UnlockDialog() {
  const isLocked = useStore(lockedStore, (locked) => locked, false);
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();

  const submit = async () => {
    try {
      await api.openSession(token.trim());
      lockedStore.set(false);
      setToken('');
      await client.invalidateQueries();
    } catch (cause) {
      setError(cause instanceof ApiError ? cause.problem.detail : 'The token could not be checked.');
    }
  };

  return (
    <Dialog
      open={isLocked}
      title="This studio is locked"
      description={
        <>
          Enter the token it was started with (<code>ENCORE_TOKEN</code>). This browser then stays signed in
          for 30 days.
        </>
      }
    >
      <DialogForm onSubmit={() => void submit()}>
        <TextField
          label="Token"
          type="password"
          autoComplete="current-password"
          value={token}
          error={error}
          onChange={(value) => {
            setToken(value);
            setError(undefined);
          }}
        />
        <Button type="submit" tone="mark" disabled={token.trim() === ''}>
          Unlock
        </Button>
      </DialogForm>
    </Dialog>
  );
}
