import { describe, expect, it } from 'vitest';
import { compareFacts } from '../../../app/compare/_parts/compare-facts.ts';
import { exampleGeneration } from '../support.ts';

const nameOf = (model: string) => model.toUpperCase();

describe('what was different in making two pictures', () => {
  it('is nothing for two of one request', () => {
    const { different, alike } = compareFacts(exampleGeneration(), exampleGeneration(), nameOf);
    expect(different).toEqual([]);
    expect(alike).toContainEqual(['Model', 'TOYBOX']);
  });

  it('is what has another value, and what only one of them has', () => {
    const other = exampleGeneration({ seed: 8 });
    const { params } = other;
    const { different, alike } = compareFacts(
      exampleGeneration(),
      { ...other, params: { ...params, plan: 'exact', negativePrompt: 'fog' } },
      nameOf,
    );
    expect(different).toEqual([
      { name: 'Seed', left: '7', right: '8' },
      { name: 'Plan', left: 'faster', right: 'exact' },
      { name: 'Without', left: undefined, right: 'fog' },
    ]);
    expect(alike.map(([name]) => name)).not.toContain('Plan');
  });

  it('has all of what there are several', () => {
    const { params } = exampleGeneration();
    const withLoras = (...ids: string[]) =>
      exampleGeneration({ params: { ...params, loras: ids.map((id) => ({ id, weight: 1 })) } });
    const { different } = compareFacts(withLoras('a', 'b'), withLoras('a'), nameOf);
    expect(different).toEqual([{ name: 'LoRA', left: 'a × 1; b × 1', right: 'a × 1' }]);
  });
});
