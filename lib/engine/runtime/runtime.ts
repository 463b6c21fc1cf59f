import { EncoreError } from '../../contracts/errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { winograd } from '../onnx/passes/winograd.ts';
import { chooseDevice } from './devices.ts';
import { computeThreads } from './machine.ts';
import { identify, openNativeSession, type GraphIdentity, type OpenedSession } from './open-session.ts';
import { PackedCache, type PackedCacheOptions } from './packed-cache.ts';
import type { DeviceName, OpenHints, Runtime, Session, Tensor } from './session.ts';

export interface RuntimeOptions {
  /** `auto`: the first of {@link deviceNames} that works here and is faster than the CPU. Default `auto`. */
  device?: DeviceName | 'auto';
  /** Threads of one operator. Default: one per physical core. */
  threads?: number;
  /** Packed graphs on disk. Left out, every open optimises anew and keeps its weights in private memory. */
  cache?: PackedCacheOptions;
  /** Idle sessions are released, least recently used first, while the estimate exceeds this. Default 2 GB. */
  memoryBudgetBytes?: number;
  /** Convolutions by {@link winograd} on the CPU; off only to measure what it saves. Default true. */
  winograd?: boolean;
}

/** Throws `device_unavailable` with the reason where the named device does not work here. */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const device = await chooseDevice(options.device ?? 'auto');
  return new SessionPool(device, options);
}

interface Pooled {
  readonly session: Promise<OpenedSession>;
  /** Known once it is open. */
  bytes: number;
  leases: number;
}

/** Sessions by graph, shared while in use and kept warm afterwards. A Map keeps them in order of last use. */
class SessionPool implements Runtime {
  readonly device: DeviceName;
  private readonly threads: number;
  private readonly cache: PackedCache | undefined;
  private readonly budget: number;
  private readonly adapt: (graph: Graph) => Graph;
  private readonly pooled = new Map<string, Pooled>();
  private disposed = false;

  constructor(device: DeviceName, options: RuntimeOptions) {
    this.device = device;
    this.threads = options.threads ?? computeThreads();
    this.cache = options.cache === undefined ? undefined : new PackedCache(options.cache);
    this.budget = options.memoryBudgetBytes ?? 2e9;
    this.adapt = device === 'cpu' && options.winograd !== false ? winograd : (graph) => graph;
  }

  async open(given: Graph, { passing = false }: OpenHints = {}): Promise<Session> {
    if (this.disposed)
      throw new EncoreError('engine_failed', `${given.name} was opened after its runtime was disposed`);
    const graph = this.adapt(given);
    const identity = await identify(graph, this.device);
    const { key } = identity;
    const entry = this.pooled.get(key) ?? this.start(graph, identity, passing);
    entry.leases++;
    this.touch(key, entry);
    try {
      const native = await entry.session;
      entry.bytes = native.bytes;
      await this.shrink();
      return this.lease(graph, key, entry, native);
    } catch (error) {
      if (this.pooled.get(key) === entry) this.pooled.delete(key);
      throw error;
    }
  }

  held(): { sessions: number; idle: number; bytes: number } {
    const all = [...this.pooled.values()];
    return {
      sessions: all.length,
      idle: all.filter(({ leases }) => leases === 0).length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    await this.shrink();
  }

  private start(graph: Graph, identity: GraphIdentity, passing: boolean): Pooled {
    const { device, threads, cache } = this;
    const session = openNativeSession(graph, identity, {
      device,
      threads,
      passing,
      ...(cache === undefined ? {} : { cache }),
    });
    const entry: Pooled = { session, bytes: 0, leases: 0 };
    this.pooled.set(identity.key, entry);
    return entry;
  }

  private lease(graph: Graph, key: string, entry: Pooled, native: OpenedSession): Session {
    let open = true;
    return {
      device: this.device,
      inputs: graph.inputs,
      outputs: graph.outputs.map(({ name, value: { dtype, shape } }) => ({ name, dtype, shape })),
      run: (feeds: Readonly<Record<string, Tensor>>) => {
        if (!open) {
          return Promise.reject(
            new EncoreError('engine_failed', `${graph.name} was run after it was disposed`),
          );
        }
        return native.run(feeds);
      },
      dispose: async () => {
        if (!open) return;
        open = false;
        entry.leases--;
        this.touch(key, entry);
        await this.shrink();
      },
    };
  }

  private touch(key: string, entry: Pooled): void {
    if (this.pooled.delete(key)) this.pooled.set(key, entry);
  }

  /** Releases idle sessions, oldest first, until the rest fits the budget (all of them after `dispose`). */
  private async shrink(): Promise<void> {
    for (const [key, entry] of this.pooled) {
      if (entry.leases > 0) continue;
      if (!this.disposed && this.held().bytes <= this.budget) return;
      this.pooled.delete(key);
      await (await entry.session).release();
    }
  }
}
