import { EncoreError } from '../../contracts/errors.ts';
import { missingTensor, type SafetensorsFile } from './safetensors.ts';
import type { WeightRef, WeightSource } from './weight-source.ts';

/** A WeightSource over headers that have been read already. */
export function weightsOf(description: string, files: readonly SafetensorsFile[]): WeightSource {
  const refs = new Map<string, WeightRef>();
  const unsupported = new Map<string, string>();
  for (const file of files) {
    for (const [name, ref] of file.tensors) {
      if (refs.has(name)) {
        throw new EncoreError(
          'checkpoint_invalid',
          `${description}: tensor "${name}" is in two of its files`,
        );
      }
      refs.set(name, ref);
    }
    for (const [name, type] of file.unsupported) unsupported.set(name, type);
  }
  return weightMap(description, refs, unsupported);
}

/** A network and what is added to it, under names that the network does not have. */
export function joinedWeights(network: WeightSource, added: WeightSource): WeightSource {
  const holder = (name: string) => (added.has(name) && !network.has(name) ? added : network);
  return {
    description: `${network.description} with ${added.description}`,
    has: (name) => holder(name).has(name),
    names: () => [...network.names(), ...added.names().filter((name) => !network.has(name))],
    get: (name) => holder(name).get(name),
  };
}

/** A WeightSource over any names; `unsupported` are those that exist with a type no network can read. */
export function weightMap(
  description: string,
  refs: ReadonlyMap<string, WeightRef>,
  unsupported: ReadonlyMap<string, string> = new Map(),
): WeightSource {
  return {
    description,
    has: (name) => refs.has(name) || unsupported.has(name),
    names: () => [...refs.keys(), ...unsupported.keys()],
    get(name) {
      const ref = refs.get(name);
      if (ref !== undefined) return ref;
      const type = unsupported.get(name);
      if (type === undefined) throw missingTensor(description, name, [...refs.keys()]);
      throw new EncoreError('checkpoint_unsupported', `${description}: tensor "${name}" is of type ${type}`, {
        remedy: 'Use a variant of the checkpoint in float32, float16 or bfloat16.',
      });
    },
  };
}
