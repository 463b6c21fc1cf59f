'use client';
import styles from './segments.module.css';

interface SegmentsProps<Value extends string> {
  legend: string;
  /** Where the place says what it is; screen readers still hear it. */
  hideLegend?: boolean;
  name: string;
  options: readonly { value: Value; label: string }[];
  /** Undefined: none of them. */
  value: Value | undefined;
  onChange: (value: Value) => void;
}

/** One choice of a few, all in sight. Radio buttons underneath, with their keyboard. */
export function Segments<Value extends string>({
  legend,
  hideLegend = false,
  name,
  options,
  value,
  onChange,
}: SegmentsProps<Value>) {
  return (
    <fieldset>
      <legend className={hideLegend ? 'visually-hidden' : styles.legend}>{legend}</legend>
      <div className={styles.row}>
        {options.map((option) => (
          <label key={option.value} className={styles.segment}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={value === option.value}
              onChange={() => onChange(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
