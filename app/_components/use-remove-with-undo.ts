'use client';
import { useRemove, useVerb } from '../_lib/queries.ts';
import { useNotify } from './toaster.tsx';

/** Deletes a generation and offers the way back, also where what showed it is gone before the answer comes. */
export function useRemoveWithUndo(): (
  generation: { id: string; pictures?: number },
  onRemoved?: () => void,
) => void {
  // Promises: what is handed to `mutate` is forgotten with the component.
  const { mutateAsync: remove } = useRemove();
  const { mutateAsync: restore } = useVerb('restore');
  const { notify, notifyError } = useNotify();
  return ({ id, pictures = 1 }, onRemoved) => {
    remove(id).then(() => {
      notify({
        title: pictures > 1 ? `${pictures} pictures deleted.` : 'Deleted.',
        action: { label: 'Undo', run: () => void restore(id).catch(notifyError) },
      });
      onRemoved?.();
    }, notifyError);
  };
}
