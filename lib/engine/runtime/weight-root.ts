import path, { type PlatformPath } from 'node:path';
import { EncoreError } from '../../contracts/errors.ts';
import type { Graph } from '../onnx/graph.ts';

/** Weight files of a graph, each once, in order of first use. */
export function weightFiles(graph: Graph): string[] {
  return [...new Set(graph.initializers.flatMap((each) => ('weight' in each ? [each.weight.file] : [])))];
}

/**
 * onnxruntime resolves external weights below one folder and lets nothing escape from it, so that folder is the root of
 * the file system and every location is a path from there, with forward slashes. On Windows each drive has its own root:
 * throws `checkpoint_unsupported` where the files of a graph lie on several. `paths` are the rules of the platform.
 */
export function weightRoot(
  graph: Graph,
  paths: PlatformPath = path,
): { folder: string; locate: (file: string) => string } {
  const roots = new Set(weightFiles(graph).map((file) => paths.parse(file).root));
  if (roots.size > 1) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${graph.name}: its weights lie on ${[...roots].join(' and ')}`,
      { remedy: 'Move the files of one model to one drive.' },
    );
  }
  const folder = [...roots][0] ?? paths.parse(process.cwd()).root;
  return { folder, locate: (file) => paths.relative(folder, file).split(paths.sep).join('/') };
}
