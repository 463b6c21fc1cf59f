import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { EncoreError } from '../../contracts/errors.ts';
import { unetInputs } from '../../contracts/unet-inputs.ts';
import { type Fate, fateOf, fingerprint, worstFate } from '../checkpoint/fingerprint.ts';
import { openModel, type ModelSource, type NetworkSource } from '../checkpoint/model-source.ts';
import { joinedWeights } from '../checkpoint/weight-map.ts';
import { weightsHash } from '../checkpoint/weights-hash.ts';
import { parseClipTextConfig } from '../networks/clip/config.ts';
import { ClipTextEncoder } from '../networks/clip/text-encoder.ts';
import type { OpenGraph } from '../networks/sessions.ts';
import { parseUnetConfig } from '../networks/unet/config.ts';
import { UnetDenoiser } from '../networks/unet/denoiser.ts';
import { Autoencoder } from '../networks/vae/autoencoder.ts';
import { parseAutoencoderConfig } from '../networks/vae/config.ts';
import type { Denoiser } from '../propagation/denoiser.ts';
import { ClipTokenizer } from '../tokenizers/clip.ts';
import { adapt, type AppliedLora, type WeightedLora } from './adapters.ts';
import { ControlNets } from './control-nets.ts';
import { motionSchedule, openMotionAdapter, type MotionAdapter } from './motion-adapter.ts';
import { Previewer } from './previewer.ts';

/** A text-to-image model with everything a task needs of it. Graphs are opened when they are first run. */
export interface LoadedModel {
  /** Folder, symlinks resolved. */
  readonly path: string;
  /** Name of the folder. */
  readonly name: string;
  /** See {@link weightsHash}. */
  readonly hash: string;
  readonly tokenizer: ClipTokenizer;
  readonly textEncoder: ClipTextEncoder;
  readonly denoiser: Denoiser;
  readonly autoencoder: Autoencoder;
  readonly previewer: Previewer;
  /** Those that were asked for, beside this UNet. */
  readonly controlNets: ControlNets;
  readonly schedulerConfig: Readonly<Record<string, unknown>>;
  /** Merged into the UNet and the text encoder. */
  readonly loras: readonly AppliedLora[];
  /** Beside the UNet, which then draws videos only. */
  readonly motion: Pick<MotionAdapter, 'path' | 'name' | 'config'> | undefined;
  /** What became of the files of the model, of its motion adapter and of the ControlNets it opened. */
  fate(): Promise<Fate>;
  /** Gives every session back; the model can be used again afterwards, its graphs are then opened anew. */
  release(): Promise<void>;
}

/**
 * Opens a diffusers folder of Stable Diffusion's kind, with LoRAs and with the folder of a motion adapter. Throws `checkpoint_not_found`, `checkpoint_invalid`,
 * `checkpoint_unsupported` (also for a LoRA that does not fit), and `unsupported_task` for a pipeline of another kind.
 */
export async function loadModel(
  folder: string,
  open: OpenGraph,
  loras: readonly WeightedLora[] = [],
  motionFolder?: string,
): Promise<LoadedModel> {
  // Before anything is read: a file that is replaced meanwhile is noticed.
  const own = [await resolved(folder), ...(motionFolder === undefined ? [] : [await resolved(motionFolder)])];
  const before = await marksOf(own);
  const source = await openModel(folder);
  expectTextToImage(source);
  const [text, unet, vae] = (await Promise.all(
    ['text_encoder', 'unet', 'vae'].map((name) => source.network(name)),
  )) as [NetworkSource, NetworkSource, NetworkSource];
  const unetConfig = parseUnetConfig(unet.config);
  unetInputs(basename(source.path), unetConfig.inChannels, unetConfig.outChannels);
  const motion = motionFolder === undefined ? undefined : await openMotionAdapter(motionFolder, unetConfig);
  const files = [text, unet, vae, ...(motion ? [motion] : [])].flatMap((network) => network.files);

  const name = basename(source.path);
  const adapted = adapt(loras, { unet: unet.weights, text_encoder: text.weights }, name);
  const textEncoder = new ClipTextEncoder(
    parseClipTextConfig(text.config),
    text.weights,
    adapted.open('text_encoder', open),
  );
  const weights = motion ? joinedWeights(unet.weights, motion.weights) : unet.weights;
  const denoiser = new UnetDenoiser(unetConfig, weights, adapted.open('unet', open), motion?.config);
  const autoencoder = new Autoencoder(parseAutoencoderConfig(vae.className, vae.config), vae.weights, open);
  if (denoiser.outChannels !== autoencoder.config.latentChannels) {
    throw new EncoreError(
      'checkpoint_invalid',
      `${source.path}: the UNet writes ${denoiser.outChannels} channels, the autoencoder reads ${autoencoder.config.latentChannels}`,
    );
  }
  const controlNets = new ControlNets({ name, config: unetConfig, scale: autoencoder.config.scale }, open);
  return {
    path: source.path,
    name,
    hash: await weightsHash(files),
    tokenizer: await ClipTokenizer.load(source.folder('tokenizer')),
    textEncoder,
    denoiser,
    autoencoder,
    previewer: new Previewer(autoencoder),
    controlNets,
    schedulerConfig: { ...(await source.config('scheduler')), ...(motion ? motionSchedule : {}) },
    loras: adapted.loras,
    motion,
    fate: async () => worstFate([fateOf(before, await marksOf(own)), await controlNets.fate()]),
    async release() {
      await textEncoder.dispose();
      await denoiser.dispose();
      await autoencoder.dispose();
      await controlNets.dispose();
    },
  };
}

function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

async function marksOf(paths: readonly string[]): Promise<string> {
  return (await Promise.all(paths.map((path) => fingerprint(path)))).join('\n');
}

function expectTextToImage({ path, layout, className, components }: ModelSource): void {
  const needed = ['text_encoder', 'tokenizer', 'unet', 'vae', 'scheduler'];
  const missing = needed.filter((name) => !components.has(name));
  const complete = layout !== 'component' && missing.length === 0;
  // Stable Diffusion XL and 3 condition on more than one text encoder.
  const second = [...components.keys()].find((name) => /^text_encoder_\d$/.test(name));
  if (complete && second === undefined) return;
  const problem = complete ? `with a ${second}` : `without ${missing.join(', ')}`;
  throw new EncoreError('unsupported_task', `${path} is a ${className} ${problem}`, {
    remedy: 'Text to image needs a Stable Diffusion 1.x or 2.x model.',
  });
}
