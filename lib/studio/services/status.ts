import type { Health } from '../../contracts/api.ts';
import { NO_JSON, type Json } from '../db/rows.ts';
import { SILENT_MS } from '../jobs/states.ts';
import type { Studio } from '../studio.ts';

/** What a worker says of its engine in its heartbeat. */
export interface EngineReport {
  device: string | null;
  held: Health['worker']['held'];
  ffmpeg: Health['worker']['ffmpeg'];
}

/** `degraded`: the pages work, but no worker is there to draw. */
export async function getHealth(studio: Studio, version: string): Promise<Health> {
  // None from the future: the clock of the machine may have been put back.
  const latest = { heartbeatAt: { lt: new Date(studio.now() + SILENT_MS) } };
  const worker = await studio.db.read((r) =>
    r.worker.findFirst({ where: latest, orderBy: { heartbeatAt: 'desc' } }),
  );
  const engine = worker?.engine as EngineReport | null | undefined;
  const alive =
    worker !== null && worker.stoppedAt === null && studio.now() - worker.heartbeatAt.getTime() < SILENT_MS;
  return {
    status: alive ? 'ok' : 'degraded',
    version,
    worker: {
      alive,
      device: engine?.device ?? null,
      lastSeenAt: worker?.heartbeatAt.toISOString() ?? null,
      held: alive ? (engine?.held ?? null) : null,
      ffmpeg: alive ? (engine?.ffmpeg ?? null) : null,
    },
  };
}

/** A worker's sign of life. */
export async function reportWorker(studio: Studio, id: string, engine: EngineReport | null): Promise<void> {
  const now = new Date(studio.now());
  const report = engine === null ? NO_JSON : (engine as unknown as Json);
  await studio.db.write((tx) =>
    tx.worker.upsert({
      where: { id },
      create: { id, startedAt: now, heartbeatAt: now, engine: report },
      update: { heartbeatAt: now, engine: report },
    }),
  );
}

/** The worker goes in an orderly way. */
export async function reportWorkerStopped(studio: Studio, id: string): Promise<void> {
  await studio.db.write((tx) =>
    tx.worker.updateMany({ where: { id }, data: { stoppedAt: new Date(studio.now()) } }),
  );
}
