import { EncoreError } from '../../contracts/errors.ts';
import type { HubFile } from './client.ts';

/** What of a repository is fetched, in the order it is. */
export interface Choice {
  files: HubFile[];
  /** Folder below models/ that it is to have. */
  name: string;
  /** The one weight file of what is no folder in diffusers layout: it goes to the top of its folder. */
  only: HubFile | null;
}

/** Parts of a pipeline that nothing here uses; the first alone has more than a GB. */
const UNUSED = /^(safety_checker|feature_extractor|image_encoder)\//;
const CARD = /^(README\.md|LICEN[CS]E[\w.-]*)$/i;
/** Every other text of a model is a config or a vocabulary. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/**
 * A pipeline in diffusers layout (half precision where there is a choice), one network's folder, or one file. Configs come
 * first: what cannot be run is noticed before its weights are fetched.
 * @param file path of the one file that is wanted
 * @throws EncoreError `checkpoint_unsupported` where there is nothing that can be used, naming what there is
 */
export function chooseFiles(repo: string, all: readonly HubFile[], file?: string): Choice {
  const name = repo.split('/').at(-1) ?? repo;
  const has = (path: string) => all.some((other) => other.path === path);
  const top = all.filter(({ path }) => !path.includes('/'));
  const cards = top.filter(({ path }) => CARD.test(path));
  if (file !== undefined) {
    const wanted = all.find(({ path }) => path === file);
    if (wanted === undefined) throw nothing(repo, `has no ${file}`, all);
    const stem =
      file
        .split('/')
        .at(-1)
        ?.replace(/\.safetensors$/, '') ?? name;
    return { name: stem, files: inOrder([...cards, wanted]), only: wanted };
  }
  if (has('model_index.json')) {
    const inside = all.filter(({ path }) => /^\w+\/[^/]+$/.test(path) && !UNUSED.test(path));
    const folders = new Set(inside.map(({ path }) => folderOf(path)));
    const weights = [...folders].flatMap((folder) =>
      chooseWeights(inside.filter(({ path }) => folderOf(path) === folder)),
    );
    if (weights.length === 0) throw nothing(repo, 'has no .safetensors weights in its components', all);
    const texts = [...top, ...inside].filter(({ path, bytes }) => isText(path) && bytes <= MAX_TEXT_BYTES);
    return { name, files: inOrder([...cards, ...texts, ...weights]), only: null };
  }
  const weights = chooseWeights(top);
  if (has('config.json') && weights.length > 0) {
    const configs = top.filter(({ path }) => path === 'config.json' || path.endsWith('.index.json'));
    return { name, files: inOrder([...cards, ...configs, ...weights]), only: null };
  }
  const files = all.filter(({ path }) => path.endsWith('.safetensors'));
  const [only] = files;
  if (only !== undefined && files.length === 1) return { name, files: inOrder([...cards, only]), only };
  if (files.length === 0) throw nothing(repo, 'has no .safetensors file', all);
  const names = files.slice(0, 20).map(({ path }) => path);
  throw new EncoreError(
    'checkpoint_unsupported',
    `${repo} has ${files.length} .safetensors files: ${names.join(', ')}${files.length > 20 ? ', ...' : ''}.`,
    { remedy: 'Name the one to install.', errors: [{ path: 'file', message: 'is needed' }] },
  );
}

/** Variants in the order they are wanted: what is half as large draws the same. */
const VARIANTS = ['.fp16', ''];

/** The weights of one component's folder: one file, or the shards of one variant with their index. */
function chooseWeights(folder: readonly HubFile[]): HubFile[] {
  for (const variant of VARIANTS) {
    for (const base of ['diffusion_pytorch_model', 'model']) {
      const named = (end: string) => folder.find(({ path }) => path.endsWith(end) && nameOf(path) === end);
      const single = named(`${base}${variant}.safetensors`);
      if (single !== undefined) return [single];
      const index =
        named(`${base}.safetensors.index${variant}.json`) ??
        named(`${base}${variant}.safetensors.index.json`);
      if (index === undefined) continue;
      const shard = new RegExp(
        `^${base}(${escape(variant)}-\\d+-of-\\d+|-\\d+-of-\\d+${escape(variant)})\\.safetensors$`,
      );
      return [index, ...folder.filter(({ path }) => shard.test(nameOf(path)))];
    }
  }
  return [];
}

function isText(path: string): boolean {
  return /\.(json|txt|model)$/.test(path) && !path.endsWith('.index.json') && !path.endsWith('.fp16.json');
}

/** Small ones first, each once. */
function inOrder(files: readonly HubFile[]): HubFile[] {
  return [...new Set(files)].sort((a, b) => rank(a) - rank(b) || a.bytes - b.bytes);
}

function rank({ path }: HubFile): number {
  return path.endsWith('.safetensors') ? 1 : 0;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function escape(text: string): string {
  return text.replace(/\./g, '\\.');
}

function nothing(repo: string, why: string, all: readonly HubFile[]): EncoreError {
  const pickled = all.some(({ path }) => /\.(bin|ckpt|pt|pth)$/.test(path));
  return new EncoreError('checkpoint_unsupported', `${repo} ${why}.`, {
    remedy: pickled
      ? 'It has pickled weights only, which may run programs when they are read; look for a safetensors version.'
      : 'Choose a repository with a model of Stable Diffusion 1.x or 2.x, a ControlNet, a LoRA or an embedding.',
  });
}
