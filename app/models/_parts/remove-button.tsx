'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Installed } from '../../../lib/contracts/models.ts';
import { Button } from '../../_components/button.tsx';
import { Dialog } from '../../_components/dialog.tsx';
import { useNotify } from '../../_components/toaster.tsx';
import { api } from '../../_lib/api.ts';
import { formatBytes } from '../../_lib/format.ts';
import styles from './models-page.module.css';

/** A link is taken away at once, since nothing is lost; files that were fetched are deleted only when one insists. */
export function RemoveButton({ item }: { item: Installed }) {
  const client = useQueryClient();
  const { notify, notifyError } = useNotify();
  const [isAsking, setAsking] = useState(false);
  const isOurs = item.source === 'hub';
  const remove = useMutation({
    mutationFn: api.removeModel,
    onSuccess: async () => {
      setAsking(false);
      notify({
        title: isOurs
          ? `${item.name} is deleted; ${formatBytes(item.bytes)} are free again.`
          : `${item.name} is gone from here; its files are where they were.`,
      });
      await Promise.all([
        client.invalidateQueries({ queryKey: ['models'] }),
        client.invalidateQueries({ queryKey: ['installs'] }),
      ]);
    },
    onError: notifyError,
  });
  return (
    <>
      <Button
        size="s"
        tone="quiet"
        disabled={remove.isPending}
        aria-label={`${isOurs ? 'Delete' : 'Take away'} ${item.name}`}
        onClick={() => (isOurs ? setAsking(true) : remove.mutate(item.id))}
      >
        {isOurs ? 'Delete' : 'Take away'}
      </Button>
      {isAsking && (
        <Dialog
          open
          onOpenChange={setAsking}
          title={`Delete ${item.name}?`}
          description={`Its files (${formatBytes(item.bytes)}) are deleted from this machine. Pictures that were made with it stay.`}
        >
          <div className={styles.actions}>
            <Button tone="mark" disabled={remove.isPending} onClick={() => remove.mutate(item.id)}>
              Delete
            </Button>
            <Button onClick={() => setAsking(false)}>Keep</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
