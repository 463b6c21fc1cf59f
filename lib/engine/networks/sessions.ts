import type { Graph } from '../onnx/graph.ts';
import type { OpenHints, Session } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** How a network gets its graphs run; a {@link Runtime}'s `open`. */
export type OpenGraph = (graph: Graph, hints?: OpenHints) => Promise<Session>;

/** The most shapes one network keeps open: a run of several decode widths needs about six. */
const maxOpen = 12;

/**
 * The sessions of one network, one per shape it was asked for, opened when first needed. Beyond {@link maxOpen} the
 * least recently used goes back to the runtime, which decides whether it stays warm.
 */
export class Sessions {
  private readonly open: OpenGraph;
  /** In order of last use. */
  private readonly opened = new Map<string, Promise<Session>>();
  private readonly busy = new Map<string, number>();

  constructor(open: OpenGraph) {
    this.open = open;
  }

  /**
   * Runs `use` with the session of that key. `build` is called only where none is open; a failed open is forgotten and
   * may be tried again.
   */
  async with<T>(key: string, build: () => Graph, use: (session: Session) => Promise<T>): Promise<T> {
    this.busy.set(key, (this.busy.get(key) ?? 0) + 1);
    try {
      return await use(await this.get(key, build));
    } finally {
      this.busy.set(key, (this.busy.get(key) ?? 1) - 1);
      await this.shrink();
    }
  }

  async dispose(): Promise<void> {
    const sessions = [...this.opened.values()];
    this.opened.clear();
    for (const session of sessions) await (await session).dispose();
  }

  private async get(key: string, build: () => Graph): Promise<Session> {
    const session = this.opened.get(key) ?? Promise.resolve().then(() => this.open(build()));
    this.opened.delete(key);
    this.opened.set(key, session);
    try {
      return await session;
    } catch (error) {
      this.opened.delete(key);
      throw error;
    }
  }

  private async shrink(): Promise<void> {
    for (const [key, session] of this.opened) {
      if (this.opened.size <= maxOpen) return;
      if ((this.busy.get(key) ?? 0) > 0) continue;
      this.opened.delete(key);
      this.busy.delete(key);
      await (await session).dispose();
    }
  }
}

/** Runs a session on what it reads out of everything that is known, by name. */
export function runOn(
  session: Session,
  known: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const feeds = session.inputs.flatMap(({ name }) => (known[name] ? [[name, known[name]] as const] : []));
  return session.run(Object.fromEntries(feeds));
}
