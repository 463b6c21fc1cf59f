import {
  type GenerationInput,
  generationRequestSchema,
  type Receipt,
} from '../../lib/contracts/generation.ts';

export function aRequest(overrides: Partial<GenerationInput> = {}) {
  return generationRequestSchema.parse({ task: 'text-to-image', prompt: 'a fox in a meadow', ...overrides });
}

export function aReceipt(overrides: Partial<Receipt> = {}): Receipt {
  return {
    model: 'tiny',
    modelHash: '0123456789abcdef',
    device: 'cpu',
    versions: {},
    scheduler: 'ddim',
    steps: 50,
    plan: 'faster',
    keySteps: [0, 1, 2, 3, 5, 10, 15, 25, 35],
    encoderRuns: 9,
    decoderRuns: 50,
    encoderRunsSaved: 41,
    decodeWidth: 4,
    injection: 0.003,
    guidanceScale: 7.5,
    seed: 1,
    width: 64,
    height: 64,
    seconds: { load: 0, textEncoder: 0, encoder: 0, decoder: 0, scheduler: 0, vae: 0, total: 0 },
    exactEstimate: null,
    peakMemoryBytes: 0,
    notices: [],
    ...overrides,
  };
}

/** What a worker says of a picture; there is no file behind it. */
export function aPicture(seed: number) {
  return {
    hash: seed.toString(16).padStart(64, '0'),
    type: 'image/png',
    bytes: 100,
    width: 64,
    height: 64,
    seed,
  } as const;
}
