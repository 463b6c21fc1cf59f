/** A key step and the steps decoded from its features: itself and those up to the next key step. */
export interface Span {
  readonly key: number;
  readonly steps: readonly number[];
}

/** Cuts a run of `evaluations` at its key steps: ascending, the first 0 (lib/contracts/plan.ts). */
export function spansOf(keySteps: readonly number[], evaluations: number): Span[] {
  return keySteps.map((key, i) => {
    const next = keySteps[i + 1] ?? evaluations;
    return { key, steps: Array.from({ length: next - key }, (_, step) => key + step) };
  });
}
