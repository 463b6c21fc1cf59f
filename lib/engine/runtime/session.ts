import type { Graph } from '../onnx/graph.ts';
import type { DType, Shape, Tensor } from '../tensor/tensor.ts';

/**
 * What the engine knows of a runtime. Networks and tasks are given a {@link Runtime} and never see onnxruntime;
 * `createRuntime` in runtime.ts makes one.
 */

/** Where graphs can run, in the order `auto` tries them. */
export const deviceNames = ['cuda', 'coreml', 'dml', 'webgpu', 'cpu'] as const;
export type DeviceName = (typeof deviceNames)[number];

/** Name, element type and shape of a graph input or output; a string is a symbolic dimension, fixed per run. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export interface Session {
  readonly device: DeviceName;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * Runs the graph once. Feeds are read in place and must not be changed before the promise settles; outputs belong to
   * the caller and stay valid after `dispose`. Throws `invalid_tensor` for a missing, unknown or ill-shaped feed,
   * `out_of_memory` and `engine_failed` with the runtime's own message as cause.
   *
   * The call blocks its thread inside and cannot be interrupted: check an AbortSignal between calls, not around one.
   */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  /** Gives the session back to its runtime, which may keep it warm. Running it afterwards is an error. */
  dispose(): Promise<void>;
}

export interface OpenHints {
  /**
   * Its weights are likely to change with the next request (an adapter's strength): a small graph is then opened without
   * the packed cache, whose files take longer than optimising it, and a large one leaves the cache before the others.
   */
  readonly passing?: boolean;
}

export interface Runtime {
  readonly device: DeviceName;
  /**
   * Opens a graph: from the warm sessions where the same graph (and the same weight files) is already open, from the
   * packed cache where it was opened before, otherwise by optimising it now. Throws `checkpoint_invalid` where a weight
   * file is missing or too short, `graph_invalid` where the runtime refuses the graph, `out_of_memory`.
   */
  open(graph: Graph, hints?: OpenHints): Promise<Session>;
  /** What is held now: open and warm sessions, and an estimate of their private bytes. */
  held(): { sessions: number; idle: number; bytes: number };
  /** Releases every warm session; sessions still in use are released when they are given back. */
  dispose(): Promise<void>;
}

export type { Graph, Shape, Tensor };
