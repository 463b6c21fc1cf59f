/** The picture that was looked at last, for the library to come back to. */
let lastSeen: string | undefined;

export function getLastSeen(): string | undefined {
  return lastSeen;
}

/** Undefined: the library begins at its top. */
export function setLastSeen(id: string | undefined): void {
  lastSeen = id;
}
