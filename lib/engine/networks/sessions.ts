import type { Graph } from '../onnx/graph.ts';
import type { Session } from '../runtime/session.ts';

/** How a network gets its graphs run; a {@link Runtime}'s `open`. */
export type OpenGraph = (graph: Graph) => Promise<Session>;

/** The sessions of one network, one per shape it was asked for, opened when first needed. */
export class Sessions {
  private readonly open: OpenGraph;
  private readonly opened = new Map<string, Promise<Session>>();

  constructor(open: OpenGraph) {
    this.open = open;
  }

  /** `build` runs only where no session of that key is open. A failed open is forgotten and may be tried again. */
  get(key: string, build: () => Graph): Promise<Session> {
    const known = this.opened.get(key);
    if (known) return known;
    const session = Promise.resolve()
      .then(() => this.open(build()))
      .catch((error: unknown) => {
        this.opened.delete(key);
        throw error;
      });
    this.opened.set(key, session);
    return session;
  }

  async dispose(): Promise<void> {
    const sessions = [...this.opened.values()];
    this.opened.clear();
    for (const session of sessions) await (await session).dispose();
  }
}
