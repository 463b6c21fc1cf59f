'use client';
import { useRemove, useVerb } from '../_lib/queries.ts';
import { useNotify } from './toaster.tsx';

/** Deletes a generation and offers the way back. */
export function useRemoveWithUndo(): (
  generation: { id: string; pictures?: number },
  onRemoved?: () => void,
) => void {
  const { mutate: remove } = useRemove();
  const { mutate: restore } = useVerb('restore');
  const { notify, notifyError } = useNotify();
  return ({ id, pictures = 1 }, onRemoved) =>
    remove(id, {
      onError: notifyError,
      onSuccess: () => {
        notify({
          title: pictures > 1 ? `${pictures} pictures deleted.` : 'Deleted.',
          action: { label: 'Undo', run: () => restore(id, { onError: notifyError }) },
        });
        onRemoved?.();
      },
    });
}
