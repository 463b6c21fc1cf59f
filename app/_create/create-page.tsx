'use client';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { Model } from '../../lib/contracts/models.ts';
import { clearDesk, useDesk } from '../_lib/desk.ts';
import { updateDraft, useDraft, type Draft } from '../_lib/draft.ts';
import { focusGenerate } from '../_lib/focus-generate.ts';
import { useHotkeys } from '../_lib/hotkeys.ts';
import { useAdapters, useGenerate, useModels, useVerb } from '../_lib/queries.ts';
import { obstacles, suitableControlNets, toRequest } from '../_lib/request.ts';
import { selectionStore } from '../_lib/selection.ts';
import { drawnSize } from '../_lib/sizes.ts';
import { announcement, isActive } from '../_lib/states.ts';
import { useNotify } from '../_components/toaster.tsx';
import { usePictureDrop } from '../_components/use-drop.ts';
import { ContactStrip } from './contact-strip.tsx';
import { Desk } from './desk/desk.tsx';
import { PictureChoice } from './inputs/picture-choice.tsx';
import { PromptPanel } from './prompt-panel.tsx';
import { Slip } from './slip.tsx';
import { NothingPainted, sendPictures } from './send-pictures.ts';
import { Table } from './table.tsx';
import { useCurrent } from './use-current.ts';
import styles from './create-page.module.css';

export function CreatePage() {
  const draft = useDraft();
  const { models } = useModels();
  const model = models.find((candidate) => candidate.id === draft.model) ?? models[0];
  const { adapters: controlNets } = useAdapters('controlnet');
  const { history, currentId, generation, live, hold } = useCurrent();
  const generate = useGenerate();
  const cancel = useVerb('cancel');
  const desk = useDesk();
  const { notify, notifyError } = useNotify();
  /** The picture that came and waits to be told what it is for. */
  const [arrived, setArrived] = useState<File | null>(null);
  const isOver = usePictureDrop(setArrived);
  /** It was asked for without a word. */
  const [saysMissing, setSaysMissing] = useState(false);
  const promptRef = useRef<HTMLTextAreaElement>(null);
  const tableRef = useRef<HTMLElement>(null);

  const make = useMutation({
    mutationFn: async ({ wanted, on }: { wanted: Draft; on: Model }) => {
      const suitable = suitableControlNets(controlNets, on);
      const sent = await sendPictures(wanted, drawnSize(wanted, on));
      return generate.mutateAsync(toRequest(wanted, on.defaults.steps, sent, suitable));
    },
    onSuccess: (created) => {
      clearDesk();
      const stillMaking = generation !== undefined && isActive(generation.status);
      selectionStore.set({ follow: true, id: stillMaking ? generation.id : created.id });
    },
    onError: (error) =>
      error instanceof NothingPainted ? notify({ title: error.message }) : notifyError(error),
  });

  const submit = () => {
    if (make.isPending || model === undefined) return;
    if (obstacles(draft, suitableControlNets(controlNets, model)).length > 0) return;
    if (draft.prompt.trim() === '') {
      setSaysMissing(true);
      promptRef.current?.focus();
      return;
    }
    setSaysMissing(false);
    make.mutate({ wanted: draft, on: model });
  };

  /** What comes next after a sentence was chosen is to make it. */
  const take = (prompt: string) => {
    updateDraft({ prompt });
    focusGenerate();
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
    <div className={styles.page} data-empty={isEmpty} data-desk={desk !== null}>
      {isOver && (
        <div className={styles.drop} aria-hidden>
          <p>Drop it to make something of it</p>
        </div>
      )}
      <PictureChoice file={arrived} draft={draft} model={model} onDone={() => setArrived(null)} />
      <h1 className="visually-hidden">Create a picture</h1>
      <PromptPanel
        draft={draft}
        model={model}
        current={generation}
        isEmpty={isEmpty}
        isSending={make.isPending}
        saysMissing={saysMissing && draft.prompt.trim() === ''}
        promptRef={promptRef}
        onTake={take}
        onSubmit={submit}
        onPicture={setArrived}
      />
      <section ref={tableRef} className={styles.table} aria-label="Picture">
        {desk === null ? (
          <Table
            generation={generation}
            live={live}
            isEmpty={isEmpty}
            model={model}
            hold={hold}
            onTake={take}
          />
        ) : (
          <Desk desk={desk} draft={draft} model={model} />
        )}
        <p role="status" className="visually-hidden">
          {announcement(generation, live, hold)}
        </p>
      </section>
      {generation !== undefined && (
        <aside className={styles.slip} aria-label="About this picture">
          <Slip generation={generation} />
        </aside>
      )}
      <ContactStrip
        items={history.items}
        currentId={currentId}
        // On a narrow page the place of the picture may be out of sight.
        onShow={() => tableRef.current?.scrollIntoView({ block: 'nearest' })}
      />
    </div>
  );
}
