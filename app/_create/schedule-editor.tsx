'use client';
import { useId, useState, type KeyboardEvent, type PointerEvent } from 'react';
import type { Plan } from '../../lib/contracts/generation.ts';
import { ScheduleStrip } from '../_components/schedule-strip.tsx';
import { toggleStep } from '../_lib/plan.ts';
import styles from './schedule-editor.module.css';

interface ScheduleEditorProps {
  /** Steps that are drawn, and those left out before them. */
  steps: number;
  first: number;
  keySteps: readonly number[];
  /** The model's plan, which is that of a pace. */
  own: Plan;
  /** Undefined where the run is too short to have a choice. */
  onChange?: (plan: Plan) => void;
}

/**
 * The strip of a run to come: a click or Space switches the encoder on or off at a step. One stop for the keyboard,
 * arrow keys walk along the steps.
 */
export function ScheduleEditor({ steps, first, keySteps, own, onChange }: ScheduleEditorProps) {
  const id = useId();
  const [cursor, setCursor] = useState(0);
  const [isActive, setIsActive] = useState(false);
  const at = Math.min(cursor, steps - 1);
  const isKey = keySteps.includes(at);
  if (onChange === undefined) return <ScheduleStrip steps={steps} keySteps={keySteps} />;

  const toggle = () => onChange(toggleStep(keySteps, at, { steps, first, own }));
  const stepUnder = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const fraction = (event.clientX - box.left) / box.width;
    return Math.min(steps - 1, Math.max(0, Math.floor(fraction * steps)));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      PageUp: at + 10,
      PageDown: at - 10,
      Home: 0,
      End: steps - 1,
    };
    const move = moves[event.key];
    if (event.ctrlKey || event.metaKey) return;
    if (move !== undefined) setCursor(Math.min(steps - 1, Math.max(0, move)));
    else if (event.key === ' ' || event.key === 'Enter') toggle();
    else return;
    event.preventDefault();
  };

  return (
    <div className={styles.editor}>
      <div
        className={styles.rail}
        role="slider"
        tabIndex={0}
        aria-label="Steps at which the encoder works"
        aria-describedby={`${id}-how`}
        aria-valuemin={0}
        aria-valuemax={steps - 1}
        aria-valuenow={at}
        aria-valuetext={`Step ${at}, ${wordFor(at, isKey)}`}
        onKeyDown={onKeyDown}
        onFocus={() => setIsActive(true)}
        onBlur={() => setIsActive(false)}
        onPointerEnter={() => setIsActive(true)}
        onPointerLeave={() => setIsActive(false)}
        onPointerMove={(event) => setCursor(stepUnder(event))}
        onClick={toggle}
      >
        <ScheduleStrip steps={steps} keySteps={keySteps} />
        {isActive && (
          <span className={styles.cursor} style={{ left: `${((at + 0.5) / steps) * 100}%` }} aria-hidden />
        )}
      </div>
      <p id={`${id}-how`} className={styles.how} data-shown={isActive} aria-hidden={!isActive}>
        <span className="film">{at}</span> {wordFor(at, isKey)}
      </p>
    </div>
  );
}

function wordFor(step: number, isKey: boolean): string {
  if (step === 0) return 'always computes the encoder';
  return isKey
    ? 'computes the encoder. Click or press Space to use the step before it.'
    : 'uses the features of the step before it. Click or press Space to compute the encoder.';
}
