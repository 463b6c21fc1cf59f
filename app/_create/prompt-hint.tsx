'use client';
import { X } from 'lucide-react';
import { useMemo } from 'react';
import type { Model } from '../../lib/contracts/models.ts';
import { updateDraft, type Draft } from '../_lib/draft.ts';
import { readPrompt } from '../_lib/words.ts';
import styles from './prompt-hint.module.css';

interface PromptHintProps {
  draft: Draft;
  model: Model | undefined;
  /** Words that installed LoRAs and embeddings understand. */
  triggers: string[];
  obstacles: string[];
  offerSentences: boolean;
}

/** What is still needed, what the model will make of the words, and sentences to start from while there are none. */
export function PromptHint({ draft, model, triggers, obstacles, offerSentences }: PromptHintProps) {
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
          offerSentences && <Sentences model={model} />
        ) : (
          <Unknown prompt={prompt} model={model} triggers={triggers} />
        ))}
    </>
  );
}

function Sentences({ model }: { model: Model }) {
  if (model.suggestions.length === 0) return null;
  return (
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

function Unknown({ prompt, model, triggers }: { prompt: string; model: Model; triggers: string[] }) {
  const reading = useMemo(
    () => readPrompt(prompt, model.vocabulary, triggers),
    [prompt, model.vocabulary, triggers],
  );
  if (reading.unknown.length === 0) return null;
  const words = reading.unknown.slice(0, 4).map((word) => `“${word}”`);
  return (
    <div role="status" className={styles.unknown}>
      {reading.known.length === 0
        ? `${model.name} knows none of these words and will draw something at random.`
        : `${model.name} was never shown ${words.join(', ')} and will ignore ${words.length === 1 ? 'it' : 'them'}.`}{' '}
      <details className={styles.vocabulary}>
        <summary>Which words does it know?</summary>
        <p>{model.vocabulary.join(', ')}</p>
      </details>
    </div>
  );
}
