'use client';
import { Shuffle } from 'lucide-react';
import { useState } from 'react';
import type { Model } from '../../lib/contracts/models.ts';
import { someOf } from '../_lib/suggestions.ts';
import prints from './prints.module.css';
import styles from './welcome.module.css';

const SHOWN = 6;

interface WelcomeProps {
  model: Model | undefined;
  onTake: (sentence: string) => void;
}

/** What lies on the table before anything was ever made: what to do, and sentences to do it with. */
export function Welcome({ model, onTake }: WelcomeProps) {
  const [start, setStart] = useState(0);
  const all = model?.suggestions ?? [];
  return (
    <div className={styles.welcome}>
      <span className={prints.corners} aria-hidden />
      <h2 className={styles.title}>Write a sentence, get a picture.</h2>
      {model !== undefined && (
        <p>
          {model.source === 'bundled' ? `${model.name}, the small model that came along,` : model.name}
          {model.vocabulary.length > 0
            ? ` knows ${model.vocabulary.length} words. `
            : ' reads whole sentences. '}
          {all.length > 0 && 'It draws these well:'}
        </p>
      )}
      {all.length > 0 && (
        <ul className={styles.sentences}>
          {someOf(all, start, SHOWN).map((sentence) => (
            <li key={sentence}>
              <button type="button" className={styles.sentence} onClick={() => onTake(sentence)}>
                {sentence}
              </button>
            </li>
          ))}
        </ul>
      )}
      {all.length > SHOWN && (
        <button type="button" className={styles.others} onClick={() => setStart(start + SHOWN)}>
          <Shuffle aria-hidden /> Show me others
        </button>
      )}
    </div>
  );
}
