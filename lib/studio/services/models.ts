import { lstat, mkdir, realpath, stat, symlink, unlink } from '../disk.ts';
import { basename, isAbsolute, join } from '../disk.ts';
import { EncoreError } from '../../contracts/errors.ts';
import type { Model } from '../../contracts/models.ts';
import { readModel } from '../models/read-model.ts';
import { readWeightFacts } from '../models/weight-facts.ts';
import type { Studio } from '../studio.ts';

export async function listModels(studio: Studio): Promise<Model[]> {
  return (await studio.models.list()).map(({ model }) => model);
}

/**
 * Adds a diffusers folder of this machine where it lies: nothing is copied. Its configs and the headers of its weights
 * are read first. Adding it again gives the same model.
 * @throws EncoreError `invalid_parameter` for a path that is not absolute, `checkpoint_not_found`, `checkpoint_invalid`,
 * `checkpoint_unsupported` with the reason, `conflict` when another model has its name
 */
export async function addModel(studio: Studio, path: string): Promise<Model> {
  if (!isAbsolute(path)) {
    throw new EncoreError('invalid_parameter', `"${path.slice(0, 200)}" is not an absolute path.`, {
      errors: [{ path: 'path', message: 'must be absolute' }],
    });
  }
  const folder = await realpath(path).catch((cause: unknown) => {
    throw new EncoreError('checkpoint_not_found', `There is nothing at ${path.slice(0, 200)}.`, { cause });
  });
  if (!(await stat(folder)).isDirectory()) {
    throw new EncoreError('checkpoint_unsupported', `${folder} is a file.`, {
      remedy: 'Add a folder in the layout of diffusers, with model_index.json.',
    });
  }
  await readModel(folder, 'added');
  await readWeightFacts(folder);
  const id = basename(folder);
  const same = (await studio.models.list()).find(({ model }) => model.id === id);
  if (same !== undefined) {
    if ((await realpath(same.folder)) === folder) return same.model;
    throw new EncoreError('conflict', `There is another model called ${id} already.`, {
      remedy: 'Rename the folder, then add it.',
    });
  }
  const models = join(studio.env.home, 'models');
  await mkdir(models, { recursive: true });
  // A junction needs no rights on Windows; elsewhere the kind is ignored.
  await symlink(folder, join(models, id), 'junction');
  return (await studio.models.get(id)).model;
}

/**
 * Takes an added model out of the list; its files stay where they are.
 * @throws EncoreError `unknown_model`, `conflict` for one that was not added
 */
export async function removeModel(studio: Studio, id: string): Promise<void> {
  const { folder, model } = await studio.models.get(id);
  if (model.source === 'bundled' || !(await lstat(folder)).isSymbolicLink()) {
    throw new EncoreError('conflict', `${id} was not added from another folder.`, {
      remedy:
        model.source === 'bundled'
          ? 'It came with Encore and stays.'
          : `Delete its folder ${folder} to remove it.`,
    });
  }
  await unlink(folder);
}
