'use client';
import { useState, type CSSProperties, type ReactNode } from 'react';
import type { Asset, Generation } from '../../../lib/contracts/generation.ts';
import { Making } from '../../_components/making.tsx';
import { Picture } from '../../_components/picture.tsx';
import { planSteps } from '../../_components/plan-words.ts';
import { Result, stillOf } from '../../_components/result.tsx';
import type { Measured } from './use-difference.ts';
import styles from './compare-page.module.css';

export type Mode = 'slider' | 'beside' | 'difference';

interface StageProps {
  a: Generation;
  b: Generation;
  mode: Mode;
  /** Null where the two have different sizes, or are not measured yet. */
  difference: Measured | null;
}

export function Stage({ a, b, mode, difference }: StageProps) {
  const tags = tagsOf(a, b);
  const [pictureA, pictureB] = [a.assets[0], b.assets[0]];
  if (mode === 'beside' || pictureA === undefined || pictureB === undefined) {
    return (
      <div className={styles.beside}>
        <One generation={a} tag={tags[0]} />
        <One generation={b} tag={tags[1]} />
      </div>
    );
  }
  if (mode === 'slider') {
    return <Slider left={pictureA} right={pictureB} words={[a.params.prompt, b.params.prompt]} tags={tags} />;
  }
  if (difference === null) {
    return (
      <p className={styles.measured}>Pictures of different sizes have no difference that could be shown.</p>
    );
  }
  const { gain, mean, picture } = difference;
  const strength = gain === 1 ? 'as it is' : `${gain} times as strong`;
  return (
    <Tagged tag={strength}>
      <Picture
        src={picture}
        alt={`Where the two differ, ${strength}: ${mean.toFixed(2)} of 255 on average`}
        width={pictureA.width}
        height={pictureA.height}
      />
    </Tagged>
  );
}

/** Which is which, on the picture itself; the words below say it to those who do not see it. */
function tagsOf(a: Generation, b: Generation): [string, string] {
  const plans: [string, string] = [planSteps(a.params.plan), planSteps(b.params.plan)];
  return plans[0] === plans[1] ? ['left', 'right'] : plans;
}

interface SliderProps {
  left: Asset;
  right: Asset;
  words: [string, string];
  tags: [string, string];
}

/** One lies over the other as far as its edge is drawn. */
function Slider({ left, right, words, tags }: SliderProps) {
  const [position, setPosition] = useState(50);
  return (
    <div
      className={styles.slider}
      style={{ '--w': left.width, '--h': left.height, '--at': `${position}%` } as CSSProperties}
    >
      <img src={stillOf(right)} alt={`Right: ${words[1]}`} draggable={false} />
      <img src={stillOf(left)} alt={`Left: ${words[0]}`} draggable={false} className={styles.over} />
      <span className={styles.line} aria-hidden />
      <Tag side="left">{tags[0]}</Tag>
      <Tag side="right">{tags[1]}</Tag>
      <input
        type="range"
        min={0}
        max={100}
        step={0.5}
        value={position}
        aria-label="How much of the left picture is shown"
        aria-valuetext={`${Math.round(position)} %`}
        onChange={(event) => setPosition(Number(event.target.value))}
      />
    </div>
  );
}

function One({ generation, tag }: { generation: Generation; tag: string }) {
  const asset = generation.assets[0];
  return (
    <div className={styles.one}>
      {asset === undefined ? (
        <Making generation={generation} />
      ) : (
        <Tagged tag={tag}>
          <Result asset={asset} alt={generation.params.prompt} />
        </Tagged>
      )}
    </div>
  );
}

function Tagged({ tag, children }: { tag: string; children: ReactNode }) {
  return (
    <div className={styles.tagged}>
      {children}
      <Tag side="left">{tag}</Tag>
    </div>
  );
}

function Tag({ side, children }: { side: 'left' | 'right'; children: ReactNode }) {
  return (
    <span className={`film ${styles.tag}`} data-side={side} aria-hidden>
      {children}
    </span>
  );
}
