/** Values that one statement may list: SQLite takes 999 parameters, and there are others beside them. */
const PER_STATEMENT = 500;

/** A list of any length in pieces that fit into one statement each, in order. */
export function* portions<T>(values: readonly T[], size = PER_STATEMENT): Generator<T[]> {
  for (let at = 0; at < values.length; at += size) yield values.slice(at, at + size);
}
