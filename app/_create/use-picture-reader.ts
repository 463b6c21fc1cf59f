'use client';
import { useMutation } from '@tanstack/react-query';
import type { PictureInfo } from '../../lib/contracts/studio.ts';
import { useNotify } from '../_components/toaster.tsx';
import { api } from '../_lib/api.ts';
import { draftStore, updateDraft } from '../_lib/draft.ts';

const programs: Record<NonNullable<PictureInfo['source']>, string> = {
  encore: 'Encore',
  a1111: 'A1111 or Forge',
  fooocus: 'Fooocus',
  swarmui: 'SwarmUI',
  comfyui: 'ComfyUI',
  invokeai: 'InvokeAI',
  novelai: 'NovelAI',
};

/** Reads how a picture was made into the fields of the page, with a way back. */
export function usePictureReader() {
  const { notify, notifyError } = useNotify();
  const { mutate, isPending } = useMutation({
    mutationFn: (file: File) => api.readMetadata(file),
    onError: notifyError,
    onSuccess: ({ source, params, modelName }) => {
      if (source === null || Object.keys(params).length === 0) {
        notify({ title: 'This picture does not say how it was made.' });
        return;
      }
      const before = draftStore.get();
      updateDraft({ ...params, count: 1 });
      const isOtherModel = modelName !== null && params.model === undefined;
      notify({
        title: `Set as this picture of ${programs[source]} says.`,
        description: isOtherModel ? `It was made with ${modelName}, which is not installed here.` : undefined,
        action: { label: 'Undo', run: () => draftStore.set(before) },
      });
    },
  });
  return { read: mutate, isReading: isPending };
}
