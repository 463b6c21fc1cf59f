import { EncoreError } from '../../contracts/errors.ts';
import { openModel, type NetworkSource } from './model-source.ts';
import { openControlFile } from './single-file/control.ts';

/**
 * Opens a ControlNet: the folder of a ControlNetModel, a pipeline's folder with one inside, or one .safetensors file.
 * Throws `checkpoint_not_found`, `checkpoint_invalid`, and `checkpoint_unsupported` for anything else, saying what it is.
 */
export async function openControlSource(path: string): Promise<NetworkSource> {
  if (path.endsWith('.safetensors')) return openControlFile(path);
  const source = await openModel(path);
  const { layout, className, components } = source;
  const found = layout === 'component' ? className : (components.get('controlnet') ?? className);
  if (found === 'ControlNetModel') return source.network('controlnet');
  throw new EncoreError('checkpoint_unsupported', `${path} is a ${found}, not a ControlNetModel`, {
    remedy: 'Name the folder of a ControlNet, or its single .safetensors file.',
  });
}
