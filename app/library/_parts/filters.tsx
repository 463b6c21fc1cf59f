'use client';
import { X } from 'lucide-react';
import { generationStatuses, tasks } from '../../../lib/contracts/generation.ts';
import { Button } from '../../_components/button.tsx';
import { SelectField, TextField } from '../../_components/fields.tsx';
import { periods, type LibraryFilter, type Period } from '../../_lib/library-filter.ts';
import { useModels } from '../../_lib/queries.ts';
import { taskNames } from '../../_lib/task-names.ts';
import styles from './filters.module.css';

const any = '';
const days = 'days';

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

/** What is set beyond the words, the star and the board. */
const more = ['task', 'model', 'status', 'when'] as const;

/** How many filters are set that are not in sight by themselves. */
export function countMore(filter: LibraryFilter): number {
  return more.filter((name) => filter[name] !== undefined).length;
}

interface FiltersProps {
  id: string;
  isOpen: boolean;
  filter: LibraryFilter;
  onChange: (change: LibraryFilter) => void;
}

/** When, how and by which model something was made, and what became of it. */
export function Filters({ id, isOpen, filter, onChange }: FiltersProps) {
  const { models } = useModels();
  const { when } = filter;
  const choose = <Value extends string>(value: string) => (value === any ? undefined : (value as Value));

  return (
    <div id={id} className={styles.filters} role="group" aria-label="Filters" hidden={!isOpen}>
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
      {countMore(filter) > 0 && (
        <Button
          tone="quiet"
          className={styles.clear}
          onClick={() => onChange(Object.fromEntries(more.map((name) => [name, undefined])))}
        >
          <X aria-hidden /> Clear
        </Button>
      )}
    </div>
  );
}
