'use client';
import { useId, type ReactNode } from 'react';
import styles from './slider.module.css';

interface SliderProps {
  label: string;
  /** Where the place says what it is; screen readers still hear it. */
  hideLabel?: boolean;
  value: number;
  min: number;
  max: number;
  step?: number | 'any';
  /** The value as a person reads it. */
  valueText?: string;
  /** Stands at the right of the label. */
  children?: ReactNode;
  onChange: (value: number) => void;
}

/** A number that is felt for rather than typed. */
export function Slider(props: SliderProps) {
  const { label, hideLabel = false, value, min, max, step = 1, valueText, children, onChange } = props;
  const id = useId();
  return (
    <div className={styles.slider}>
      <div className={hideLabel ? 'visually-hidden' : styles.head}>
        <label htmlFor={id}>{label}</label>
        {children ?? <output htmlFor={id}>{valueText ?? value}</output>}
      </div>
      <input
        id={id}
        type="range"
        className={styles.range}
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={valueText}
        style={{ '--at': `${((value - min) / (max - min)) * 100}%` } as React.CSSProperties}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </div>
  );
}
