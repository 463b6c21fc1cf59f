import type { Graph } from '../graph.ts';
import { lower } from './lower.ts';

/** What every network's graph goes through last: from the form that networks and passes are written in to what runs. */
export function compile(graph: Graph): Graph {
  return lower(graph);
}
