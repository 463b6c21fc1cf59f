import { describe, expect, it } from 'vitest';
import { chooseFiles } from '../../../lib/studio/hub/choose-files.ts';
import { type HubFile, isSafePath } from '../../../lib/studio/hub/client.ts';
import { isPublic } from '../../../lib/studio/hub/public-address.ts';

const files = (...paths: string[]): HubFile[] =>
  paths.map((path, i) => ({ path, bytes: i + 1, sha256: null, blobSha1: null }));
const chosen = (list: HubFile[], file?: string) =>
  chooseFiles('org/name', list, file).files.map(({ path }) => path);

describe('files of a repository', () => {
  it('are the half-precision weights of a pipeline, configs first', () => {
    const list = files(
      'unet/diffusion_pytorch_model.safetensors',
      'unet/diffusion_pytorch_model.fp16.safetensors',
      'unet/diffusion_pytorch_model.non_ema.safetensors',
      'unet/config.json',
      'tokenizer/vocab.json',
      'tokenizer/merges.txt',
      'text_encoder/model.safetensors',
      'text_encoder/pytorch_model.bin',
      'safety_checker/model.safetensors',
      'v1-5-pruned.safetensors',
      'model_index.json',
      '.gitattributes',
      'README.md',
    );
    expect(chosen(list)).toEqual([
      'unet/config.json',
      'tokenizer/vocab.json',
      'tokenizer/merges.txt',
      'model_index.json',
      'README.md',
      'unet/diffusion_pytorch_model.fp16.safetensors',
      'text_encoder/model.safetensors',
    ]);
    expect(chosen(list, 'v1-5-pruned.safetensors')).toEqual(['README.md', 'v1-5-pruned.safetensors']);
  });

  it('are the shards of one variant with their index', () => {
    const shards = ['00001', '00002'].map((n) => `unet/diffusion_pytorch_model-${n}-of-00002.safetensors`);
    const list = files('model_index.json', ...shards, 'unet/diffusion_pytorch_model.safetensors.index.json');
    expect(chosen(list).sort()).toEqual(list.map(({ path }) => path).sort());
  });

  it('are a ControlNet’s own, or the only file', () => {
    const net = files('config.json', 'diffusion_pytorch_model.safetensors', 'diffusion_pytorch_model.bin');
    expect(chosen(net)).toEqual(['config.json', 'diffusion_pytorch_model.safetensors']);
    const one = chooseFiles('org/name', files('sub/style.safetensors', 'README.md'));
    expect(one).toMatchObject({ name: 'name', only: { path: 'sub/style.safetensors' } });
    expect(() => chosen(files('a.safetensors', 'b.safetensors'))).toThrow('a.safetensors, b.safetensors');
    expect(() => chosen(files('a.ckpt'))).toThrow('no .safetensors');
    expect(() => chosen(files('a.safetensors'), 'b.safetensors')).toThrow('has no b.safetensors');
  });

  it.each(['../x', '/x', 'a/../b', 'a\\b', '.hidden', 'a//b', 'a/.', 'C:/x', 'a/b.', '', 'x'.repeat(401)])(
    'are never called %s',
    (path) => expect(isSafePath(path)).toBe(false),
  );
});

it.each([
  ['8.8.8.8', true],
  ['2606:4700::1', true],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['172.20.0.1', false],
  ['192.168.1.1', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['0.0.0.0', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['fe80::1', false],
  ['fd00::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['2001:db8::1', false],
  ['localhost', false],
])('%s is of the open internet: %s', (address, expected) => {
  expect(isPublic(address)).toBe(expected);
});
