import { generationStatuses, tasks, type GenerationStatus } from '../../lib/contracts/generation.ts';
import type { TaskName } from '../../lib/contracts/task-inputs.ts';

export const periods = ['today', 'week', 'month', 'year'] as const;
export type Period = (typeof periods)[number];

/** Which part of the library is shown. Days are the reader's own, both ends included. */
export interface LibraryFilter {
  q?: string;
  task?: TaskName;
  model?: string;
  status?: GenerationStatus;
  starred?: boolean;
  /** A board's id, or `none` for what stands on no board. */
  board?: string;
  /** A period that ends now, or two days. */
  when?: Period | { from?: string; to?: string };
}

/** A filter as the address of the page has it, so that it outlasts a reload and can be sent to someone. */
export function writeFilter(filter: LibraryFilter): URLSearchParams {
  const { q, task, model, status, starred, board, when } = filter;
  const days = typeof when === 'object' ? when : {};
  return params({
    q,
    task,
    model,
    status,
    starred: starred === true ? '' : undefined,
    board,
    when: typeof when === 'string' ? when : undefined,
    from: days.from,
    to: days.to,
  });
}

const dayPattern = /^\d{4}-\d\d-\d\d$/;

/** What is not understood is left out. */
export function readFilter(query: Pick<URLSearchParams, 'get' | 'has'>): LibraryFilter {
  const text = (name: string) => query.get(name) || undefined;
  const day = (name: string) => text(name)?.match(dayPattern)?.[0];
  const [from, to] = [day('from'), day('to')];
  const filter: LibraryFilter = {
    q: text('q')?.slice(0, 200),
    task: tasks.find((task) => task === text('task')),
    model: text('model')?.slice(0, 200),
    status: generationStatuses.find((status) => status === text('status')),
    starred: query.has('starred') || undefined,
    board: text('board')?.slice(0, 100),
    when:
      periods.find((period) => period === text('when')) ??
      (from === undefined && to === undefined ? undefined : { from, to }),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** The filter as the API takes it, for a reader whose clock shows `now`. */
export function toQuery(filter: LibraryFilter, now: Date): Record<string, string> {
  const { q, task, model, status, starred, board, when } = filter;
  const [from, to] = when === undefined ? [] : moments(when, now);
  const search = params({
    q,
    task,
    model,
    status,
    starred: starred === true ? 'true' : undefined,
    board,
    from: from?.toISOString(),
    to: to?.toISOString(),
  });
  return Object.fromEntries(search);
}

function moments(when: NonNullable<LibraryFilter['when']>, now: Date): [Date | undefined, Date | undefined] {
  const midnight = (daysBack: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysBack);
  switch (when) {
    case 'today':
      return [midnight(0), undefined];
    case 'week':
      return [midnight(6), undefined];
    case 'month':
      return [midnight(29), undefined];
    case 'year':
      return [new Date(now.getFullYear(), 0, 1), undefined];
    default:
      return [startOf(when.from, 0), startOf(when.to, 1)];
  }
}

/** The beginning of a day, or of the one after it. */
function startOf(day: string | undefined, later: number): Date | undefined {
  if (day === undefined) return undefined;
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const start = new Date(year, month - 1, date + later);
  return Number.isNaN(start.getTime()) ? undefined : start;
}

function params(fields: Record<string, string | undefined>): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) search.set(name, value);
  return search;
}

/** `/library` or an address below it, with the filter that the reader came with. */
export function libraryLink(filter: LibraryFilter, id?: string): string {
  const search = writeFilter(filter).toString();
  return `/library${id === undefined ? '' : `/${id}`}${search === '' ? '' : `?${search}`}`;
}
