'use client';
import { X } from 'lucide-react';
import { Fragment, useMemo } from 'react';
import type { Model } from '../../lib/contracts/models.ts';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import { useAdapters, useGenerations } from '../_lib/queries.ts';
import { freshSentences } from '../_lib/suggestions.ts';
import { nearestWord, readPrompt, replaceWord } from '../_lib/words.ts';
import styles from './prompt-hint.module.css';

interface PromptHintProps {
  draft: Draft;
  model: Model | undefined;
  obstacles: string[];
  /** A sentence was chosen; undefined where the page offers some elsewhere. */
  onTake: ((sentence: string) => void) | undefined;
}

/** What is still needed, what the model will make of the words, and sentences to start from while there are none. */
export function PromptHint({ draft, model, obstacles, onTake }: PromptHintProps) {
  const { prompt, promptTemplate } = draft;
  return (
    <>
      {promptTemplate !== undefined && (
        <p className={styles.template}>
          <span>
            Drawn as <q>{promptTemplate.replaceAll('{prompt}', '…')}</q>
          </span>
          <button
            type="button"
            className={styles.drop}
            aria-label="Leave these words away"
            onClick={() => updateDraft({ promptTemplate: undefined })}
          >
            <X aria-hidden />
          </button>
        </p>
      )}
      {obstacles.length > 0 && (
        <p role="status" className={styles.obstacle}>
          {obstacles.join(' ')}
        </p>
      )}
      {model !== undefined &&
        (prompt.trim() === '' ? (
          onTake !== undefined && <Sentences model={model} onTake={onTake} />
        ) : (
          <Unknown prompt={prompt} model={model} />
        ))}
    </>
  );
}

function Sentences({ model, onTake }: { model: Model; onTake: (sentence: string) => void }) {
  const { items } = useGenerations();
  if (model.suggestions.length === 0) return null;
  const fresh = freshSentences(
    model.suggestions,
    items.map(({ params }) => params.prompt),
  );
  return (
    <p className={styles.tries}>
      <span>Try</span>
      {fresh.slice(0, 2).map((sentence) => (
        <button key={sentence} type="button" className={styles.try} onClick={() => onTake(sentence)}>
          {sentence}
        </button>
      ))}
    </p>
  );
}

function Unknown({ prompt, model }: { prompt: string; model: Model }) {
  const { adapters: loras } = useAdapters('lora');
  const { adapters: embeddings } = useAdapters('embedding');
  const reading = useMemo(() => {
    const triggers = [...loras, ...embeddings].flatMap((each) => each.triggers);
    return readPrompt(prompt, model.vocabulary, triggers);
  }, [prompt, model.vocabulary, loras, embeddings]);
  if (reading.unknown.length === 0) return null;
  const words = reading.unknown.slice(0, 4).map((word) => `“${word}”`);
  const meant = reading.unknown.slice(0, 4).flatMap((word) => {
    const near = nearestWord(word, model.vocabulary);
    return near === undefined ? [] : [{ word, near }];
  });
  return (
    <div role="status" className={styles.unknown}>
      {reading.known.length === 0
        ? `${model.name} knows none of these words and will draw something at random.`
        : `${model.name} was never shown ${words.join(', ')} and will ignore ${words.length === 1 ? 'it' : 'them'}.`}{' '}
      {meant.length > 0 && 'Did you mean '}
      {meant.map(({ word, near }, index) => (
        <Fragment key={word}>
          {index > 0 && ', '}
          <button
            type="button"
            className={styles.try}
            aria-label={`${near} in place of ${word}`}
            onClick={() => updateDraft({ prompt: replaceWord(prompt, word, near) })}
          >
            {near}
          </button>
        </Fragment>
      ))}
      {meant.length > 0 && '? '}
      <details className={styles.vocabulary}>
        <summary>Which words does it know?</summary>
        <p>{model.vocabulary.join(', ')}</p>
      </details>
    </div>
  );
}
