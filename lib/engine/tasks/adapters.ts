import { type Fate, fateOf, fingerprint, worstFate } from '../checkpoint/fingerprint.ts';
import { bindLora, type AdaptedNetwork, type BoundLora } from '../checkpoint/lora/bind.ts';
import type { WeightedDelta } from '../checkpoint/lora/delta.ts';
import { openLora, type LoraFile } from '../checkpoint/lora/open.ts';
import type { WeightSource } from '../checkpoint/weight-source.ts';
import type { OpenGraph } from '../networks/sessions.ts';
import { mergeDeltas } from '../onnx/passes/merge-deltas.ts';
import type { LoraInput } from './task.ts';

export interface WeightedLora {
  readonly lora: LoraFile;
  readonly weight: number;
}

/** What became of a LoRA on a model, for its receipt. */
export interface AppliedLora {
  readonly name: string;
  readonly hash: string;
  readonly weight: number;
  /** Tensors of the file. */
  readonly matched: number;
  readonly unmatched: number;
  readonly notices: readonly string[];
}

/** More than a request may name, so that a change of weights reads nothing again. */
const shelfSize = 32;

/** LoRA files that were read, until they change on disk. */
export class LoraShelf {
  private readonly files = new Map<string, { mark: string; lora: LoraFile }>();

  /** Throws what {@link openLora} throws. */
  async open(wanted: readonly LoraInput[]): Promise<WeightedLora[]> {
    const loras: WeightedLora[] = [];
    for (const { file, weight } of wanted) loras.push({ lora: await this.get(file), weight });
    return loras;
  }

  /** What became of files that were opened. */
  async fate(wanted: readonly LoraInput[]): Promise<Fate> {
    const fates = wanted.map(async ({ file }) =>
      fateOf(this.files.get(file)?.mark ?? '', await fingerprint(file)),
    );
    return worstFate(await Promise.all(fates));
  }

  private async get(file: string): Promise<LoraFile> {
    const mark = await fingerprint(file);
    const known = this.files.get(file);
    const lora = known?.mark === mark ? known.lora : await openLora(file);
    this.files.delete(file);
    this.files.set(file, { mark, lora });
    for (const oldest of this.files.keys()) {
      if (this.files.size <= shelfSize) break;
      this.files.delete(oldest);
    }
    return lora;
  }
}

/** Whether a model was opened with just these. */
export function sameLoras(applied: readonly AppliedLora[], wanted: readonly WeightedLora[]): boolean {
  const marks = wanted.map(({ lora, weight }) => `${lora.hash} ${weight}`);
  return applied.map(({ hash, weight }) => `${hash} ${weight}`).join() === marks.join();
}

export interface Adapted {
  readonly loras: readonly AppliedLora[];
  /** Opens the graphs of a network with the changes in its weights. */
  open(network: AdaptedNetwork, open: OpenGraph): OpenGraph;
}

/**
 * Lays LoRAs over the networks of a model. One of weight 0 is checked and reported like the others and changes nothing:
 * its graphs are those of the model without it. Throws what {@link bindLora} throws.
 */
export function adapt(
  loras: readonly WeightedLora[],
  networks: Readonly<Record<AdaptedNetwork, WeightSource>>,
  model: string,
): Adapted {
  const deltas = {
    unet: new Map<string, WeightedDelta[]>(),
    text_encoder: new Map<string, WeightedDelta[]>(),
  };
  const applied = loras.map(({ lora, weight }) => {
    const bound = bindLora(lora, networks, model);
    if (weight !== 0) {
      for (const network of ['unet', 'text_encoder'] as const) {
        for (const [name, delta] of bound.deltas[network]) {
          deltas[network].set(name, [...(deltas[network].get(name) ?? []), { delta, weight }]);
        }
      }
    }
    return report(bound, weight);
  });
  return {
    loras: applied,
    open: (network, open) => (graph, hints) => {
      const merged = mergeDeltas(graph, deltas[network]);
      return open(merged, merged === graph ? hints : { ...hints, passing: true });
    },
  };
}

function report({ lora, matched, unmatched }: BoundLora, weight: number): AppliedLora {
  const { file, hash } = lora;
  const notices = [];
  if (unmatched.length > 0) {
    const total = matched.length + unmatched.length;
    const some = unmatched.slice(0, 3).join(', ') + (unmatched.length > 3 ? ', ...' : '');
    notices.push(
      `${unmatched.length} of ${total} tensors of the LoRA "${file.name}" have no place in this model and were left out (${some}).`,
    );
  }
  return { name: file.name, hash, weight, matched: matched.length, unmatched: unmatched.length, notices };
}
