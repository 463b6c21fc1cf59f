import { z } from 'zod';
import type { Reader, Tx } from './db/database.ts';

/** Everything the studio lets one change while it runs, with the value it has until then. */
const settingsSchema = z.object({
  queuePaused: z.boolean().default(false),
});
export type Settings = z.infer<typeof settingsSchema>;

export async function readSetting<K extends keyof Settings>(
  reader: Reader | Tx,
  key: K,
): Promise<Settings[K]> {
  const row = await reader.setting.findUnique({ where: { key }, select: { value: true } });
  return settingsSchema.parse(row === null ? {} : { [key]: row.value })[key];
}

export async function writeSetting<K extends keyof Settings>(
  tx: Tx,
  key: K,
  value: Settings[K],
  now: number,
): Promise<void> {
  const updatedAt = new Date(now);
  await tx.setting.upsert({
    where: { key },
    create: { key, value, updatedAt },
    update: { value, updatedAt },
  });
}
