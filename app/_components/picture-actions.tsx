'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Menu } from '@base-ui/react/menu';
import { RotateCw, Scale, Star, Trash2, WandSparkles } from 'lucide-react';
import { useRouter } from 'next/navigation';
import type { Generation } from '../../lib/contracts/generation.ts';
import { api } from '../_lib/api.ts';
import { placeGeneration } from '../_lib/live.ts';
import { updateDraft } from '../_lib/draft.ts';
import { canDo, nextSteps, reuse, seedOf, startFrom, type NextStep, type Reuse } from '../_lib/hand-over.ts';
import { useHotkeys } from '../_lib/hotkeys.ts';
import { useModels, useRemove, useStar, useVerb } from '../_lib/queries.ts';
import { selectionStore } from '../_lib/selection.ts';
import { isActive } from '../_lib/states.ts';
import { DownloadMenu } from './download-menu.tsx';
import { IconButton } from './icon-button.tsx';
import { isVideo } from './result.tsx';
import { Keys } from './shortcuts-dialog.tsx';
import { useNotify } from './toaster.tsx';
import menu from './menu.module.css';
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
  const remove = useRemove();
  const restore = useVerb('restore');
  const client = useQueryClient();
  const router = useRouter();
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
    onReuse?.();
  };
  const toggleStar = () => star.mutate(generation, { onError: notifyError });
  const removeIt = () => {
    remove.mutate(generation.id, {
      onError: notifyError,
      onSuccess: () => {
        selectionStore.set((selection) =>
          selection.id === generation.id ? { follow: true, id: null } : selection,
        );
        notify({
          title: generation.assets.length > 1 ? `${generation.assets.length} pictures deleted.` : 'Deleted.',
          action: { label: 'Undo', run: () => restore.mutate(generation.id, { onError: notifyError }) },
        });
        onRemoved?.();
      },
    });
  };
  const canVerify =
    generation.status === 'succeeded' &&
    generation.verifies === null &&
    // Two videos are not compared value by value.
    !isMovie &&
    (generation.receipt?.encoderRunsSaved ?? 0) > 0;
  const verifying = useMutation({
    mutationFn: () => api.verify(generation.id),
    onSuccess: (exact) => {
      placeGeneration(client, exact);
      router.push(`/compare?${new URLSearchParams({ a: generation.id, b: exact.id })}`);
    },
    onError: notifyError,
  });
  const verify = () => verifying.mutate();

  useHotkeys({
    a: () => take('all'),
    r: () => take('remix'),
    p: () => take('prompt'),
    s: () => take('seed'),
    d: () => take('size'),
    '.': toggleStar,
    ...(canVerify && { v: verify }),
    ...(over && { Delete: removeIt }),
  });

  return (
    <div className={styles.actions} role="group" aria-label="Actions">
      <span className={styles.buttons}>
        <Menu.Root>
          <Menu.Trigger className={styles.again}>
            <RotateCw aria-hidden /> Use again
          </Menu.Trigger>
          <Menu.Portal>
            <Menu.Positioner className={menu.positioner} sideOffset={6} align="start">
              <Menu.Popup className={menu.popup}>
                {reuses.map(({ part, label, keys }) => (
                  <Menu.Item key={part} className={menu.item} onClick={() => take(part)}>
                    {label}
                    <Keys keys={keys} />
                  </Menu.Item>
                ))}
              </Menu.Popup>
            </Menu.Positioner>
          </Menu.Portal>
        </Menu.Root>
        {steps.length > 0 && (
          <Menu.Root>
            <Menu.Trigger className={styles.again}>
              <WandSparkles aria-hidden /> Go on
            </Menu.Trigger>
            <Menu.Portal>
              <Menu.Positioner className={menu.positioner} sideOffset={6} align="start">
                <Menu.Popup className={menu.popup}>
                  {steps.map((step) => (
                    <Menu.Item key={step} className={menu.item} onClick={() => goOn(step)}>
                      {stepNames[step]}
                    </Menu.Item>
                  ))}
                </Menu.Popup>
              </Menu.Positioner>
            </Menu.Portal>
          </Menu.Root>
        )}
      </span>
      <span className={styles.icons}>
        {canVerify && (
          <IconButton label="Verify: make it exactly and compare" shortcut="v" onClick={verify}>
            <Scale />
          </IconButton>
        )}
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
