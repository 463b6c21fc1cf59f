'use client';
import { Search, SlidersHorizontal, Star } from 'lucide-react';
import { useEffect, useEffectEvent, useId, useState } from 'react';
import { generationStatuses, tasks } from '../../../lib/contracts/generation.ts';
import { Button } from '../../_components/button.tsx';
import { SelectField, TextField } from '../../_components/fields.tsx';
import { periods, type LibraryFilter, type Period } from '../../_lib/library-filter.ts';
import { useModels } from '../../_lib/queries.ts';
import { taskNames } from '../../_lib/task-names.ts';
import styles from './filters.module.css';

const any = '';
const days = 'days';
const TYPING_MS = 250;

const periodNames: Record<Period, string> = {
  today: 'Today',
  week: 'Last 7 days',
  month: 'Last 30 days',
  year: 'This year',
};

const statusNames: Record<(typeof generationStatuses)[number], string> = {
  queued: 'Waiting',
  running: 'Being made',
  cancelling: 'Being cancelled',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** To begin with, before the person says which days. */
function lastDays(count: number): { from: string; to: string } {
  const day = (daysBack: number) => {
    const date = new Date();
    date.setDate(date.getDate() - daysBack);
    const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
    return parts.map((part) => String(part).padStart(2, '0')).join('-');
  };
  return { from: day(count - 1), to: day(0) };
}

interface FiltersProps {
  filter: LibraryFilter;
  onChange: (change: LibraryFilter) => void;
}

/** Search and star in sight; the rest behind a button that says how many of them are set. */
export function Filters({ filter, onChange }: FiltersProps) {
  const { models } = useModels();
  const more = [filter.task, filter.model, filter.status, filter.when].filter((value) => value !== undefined);
  const [isOpen, setOpen] = useState(more.length > 0);
  const id = useId();
  const { when } = filter;
  const choose = <Value extends string>(value: string) => (value === any ? undefined : (value as Value));

  return (
    <div className={styles.filters} role="search" aria-label="Library">
      <div className={styles.row}>
        <SearchField value={filter.q ?? ''} onChange={(q) => onChange({ q: q || undefined })} />
        <Button
          aria-pressed={filter.starred === true}
          className={styles.toggle}
          onClick={() => onChange({ starred: filter.starred === true ? undefined : true })}
        >
          <Star aria-hidden fill={filter.starred === true ? 'currentColor' : 'none'} /> Starred
        </Button>
        <Button aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
          <SlidersHorizontal aria-hidden /> Filters
          {more.length > 0 && <span className={styles.count}>{more.length}</span>}
        </Button>
      </div>
      <div id={id} className={styles.more} hidden={!isOpen}>
        <SelectField
          label="When"
          value={typeof when === 'string' ? when : when === undefined ? any : days}
          options={[
            { value: any, label: 'Any time' },
            ...periods.map((value) => ({ value, label: periodNames[value] })),
            { value: days, label: 'Between two days' },
          ]}
          onChange={(value) => onChange({ when: value === days ? lastDays(30) : choose<Period>(value) })}
        />
        {typeof when === 'object' && (
          <>
            <TextField
              label="From"
              type="date"
              value={when.from ?? ''}
              max={when.to}
              onChange={(from) => onChange({ when: { ...when, from: from || undefined } })}
            />
            <TextField
              label="To"
              type="date"
              value={when.to ?? ''}
              min={when.from}
              onChange={(to) => onChange({ when: { ...when, to: to || undefined } })}
            />
          </>
        )}
        {tasks.length > 1 && (
          <SelectField
            label="Made"
            value={filter.task ?? any}
            options={[
              { value: any, label: 'In any way' },
              ...tasks.map((value) => ({ value, label: taskNames[value] })),
            ]}
            onChange={(value) => onChange({ task: choose(value) })}
          />
        )}
        <SelectField
          label="Model"
          value={filter.model ?? any}
          options={[
            { value: any, label: 'Every model' },
            ...models.map(({ id: value, name }) => ({ value, label: name })),
            // One that was taken away may still have pictures.
            ...(filter.model !== undefined && !models.some((model) => model.id === filter.model)
              ? [{ value: filter.model, label: filter.model }]
              : []),
          ]}
          onChange={(value) => onChange({ model: choose(value) })}
        />
        <SelectField
          label="State"
          value={filter.status ?? any}
          options={[
            { value: any, label: 'Any state' },
            ...generationStatuses
              .filter((status) => status !== 'cancelling')
              .map((value) => ({ value, label: statusNames[value] })),
          ]}
          onChange={(value) => onChange({ status: choose(value) })}
        />
      </div>
    </div>
  );
}

/** Asks when the typing pauses, not at every letter. */
function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const [given, setGiven] = useState(value);
  // The filter may be changed elsewhere: by "Show everything" and by going back.
  if (given !== value) {
    setGiven(value);
    if (value !== text.trim()) setText(value);
  }
  const search = useEffectEvent((words: string) => {
    if (words !== value) onChange(words);
  });
  useEffect(() => {
    const timer = setTimeout(() => search(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label className={styles.search}>
      <Search aria-hidden />
      <span className="visually-hidden">Search in prompts</span>
      <input
        type="search"
        value={text}
        maxLength={200}
        placeholder="Search in prompts"
        onChange={(event) => setText(event.target.value)}
      />
    </label>
  );
}
