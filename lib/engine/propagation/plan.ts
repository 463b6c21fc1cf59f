/** A key step and what is decoded from its features: itself and the steps up to the next key step. */
export interface Span {
  readonly key: number;
  /** Steps of one decoder call each, in order. */
  readonly calls: readonly (readonly number[])[];
}

export interface DecodeWidth {
  /** Most steps decoded in one call, at least 1. */
  readonly steps: number;
  /**
   * How the rest of a span that the width does not divide is decoded. Every number of steps is a graph of its own, which
   * takes longer to open than a wider call saves: `singly` needs two graphs at most.
   */
  readonly rest: 'together' | 'singly';
}

/** Cuts a run of `evaluations` at its key steps: ascending, the first 0 (lib/contracts/plan.ts). */
export function spansOf(keySteps: readonly number[], evaluations: number, width: DecodeWidth): Span[] {
  return keySteps.map((key, i) => {
    const next = keySteps[i + 1] ?? evaluations;
    const steps = Array.from({ length: next - key }, (_, step) => key + step);
    return { key, calls: callsOf(steps, width) };
  });
}

function callsOf(steps: readonly number[], width: DecodeWidth): number[][] {
  const calls: number[][] = [];
  for (let start = 0; start < steps.length;) {
    const left = steps.length - start;
    const together = left >= width.steps ? width.steps : width.rest === 'together' ? left : 1;
    calls.push(steps.slice(start, start + together));
    start += together;
  }
  return calls;
}
