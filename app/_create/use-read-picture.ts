'use client';
import type { PictureInfo } from '../../lib/contracts/studio.ts';
import { useNotify } from '../_components/toaster.tsx';
import { draftStore, updateDraft } from '../_lib/draft.ts';
import { noInputs } from '../_lib/inputs.ts';

export const programs: Record<NonNullable<PictureInfo['source']>, string> = {
  encore: 'Encore',
  a1111: 'A1111 or Forge',
  fooocus: 'Fooocus',
  swarmui: 'SwarmUI',
  comfyui: 'ComfyUI',
  invokeai: 'InvokeAI',
  novelai: 'NovelAI',
};

/** Sets the fields of the page to what a picture, or the text out of one, says of how it was made, with a way back. */
export function useReadPicture(): (info: PictureInfo, what?: 'picture' | 'text') => void {
  const { notify } = useNotify();
  return ({ source, params, modelName }, what = 'picture') => {
    const before = draftStore.get();
    updateDraft({ ...noInputs, ...params, count: 1 });
    const isOtherModel = modelName !== null && params.model === undefined;
    notify({
      title: `Set as this ${what} of ${programs[source ?? 'encore']} says.`,
      description: isOtherModel ? `It was made with ${modelName}, which is not installed here.` : undefined,
      action: { label: 'Undo', run: () => draftStore.set(before) },
    });
  };
}
