import { EncoreError } from '../contracts/errors.ts';

/** Places in a list after which the next page begins; opaque to clients. */
type List = 'seq' | 'upload';

export function cursorAfter(list: List, place: number): string {
  return Buffer.from(`${list}:${place}`).toString('base64url');
}

/** @throws EncoreError `invalid_request` for what is no cursor of this list */
export function readCursor(list: List, cursor: string): number {
  const [kind, place = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(':');
  if (kind !== list || !/^\d{1,15}$/.test(place)) {
    throw new EncoreError('invalid_request', `"${cursor.slice(0, 80)}" is not a cursor of this list.`, {
      errors: [{ path: 'cursor', message: 'take it from nextCursor' }],
    });
  }
  return Number(place);
}
