import type { Preprocess, Upload } from '../../contracts/pictures.ts';
import { controlPicturePng } from '../../media/control-picture.ts';
import { readFile } from '../disk.ts';
import { oneAtATime } from '../one-at-a-time.ts';
import type { Studio } from '../studio.ts';
import { fileIsGone } from './assets.ts';
import { requirePicture } from './pictures.ts';
import { keepPicture } from './uploads.ts';

type Preprocessor = Preprocess['preprocessor'];

/** Edges are found in the web process: some ten ms for a picture, one at a time. */
const preprocessing = oneAtATime();

/** What a ControlNet would be shown of a picture, as PNG. @throws EncoreError `not_found` */
export async function getControlPicture(
  studio: Studio,
  id: string,
  preprocessor: Preprocessor,
): Promise<{ file: Buffer; width: number; height: number }> {
  const { hash, type } = await requirePicture(studio, id);
  const file = await readFile(studio.assets.path(hash, type)).catch(fileIsGone);
  return preprocessing(() => controlPicturePng(file, preprocessor));
}

/** Keeps what {@link getControlPicture} shows as an upload. @throws EncoreError `not_found`, `storage_full` */
export async function keepControlPicture(
  studio: Studio,
  id: string,
  preprocessor: Preprocessor,
): Promise<Upload> {
  const picture = await getControlPicture(studio, id, preprocessor);
  return (await keepPicture(studio, picture, preprocessor)).upload;
}
