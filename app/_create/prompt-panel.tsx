'use client';
import { ChevronDown, Loader } from 'lucide-react';
import { useEffect, useId, useLayoutEffect, useState, type RefObject } from 'react';
import { limits, type Generation } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { Keys } from '../_components/shortcuts-dialog.tsx';
import { hasOwnSettings, resetSettings, updateDraft, type Draft } from '../_lib/draft.ts';
import { GENERATE_ID } from '../_lib/focus-generate.ts';
import { useHotkeys } from '../_lib/hotkeys.ts';
import { useAdapters } from '../_lib/queries.ts';
import { obstacles as obstaclesOf, suitableControlNets } from '../_lib/request.ts';
import { AddRow } from './inputs/add-row.tsx';
import { Inputs } from './inputs/inputs.tsx';
import { Details } from './details.tsx';
import { Pace } from './pace.tsx';
import { Presets } from './presets.tsx';
import { PromptHint } from './prompt-hint.tsx';
import { SizeChoice } from './size-choice.tsx';
import { usePromptKeys } from './use-prompt-keys.ts';
import styles from './prompt-panel.module.css';

interface PromptPanelProps {
  draft: Draft;
  model: Model | undefined;
  current: Generation | undefined;
  isEmpty: boolean;
  isSending: boolean;
  /** It was asked for without a word. */
  saysMissing: boolean;
  promptRef: RefObject<HTMLTextAreaElement | null>;
  onSubmit: () => void;
  /** A sentence was chosen to begin with. */
  onTake: (sentence: string) => void;
  onPicture: (file: File) => void;
}

export function PromptPanel(props: PromptPanelProps) {
  const { draft, model, current, promptRef, onSubmit } = props;
  const { adapters: controlNets } = useAdapters('controlnet');
  const id = useId();
  const [showDetails, setShowDetails] = useState(false);
  const [wantsLoras, setWantsLoras] = useState(false);
  useHotkeys({ 'Alt+s': () => setShowDetails((shown) => !shown) });
  const insert = usePromptKeys(promptRef);
  const showLoras = wantsLoras || draft.loras.length > 0;
  const obstacles = model === undefined ? [] : obstaclesOf(draft, suitableControlNets(controlNets, model));
  const { count } = draft;

  const closeLoras = () => {
    setWantsLoras(false);
    updateDraft({ loras: [] });
  };

  // What was typed before the page had its script wins over the draft that is about to be shown.
  useLayoutEffect(() => {
    const typed = promptRef.current?.value ?? '';
    if (typed !== '') updateDraft({ prompt: typed });
  }, [promptRef]);

  // The prompt is what one came for. On a touch screen the keyboard would cover the page.
  useEffect(() => {
    if (window.matchMedia('(pointer: fine)').matches) promptRef.current?.focus();
  }, [promptRef]);

  return (
    <form
      className={styles.panel}
      aria-label="What to make"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <div className={styles.ask}>
        <label htmlFor={`${id}-prompt`} className="visually-hidden">
          Prompt
        </label>
        <textarea
          id={`${id}-prompt`}
          ref={promptRef}
          className={styles.prompt}
          value={draft.prompt}
          maxLength={limits.promptLength}
          placeholder={draft.video === undefined ? 'Describe a picture' : 'Describe a video'}
          rows={2}
          spellCheck
          autoCapitalize="off"
          aria-describedby={`${id}-hint`}
          onChange={(event) => updateDraft({ prompt: event.target.value })}
        />
        <AddRow
          draft={draft}
          model={model}
          showLoras={showLoras}
          onShowLoras={() => (showLoras ? closeLoras() : setWantsLoras(true))}
          onPicture={props.onPicture}
        />
        <div className={styles.send}>
          <button
            id={GENERATE_ID}
            type="submit"
            className={styles.generate}
            disabled={props.isSending || model === undefined || obstacles.length > 0}
            aria-describedby={obstacles.length > 0 ? `${id}-hint` : undefined}
          >
            {props.isSending && <Loader className={styles.spin} aria-hidden />}
            {count > 1 ? `Generate ${count}` : 'Generate'}
            <span className={styles.keys} aria-hidden>
              <Keys keys="mod+Enter" />
            </span>
          </button>
        </div>
      </div>
      <div id={`${id}-hint`} className={styles.hint}>
        <PromptHint
          draft={draft}
          model={model}
          obstacles={props.saysMissing ? ['Write what should be in the picture.', ...obstacles] : obstacles}
          onTake={props.isEmpty ? undefined : props.onTake}
        />
      </div>
      <div className={styles.inputs}>
        {model !== undefined && (
          <Inputs
            draft={draft}
            model={model}
            showLoras={showLoras}
            onCloseLoras={closeLoras}
            onInsert={insert}
          />
        )}
      </div>

      <div className={styles.settings}>
        <Pace draft={draft} model={model} />
        <SizeChoice draft={draft} model={model} />

        <div className={styles.more}>
          <button
            type="button"
            className={styles.toggle}
            aria-expanded={showDetails}
            aria-controls={`${id}-details`}
            onClick={() => setShowDetails(!showDetails)}
          >
            <ChevronDown aria-hidden /> Details
          </button>
          <span className={styles.aside}>
            {hasOwnSettings(draft) && (
              <button type="button" className={styles.reset} onClick={resetSettings}>
                Reset settings
              </button>
            )}
            <Presets draft={draft} />
          </span>
        </div>
        <div id={`${id}-details`} hidden={!showDetails}>
          <Details draft={draft} model={model} current={current} />
        </div>
      </div>
    </form>
  );
}
