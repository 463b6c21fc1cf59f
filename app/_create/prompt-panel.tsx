'use client';
import { ChevronDown, Loader } from 'lucide-react';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type RefObject } from 'react';
import { limits, type Generation } from '../../lib/contracts/generation.ts';
import type { Model } from '../../lib/contracts/models.ts';
import { Keys } from '../_components/shortcuts-dialog.tsx';
import { hasOwnSettings, resetSettings, updateDraft, type Draft } from '../_lib/draft.ts';
import { useHotkeys } from '../_lib/hotkeys.ts';
import { readPrompt } from '../_lib/words.ts';
import { Details } from './details.tsx';
import { Pace } from './pace.tsx';
import { SizeChoice } from './size-choice.tsx';
import styles from './prompt-panel.module.css';

interface PromptPanelProps {
  draft: Draft;
  model: Model | undefined;
  models: Model[];
  current: Generation | undefined;
  isEmpty: boolean;
  isSending: boolean;
  promptRef: RefObject<HTMLTextAreaElement | null>;
  onSubmit: () => void;
  onPicture: (file: File) => void;
}

export function PromptPanel({
  draft,
  model,
  models,
  current,
  isEmpty,
  isSending,
  promptRef,
  onSubmit,
  onPicture,
}: PromptPanelProps) {
  const id = useId();
  const [showDetails, setShowDetails] = useState(false);
  useHotkeys({ 'Alt+s': () => setShowDetails((shown) => !shown) });
  const count = draft.count;

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
      <div className={styles.first}>
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
            placeholder="Describe a picture"
            rows={3}
            spellCheck
            autoCapitalize="off"
            aria-describedby={`${id}-hint`}
            onChange={(event) => updateDraft({ prompt: event.target.value })}
          />
          <div className={styles.send}>
            <button type="submit" className={styles.generate} disabled={isSending || model === undefined}>
              {isSending && <Loader className={styles.spin} aria-hidden />}
              {count > 1 ? `Generate ${count}` : 'Generate'}
              <span className={styles.keys} aria-hidden>
                <Keys keys="mod+Enter" />
              </span>
            </button>
          </div>
        </div>
        <div id={`${id}-hint`} className={styles.hint}>
          <PromptHint prompt={draft.prompt} model={model} offerSentences={!isEmpty} />
        </div>
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
          <ReadPicture onPicture={onPicture} />
          {hasOwnSettings(draft) && (
            <button type="button" className={styles.reset} onClick={resetSettings}>
              Reset settings
            </button>
          )}
        </div>
        <div id={`${id}-details`} hidden={!showDetails}>
          <Details draft={draft} model={model} models={models} current={current} />
        </div>
      </div>
    </form>
  );
}

/** What the model will make of the words; sentences to start from while there are none. */
function PromptHint(props: { prompt: string; model: Model | undefined; offerSentences: boolean }) {
  const { prompt, model, offerSentences } = props;
  const reading = useMemo(() => readPrompt(prompt, model?.vocabulary ?? []), [prompt, model]);
  if (model === undefined) return null;
  if (prompt.trim() === '') {
    return !offerSentences || model.suggestions.length === 0 ? null : (
      <p className={styles.tries}>
        <span>Try</span>
        {model.suggestions.slice(0, 3).map((sentence) => (
          <button
            key={sentence}
            type="button"
            className={styles.try}
            onClick={() => updateDraft({ prompt: sentence })}
          >
            {sentence}
          </button>
        ))}
      </p>
    );
  }
  if (reading.unknown.length === 0) return null;
  const words = reading.unknown.slice(0, 4).map((word) => `“${word}”`);
  return (
    <p role="status" className={styles.unknown}>
      {reading.known.length === 0
        ? `${model.name} knows none of these words and will draw something at random.`
        : `${model.name} was never shown ${words.join(', ')} and will ignore ${words.length === 1 ? 'it' : 'them'}.`}{' '}
      <VocabularyNote model={model} />
    </p>
  );
}

/** What dropping does, for those who cannot drag. */
function ReadPicture({ onPicture }: { onPicture: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        hidden
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file !== undefined) onPicture(file);
          event.target.value = '';
        }}
      />
      <button type="button" className={styles.reset} onClick={() => input.current?.click()}>
        Read from a picture
      </button>
    </>
  );
}

function VocabularyNote({ model }: { model: Model }) {
  return (
    <details className={styles.vocabulary}>
      <summary>Which words does it know?</summary>
      <p>{model.vocabulary.join(', ')}</p>
    </details>
  );
}
