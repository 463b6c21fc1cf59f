import type { Generation } from '../../../lib/contracts/generation.ts';
import { requestFacts, type Fact } from '../../_components/facts.ts';
import { formatSeconds } from '../../_lib/format.ts';

export interface DifferingFact {
  name: string;
  /** Undefined where that one has nothing of the kind. */
  left: string | undefined;
  right: string | undefined;
}

/** What was different in making two pictures, and what was alike. `nameOf` has the names of models. */
export function compareFacts(
  a: Generation,
  b: Generation,
  nameOf: (model: string) => string,
): { different: DifferingFact[]; alike: Fact[] } {
  const left = factsOf(a, nameOf(a.params.model));
  const right = factsOf(b, nameOf(b.params.model));
  const different: DifferingFact[] = [];
  const alike: Fact[] = [];
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const [one, other] = [left.get(name), right.get(name)];
    if (one !== undefined && one === other) alike.push([name, one]);
    else different.push({ name, left: one, right: other });
  }
  return { different, alike };
}

/** One value for each name: of what there may be several, such as LoRAs, all of them. */
function factsOf(generation: Generation, model: string): Map<string, string> {
  const { params, receipt, seed } = generation;
  const facts: Fact[] = requestFacts(generation, seed, model);
  if (params.negativePrompt !== '') facts.unshift(['Without', params.negativePrompt]);
  if (receipt !== null) {
    const { encoderRuns, encoderRunsSaved, seconds } = receipt;
    facts.push(
      ['Encoder passes', `${encoderRuns} of ${encoderRuns + encoderRunsSaved}`],
      ['Time in encoder and decoder', formatSeconds(seconds.encoder + seconds.decoder)],
    );
  }
  const byName = new Map<string, string>();
  for (const [name, value] of facts) {
    const before = byName.get(name);
    byName.set(name, before === undefined ? value : `${before}; ${value}`);
  }
  return byName;
}
