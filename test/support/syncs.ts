import { existsSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { onTestFinished, vi } from 'vitest';

/** One flush to the disk: of a folder, or of a file of so many bytes; and whether `target` had its name by then. */
export interface Sync {
  what: 'folder' | number;
  isNamed: boolean;
}

/**
 * Every flush from here to the end of the test. A file outlives a power cut when all of its bytes were flushed before it
 * got its name, and its folder afterwards: see {@link durable}.
 */
export async function recordSyncs(target: string): Promise<Sync[]> {
  const handle = await open('.', 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const syncs: Sync[] = [];
  const sync = Reflect.get<FileHandle, 'sync'>(prototype, 'sync');
  const spy = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const info = await this.stat();
    syncs.push({ what: info.isDirectory() ? 'folder' : info.size, isNamed: existsSync(target) });
    await sync.call(this);
  });
  onTestFinished(() => spy.mockRestore());
  return syncs;
}

export const durable = (bytes: number): Sync[] => [
  { what: bytes, isNamed: false },
  ...(process.platform === 'win32' ? [] : [{ what: 'folder' as const, isNamed: true }]),
];
