import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { openControlSource } from '../checkpoint/control-source.ts';
import { type Fate, fateOf, fingerprint, worstFate } from '../checkpoint/fingerprint.ts';
import { weightsHash } from '../checkpoint/weights-hash.ts';
import { parseControlNetConfig } from '../networks/controlnet/config.ts';
import { ControlNet } from '../networks/controlnet/controlnet.ts';
import { expectFits } from '../networks/controlnet/fit.ts';
import type { OpenGraph } from '../networks/sessions.ts';
import type { UnetConfig } from '../networks/unet/config.ts';

/** A ControlNet that fits the model it was opened for. */
export interface LoadedControlNet {
  /** Name of its folder or file. */
  readonly name: string;
  /** See {@link weightsHash}. */
  readonly hash: string;
  readonly net: ControlNet;
}

/** What a ControlNet has to fit. */
export interface ControlledModel {
  readonly name: string;
  readonly config: UnetConfig;
  /** Pixels per latent of the autoencoder. */
  readonly scale: number;
}

/** The ControlNets of one model: each is opened once. */
export class ControlNets {
  private readonly model: ControlledModel;
  private readonly graphs: OpenGraph;
  private readonly opened = new Map<string, LoadedControlNet & { mark: string }>();

  constructor(model: ControlledModel, open: OpenGraph) {
    this.model = model;
    this.graphs = open;
  }

  /**
   * Throws `checkpoint_not_found`, `checkpoint_invalid`, `checkpoint_unsupported`, and `invalid_parameter` for one that was
   * made for another kind of model.
   */
  async open(path: string): Promise<LoadedControlNet> {
    const real = await realpath(path).catch(() => path);
    const known = this.opened.get(real);
    if (known !== undefined) return known;
    const mark = await fingerprint(real);
    const { config: json, weights, files } = await openControlSource(real);
    const name = basename(real).replace(/\.safetensors$/, '');
    const config = parseControlNetConfig(json);
    expectFits({ name, config }, this.model, this.model.scale);
    const net = new ControlNet(config, weights, this.graphs);
    const made = { name, hash: await weightsHash(files), net, mark };
    this.opened.set(real, made);
    return made;
  }

  /** What became of the files of those that were opened. */
  async fate(): Promise<Fate> {
    const fates = [...this.opened].map(async ([path, { mark }]) => fateOf(mark, await fingerprint(path)));
    return worstFate(await Promise.all(fates));
  }

  async dispose(): Promise<void> {
    for (const { net } of this.opened.values()) await net.dispose();
  }
}
