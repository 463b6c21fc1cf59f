import { describe, expect, it } from 'vitest';
import { installationSchema, repositorySchema, type Installation } from '../../../lib/contracts/models.ts';
import { describeInstallation, readRepository } from '../../../app/models/_parts/installation.ts';

const base: Installation = installationSchema.parse({
  id: 'i',
  repo: 'org/name',
  revision: 'main',
  status: 'running',
  bytesDone: 500_000_000,
  bytesTotal: 2_000_000_000,
  bytesPerSecond: 50_000_000,
  file: 'unet/diffusion_pytorch_model.safetensors',
  error: null,
  modelId: null,
  createdAt: '2026-11-24T08:00:00.000Z',
});

describe('what is said of something on its way from a hub', () => {
  it('has size, share, speed and what is left while it comes', () => {
    expect(describeInstallation(base)).toEqual({
      headline: 'On its way',
      detail: '500 MB of 2.0 GB · 25 % · 50 MB/s · about 30 s left · unet/diffusion_pytorch_model.safetensors',
      progress: 0.25,
    });
  });

  it('claims nothing that is not known', () => {
    const unsized = { ...base, bytesDone: 0, bytesTotal: null, bytesPerSecond: null, file: null };
    expect(describeInstallation(unsized)).toEqual({ headline: 'On its way', detail: null, progress: null });
    expect(describeInstallation({ ...base, bytesPerSecond: 0 }).detail).not.toMatch(/left/);
  });

  it('keeps how far it came when it stopped', () => {
    expect(describeInstallation({ ...base, status: 'paused' }).detail).toBe('500 MB of 2.0 GB');
    expect(describeInstallation({ ...base, status: 'succeeded' }).detail).toBe('2.0 GB');
  });
});

describe('the name of a repository', () => {
  it.each([
    ['org/name', 'org/name'],
    [' https://hub.example/org/name/tree/main/unet ', 'org/name'],
    ['/org/name/', 'org/name'],
    ['name', 'name'],
  ])('"%s" is %s', (text, repo) => expect(readRepository(text)).toBe(repo));

  it('is what the API takes, or refused there', () => {
    expect(repositorySchema.safeParse(readRepository('https://hub.example/org/name')).success).toBe(true);
    expect(repositorySchema.safeParse(readRepository('https://hub.example/')).success).toBe(false);
  });
});
