'use client';
import { RotateCw, Star, Trash2, WandSparkles } from 'lucide-react';
import type { Generation } from '../../lib/contracts/generation.ts';
import { openDeskFor } from '../_lib/desk.ts';
import { updateDraft } from '../_lib/draft.ts';
import { canDo, nextSteps, reuse, seedOf, startFrom, type NextStep, type Reuse } from '../_lib/hand-over.ts';
import { useHotkeys } from '../_lib/hotkeys.ts';
import { useModels, useStar } from '../_lib/queries.ts';
import { selectionStore } from '../_lib/selection.ts';
import { isActive } from '../_lib/states.ts';
import { ActionMenu } from './action-menu.tsx';
import { DownloadMenu } from './download-menu.tsx';
import { IconButton } from './icon-button.tsx';
import { isVideo } from './result.tsx';
import { useNotify } from './toaster.tsx';
import { useRemoveWithUndo } from './use-remove-with-undo.ts';
import { canVerify, useVerify } from './use-verify.ts';
import styles from './picture-actions.module.css';

interface PictureActionsProps {
  generation: Generation;
  /** Which picture of a batch is meant. */
  picture?: number;
  onReuse?: () => void;
  onRemoved?: () => void;
}

const reuses: { part: Reuse; label: string; keys: 'a' | 'r' | 'p' | 's' | 'd'; done: string }[] = [
  { part: 'all', label: 'Everything', keys: 'a', done: 'Everything is set as it was for this picture.' },
  { part: 'remix', label: 'Everything but the seed', keys: 'r', done: 'Set as it was, with a fresh seed.' },
  { part: 'prompt', label: 'Prompt', keys: 'p', done: 'The prompt is back.' },
  { part: 'seed', label: 'Seed', keys: 's', done: 'The seed is locked to this picture.' },
  { part: 'size', label: 'Size', keys: 'd', done: 'The size is set.' },
];

const stepNames: Record<NextStep, string> = {
  redraw: 'Start from this picture',
  paint: 'Draw a part anew',
  extend: 'Draw what lies around it',
  enlarge: 'Enlarge it',
  reference: 'Use it as a reference',
  video: 'Make a video of it',
};

export function PictureActions({ generation, picture = 0, onReuse, onRemoved }: PictureActionsProps) {
  const { models } = useModels();
  const star = useStar();
  const remove = useRemoveWithUndo();
  const { verify } = useVerify(generation);
  const { notify, notifyError } = useNotify();
  const asset = generation.assets[picture];
  const over = !isActive(generation.status);

  const take = (part: Reuse) => {
    updateDraft(reuse(part, generation, seedOf(generation, picture)));
    const choice = reuses.find((candidate) => candidate.part === part);
    notify({ title: choice?.done ?? '' });
    onReuse?.();
  };
  const isMovie = asset !== undefined && isVideo(asset);
  const model = models.find(({ id }) => id === generation.params.model) ?? models[0];
  const steps = asset === undefined || isMovie ? [] : nextSteps.filter((step) => canDo(step, model));
  const goOn = (step: NextStep) => {
    updateDraft(startFrom(step, { generation, picture }));
    openDeskFor(step);
    onReuse?.();
  };
  const toggleStar = () => star.mutate(generation, { onError: notifyError });
  const removeIt = () =>
    remove({ id: generation.id, pictures: generation.assets.length }, () => {
      selectionStore.set((selection) =>
        selection.id === generation.id ? { follow: true, id: null } : selection,
      );
      onRemoved?.();
    });

  useHotkeys({
    a: () => take('all'),
    r: () => take('remix'),
    p: () => take('prompt'),
    s: () => take('seed'),
    d: () => take('size'),
    '.': toggleStar,
    ...(canVerify(generation) && { v: verify }),
    ...(over && { Delete: removeIt }),
  });

  return (
    <div className={styles.actions} role="group" aria-label="Actions">
      <span className={styles.buttons}>
        <ActionMenu
          className={styles.again}
          actions={reuses.map(({ part, label, keys }) => ({ label, keys, run: () => take(part) }))}
        >
          <RotateCw aria-hidden /> Use again
        </ActionMenu>
        {steps.length > 0 && (
          <ActionMenu
            className={styles.again}
            actions={steps.map((step) => ({ label: stepNames[step], run: () => goOn(step) }))}
          >
            <WandSparkles aria-hidden /> Go on
          </ActionMenu>
        )}
      </span>
      <span className={styles.icons}>
        <IconButton
          label={generation.starred ? 'Take the star away' : 'Star'}
          shortcut="."
          aria-pressed={generation.starred}
          onClick={toggleStar}
        >
          <Star fill={generation.starred ? 'currentColor' : 'none'} />
        </IconButton>
        {asset !== undefined && <DownloadMenu asset={asset} />}
        {over && (
          <IconButton label="Delete" shortcut="Delete" onClick={removeIt}>
            <Trash2 />
          </IconButton>
        )}
      </span>
    </div>
  );
}
