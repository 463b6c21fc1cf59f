import { parse, relative, sep } from 'node:path';
import { EncoreError } from '../../contracts/errors.ts';
import type { Graph } from '../onnx/graph.ts';

/** Weight files of a graph, each once, in order of first use. */
export function weightFiles(graph: Graph): string[] {
  return [...new Set(graph.initializers.flatMap((each) => ('weight' in each ? [each.weight.file] : [])))];
}

/**
 * onnxruntime resolves external weights below one folder and lets nothing escape from it, so that folder is the root of
 * the file system and every location is a path from there. On Windows each drive has its own root.
 */
export function weightRoot(graph: Graph): { folder: string; locate: (file: string) => string } {
  const files = weightFiles(graph);
  const roots = new Set(files.map((file) => parse(file).root));
  if (roots.size > 1) {
    throw new EncoreError(
      'checkpoint_unsupported',
      `${graph.name}: its weights lie on ${[...roots].join(' and ')}`,
      {
        remedy: 'Move the files of one model to one drive.',
      },
    );
  }
  const folder = [...roots][0] ?? parse(process.cwd()).root;
  return { folder, locate: (file) => relative(folder, file).split(sep).join('/') };
}
