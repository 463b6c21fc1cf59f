import { posix, win32 } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../lib/engine/onnx/graph.ts';
import { weightFiles, weightRoot } from '../../../lib/engine/runtime/weight-root.ts';

function graphOf(...files: string[]): Graph {
  const initializers = files.map((file, i) => ({
    value: { name: `w${i}`, dtype: 'float32' as const, shape: [1] },
    weight: { name: `w${i}`, dtype: 'float32' as const, shape: [1], file, offset: 0, length: 4 },
  }));
  return { name: 'unet', inputs: [], outputs: [], initializers, nodes: [] };
}

describe('where weights are looked for', () => {
  it('is the root, whatever folders they lie in', () => {
    const graph = graphOf('/data/a.safetensors', '/home/me/b c/b.safetensors', '/data/a.safetensors');
    expect(weightFiles(graph)).toHaveLength(2);
    const { folder, locate } = weightRoot(graph, posix);
    expect(folder).toBe('/');
    expect(locate('/home/me/b c/b.safetensors')).toBe('home/me/b c/b.safetensors');
  });

  it('is the drive on Windows, with forward slashes below it', () => {
    const { folder, locate } = weightRoot(graphOf('D:\\models\\sd\\unet.safetensors'), win32);
    expect(folder).toBe('D:\\');
    expect(locate('D:\\models\\sd\\unet.safetensors')).toBe('models/sd/unet.safetensors');
  });

  it('cannot be two drives', () => {
    expect(() => weightRoot(graphOf('C:\\a.safetensors', 'D:\\b.safetensors'), win32)).toThrow(
      'unet: its weights lie on C:\\ and D:\\',
    );
  });
});
