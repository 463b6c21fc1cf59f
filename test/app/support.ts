import type { Asset, Generation } from '../../lib/contracts/generation.ts';
import type { Adapter, Model } from '../../lib/contracts/models.ts';

/** A finished generation as the API shows it; what a test is about is given. */
export function exampleGeneration(overrides: Partial<Generation> = {}): Generation {
  const seed = overrides.seed ?? 7;
  return {
    id: 'one',
    task: 'text-to-image',
    status: 'succeeded',
    progress: 1,
    step: 24,
    etaSeconds: null,
    queuePosition: null,
    attempt: 1,
    params: {
      task: 'text-to-image',
      prompt: 'a fox in a meadow',
      negativePrompt: '',
      model: 'toybox',
      width: 128,
      height: 128,
      steps: 25,
      guidanceScale: 3,
      seed,
      count: 1,
      scheduler: 'ddim',
      plan: 'faster',
      injection: 0.003,
    },
    seed,
    starred: false,
    boardId: null,
    verifies: null,
    verifiedBy: null,
    comparison: null,
    inputs: [],
    assets: [exampleAsset('a0', seed), exampleAsset('a1', seed + 1)],
    receipt: null,
    error: null,
    createdAt: '2026-11-24T08:00:00.000Z',
    startedAt: '2026-11-24T08:00:01.000Z',
    finishedAt: '2026-11-24T08:00:02.000Z',
    ...overrides,
  };
}

function exampleAsset(id: string, seed: number): Asset {
  return {
    id,
    type: 'image/png',
    width: 128,
    height: 128,
    seed,
    bytes: 1,
    url: `/api/v1/assets/${id}/file`,
    posterUrl: null,
    frames: null,
    fps: null,
    durationSeconds: null,
  };
}

const installed = {
  licence: 'MIT',
  bytes: 1,
  source: 'added',
  dtype: 'F16',
  parameters: 1,
  contextSize: null,
  sha256: null,
  repository: null,
} as const;

export function exampleAdapter(overrides: Partial<Adapter> = {}): Adapter {
  return {
    ...installed,
    kind: 'lora',
    id: 'adapter',
    name: 'Adapter',
    base: null,
    triggers: [],
    rank: null,
    dialect: null,
    preprocessor: null,
    ...overrides,
  };
}

export function exampleModel(overrides: Partial<Model> = {}): Model {
  return {
    ...installed,
    kind: 'model',
    id: 'toybox',
    name: 'Toybox',
    tasks: ['text-to-image'],
    architecture: 'UNet2DConditionModel',
    sideMultiple: 16,
    defaults: {
      width: 128,
      height: 128,
      steps: 25,
      guidanceScale: 2,
      scheduler: 'ddim',
      plan: 'faster',
    },
    suggestions: [],
    vocabulary: [],
    ...overrides,
  };
}
