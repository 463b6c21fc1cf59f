import { z } from 'zod';
import type { Settings } from '../contracts/studio.ts';
import type { Reader, Tx } from './db/database.ts';

/** Everything the studio lets one change while it runs, with the value it has until then. */
const storedSchema = z.object({
  queuePaused: z.boolean().default(false),
  embedMetadata: z.boolean().default(true),
  defaultModel: z.string().default(''),
}) satisfies z.ZodType<Settings>;

export async function readSettings(reader: Pick<Reader | Tx, 'setting'>): Promise<Settings> {
  const rows = await reader.setting.findMany({ select: { key: true, value: true } });
  return storedSchema.parse(Object.fromEntries(rows.map(({ key, value }) => [key, value])));
}

export async function writeSettings(tx: Tx, changes: Partial<Settings>, now: number): Promise<void> {
  const updatedAt = new Date(now);
  for (const [key, value] of Object.entries(changes)) {
    await tx.setting.upsert({
      where: { key },
      create: { key, value, updatedAt },
      update: { value, updatedAt },
    });
  }
}
