import { randomUUID } from 'node:crypto';
import { EncoreError } from '../../contracts/errors.ts';
import type { Preset, PresetInput, PresetPatch, PresetValues } from '../../contracts/presets.ts';
import { builtInPresets } from '../presets.ts';
import type { Studio } from '../studio.ts';

/** More than anyone finds anything in. */
const MAX_PRESETS = 1000;

/** The person's own, newest change first, then those that come with Encore. */
export async function listPresets(studio: Studio): Promise<Preset[]> {
  const rows = await studio.db.read((r) =>
    r.preset.findMany({ orderBy: [{ updatedAt: 'desc' }, { id: 'asc' }] }),
  );
  return [...rows.map(toPreset), ...builtInPresets];
}

/** @throws EncoreError `conflict` when there are too many */
export async function createPreset(studio: Studio, { name, values }: PresetInput): Promise<Preset> {
  return studio.db.write(async (tx) => {
    if ((await tx.preset.count()) >= MAX_PRESETS) {
      throw new EncoreError('conflict', `There are ${MAX_PRESETS} presets already.`, {
        remedy: 'Delete some that you do not need.',
      });
    }
    const now = new Date(studio.now());
    const row = { id: randomUUID(), name, values, createdAt: now, updatedAt: now };
    return toPreset(await tx.preset.create({ data: row }));
  });
}

/** @throws EncoreError `not_found`, `conflict` for one that came with Encore */
export async function updatePreset(studio: Studio, id: string, patch: PresetPatch): Promise<Preset> {
  return studio.db.write(async (tx) => {
    await requireOwn(tx.preset, id);
    const { name, values } = patch;
    const data = { name, values, updatedAt: new Date(studio.now()) };
    return toPreset(await tx.preset.update({ where: { id }, data }));
  });
}

/** @throws EncoreError `not_found`, `conflict` for one that came with Encore */
export async function deletePreset(studio: Studio, id: string): Promise<void> {
  await studio.db.write(async (tx) => {
    await requireOwn(tx.preset, id);
    await tx.preset.delete({ where: { id } });
  });
}

async function requireOwn(
  table: { findUnique(query: { where: { id: string }; select: { id: true } }): PromiseLike<unknown> },
  id: string,
): Promise<void> {
  if (builtInPresets.some((preset) => preset.id === id)) {
    throw new EncoreError('conflict', `${id} came with Encore and stays as it is.`, {
      remedy: 'Save its values under a name of your own.',
    });
  }
  if ((await table.findUnique({ where: { id }, select: { id: true } })) === null)
    throw new EncoreError('not_found', `There is no preset ${id.slice(0, 80)}.`);
}

function toPreset(row: { id: string; name: string; values: unknown; updatedAt: Date }): Preset {
  const { id, name, values, updatedAt } = row;
  return { id, name, builtIn: false, values: values as PresetValues, updatedAt: updatedAt.toISOString() };
}
