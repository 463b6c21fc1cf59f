import type { Graph } from '../graph.ts';
import { lower } from './lower.ts';
import { phaseUpsample } from './phase-upsample.ts';

export interface CompileOptions {
  /** See {@link phaseUpsample}; off only to measure what it saves. Default on. */
  phaseUpsampling?: boolean;
}

/** What every network's graph goes through last: from the form that networks and passes are written in to what runs. */
export function compile(graph: Graph, { phaseUpsampling = true }: CompileOptions = {}): Graph {
  return lower(phaseUpsampling ? phaseUpsample(graph) : graph);
}
