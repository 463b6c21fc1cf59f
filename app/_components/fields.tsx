'use client';
import { NumberField as Base } from '@base-ui/react/number-field';
import { Minus, Plus } from 'lucide-react';
import { useId, type ComponentProps, type ReactNode } from 'react';
import styles from './fields.module.css';

interface TextFieldProps extends Omit<ComponentProps<'input'>, 'onChange'> {
  label: string;
  error?: string;
  onChange: (value: string) => void;
}

export function TextField({ label, error, onChange, ...props }: TextFieldProps) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      <input
        id={id}
        className={styles.input}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        onChange={(event) => onChange(event.target.value)}
        {...props}
      />
      {error !== undefined && (
        <p id={`${id}-error`} role="alert" className={styles.error}>
          {error}
        </p>
      )}
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
  min: number;
  max: number;
  step?: number;
  placeholder?: string;
  /** Buttons at the right end, before plus and minus. */
  children?: ReactNode;
  /** For numbers that nobody counts up, such as a seed. */
  hideSteppers?: boolean;
}

const plainNumber: Intl.NumberFormatOptions = { useGrouping: false, maximumFractionDigits: 2 };

export function NumberField(props: NumberFieldProps) {
  const { label, value, onChange, min, max, step = 1, placeholder, children, hideSteppers = false } = props;
  const id = useId();
  return (
    <Base.Root
      id={id}
      className={styles.field}
      value={value ?? null}
      min={min}
      max={max}
      step={step}
      format={plainNumber}
      locale="en"
      onValueChange={(next) => onChange(next ?? undefined)}
    >
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      <Base.Group className={styles.group}>
        <Base.Input className={styles.bare} placeholder={placeholder} />
        {children}
        {!hideSteppers && (
          <>
            <Base.Decrement className={styles.stepper} aria-label={`Less: ${label}`}>
              <Minus size={14} aria-hidden />
            </Base.Decrement>
            <Base.Increment className={styles.stepper} aria-label={`More: ${label}`}>
              <Plus size={14} aria-hidden />
            </Base.Increment>
          </>
        )}
      </Base.Group>
    </Base.Root>
  );
}

interface SelectFieldProps {
  label: string;
  /** Where the place says what it is; screen readers still hear it. */
  hideLabel?: boolean;
  value: string;
  options: { value: string; label: string }[];
  onChange: (value: string) => void;
}

export function SelectField({ label, hideLabel = false, value, options, onChange }: SelectFieldProps) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : styles.label}>
        {label}
      </label>
      <select
        id={id}
        className={styles.select}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
