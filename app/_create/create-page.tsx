'use client';
import { useEffect, useRef } from 'react';
import { ApiError } from '../_lib/api.ts';
import { toRequest, useDraft } from '../_lib/draft.ts';
import { useHotkeys } from '../_lib/hotkeys.ts';
import { useLive } from '../_lib/live.ts';
import { useGenerate, useGeneration, useGenerations, useModels, useQueue, useVerb } from '../_lib/queries.ts';
import { onTheTable, selectionStore, useSelection } from '../_lib/selection.ts';
import { announcement, isActive, tabTitle } from '../_lib/states.ts';
import { useNotify } from '../_components/toaster.tsx';
import { usePictureDrop } from '../_components/use-drop.ts';
import { ContactStrip } from './contact-strip.tsx';
import { PromptPanel } from './prompt-panel.tsx';
import { Slip } from './slip.tsx';
import { usePictureReader } from './use-picture-reader.ts';
import { Table } from './table.tsx';
import styles from './create-page.module.css';

/** Until the models are known; the button that needs it waits for them. */
const DEFAULT_STEPS = 50;

export function CreatePage() {
  const draft = useDraft();
  const { models } = useModels();
  const model = models.find((candidate) => candidate.id === draft.model) ?? models[0];
  const history = useGenerations();
  const { data: queue } = useQueue();
  const selection = useSelection();
  const currentId = onTheTable(selection, queue?.running ?? [], queue?.queued ?? [], history.items[0]?.id);
  const current = useGeneration(currentId);
  const generation = current.data;
  const live = useLive(currentId);
  const generate = useGenerate();
  const cancel = useVerb('cancel');
  const { notifyError } = useNotify();
  const reader = usePictureReader();
  const isOver = usePictureDrop(reader.read);
  const promptRef = useRef<HTMLTextAreaElement>(null);

  // What was followed to its end stays on the table.
  useEffect(() => {
    if (selection.follow && currentId !== undefined && selection.id !== currentId) {
      selectionStore.set({ follow: true, id: currentId });
    }
  }, [selection, currentId]);

  // A remembered picture may have been deleted elsewhere.
  useEffect(() => {
    if (current.error instanceof ApiError && current.error.problem.status === 404) {
      selectionStore.set({ follow: true, id: null });
    }
  }, [current.error]);

  useEffect(() => {
    document.title = tabTitle(generation, live);
  }, [generation, live]);

  const submit = () => {
    if (generate.isPending) return;
    if (draft.prompt.trim() === '') {
      promptRef.current?.focus();
      return;
    }
    generate.mutate(toRequest(draft, model?.defaults.steps ?? DEFAULT_STEPS), {
      onSuccess: (created) => {
        const stillMaking = generation !== undefined && isActive(generation.status);
        selectionStore.set({ follow: true, id: stillMaking ? generation.id : created.id });
      },
      onError: notifyError,
    });
  };

  useHotkeys({
    'mod+Enter': submit,
    'Alt+a': () => promptRef.current?.focus(),
    'Shift+x': () => {
      if (generation !== undefined && isActive(generation.status))
        cancel.mutate(generation.id, { onError: notifyError });
    },
  });

  const isEmpty = history.isSuccess && history.items.length === 0 && generation === undefined;

  return (
    <div className={styles.page} data-empty={isEmpty}>
      {(isOver || reader.isReading) && (
        <div className={styles.drop} aria-hidden>
          <p>{reader.isReading ? 'Reading the picture…' : 'Drop it to set everything as for this picture'}</p>
        </div>
      )}
      <h1 className="visually-hidden">Create a picture</h1>
      <PromptPanel
        draft={draft}
        model={model}
        models={models}
        current={generation}
        isEmpty={isEmpty}
        isSending={generate.isPending}
        promptRef={promptRef}
        onSubmit={submit}
        onPicture={reader.read}
      />
      <section className={styles.table} aria-label="Picture">
        <Table generation={generation} live={live} isEmpty={isEmpty} model={model} />
        <p role="status" className="visually-hidden">
          {announcement(generation, live)}
        </p>
      </section>
      {generation !== undefined && (
        <aside className={styles.slip} aria-label="About this picture">
          <Slip generation={generation} />
        </aside>
      )}
      <ContactStrip items={history.items} currentId={currentId} />
    </div>
  );
}
