import { describe, expect, it } from 'vitest';
import { Sessions } from '../../../lib/engine/networks/sessions.ts';
import { type Graph } from '../../../lib/engine/onnx/graph.ts';
import { type Session } from '../../../lib/engine/runtime/session.ts';

/** Graphs with nothing in them, and a runtime that only keeps book. */
function book() {
  const log: string[] = [];
  const open = (graph: Graph): Promise<Session> => {
    log.push(`open ${graph.name}`);
    if (graph.name === 'broken') return Promise.reject(new Error('refused'));
    return Promise.resolve({
      device: 'cpu',
      inputs: [],
      outputs: [],
      run: () => Promise.resolve({}),
      dispose: () => Promise.resolve(void log.push(`dispose ${graph.name}`)),
    });
  };
  const sessions = new Sessions(open);
  const graph = (name: string) => (): Graph => ({
    name,
    inputs: [],
    outputs: [],
    initializers: [],
    nodes: [],
  });
  const use = (name: string) => sessions.with(name, graph(name), (session) => session.run({}));
  return { log, sessions, use, graph };
}

describe('Sessions', () => {
  it('opens a shape once and gives everything back', async () => {
    const { log, sessions, use } = book();
    await use('a');
    await use('a');
    await sessions.dispose();
    expect(log).toEqual(['open a', 'dispose a']);
  });

  it('keeps twelve open and lets go of the least recently used', async () => {
    const { log, use } = book();
    for (let i = 0; i < 12; i++) await use(`s${i}`);
    await use('s0');
    await use('s12');
    expect(log.filter((line) => line.startsWith('dispose'))).toEqual(['dispose s1']);
  });

  it('never lets go of one that is running', async () => {
    const { log, sessions, use, graph } = book();
    await sessions.with('running', graph('running'), async () => {
      for (let i = 0; i < 13; i++) await use(`s${i}`);
      expect(log).not.toContain('dispose running');
    });
  });

  it('forgets a graph that could not be built', async () => {
    const { sessions, log } = book();
    const build = (): Graph => {
      throw new Error('78 tokens');
    };
    await expect(sessions.with('a', build, () => Promise.resolve())).rejects.toThrow('78 tokens');
    await sessions.dispose();
    expect(log).toEqual([]);
  });

  it('forgets an open that failed', async () => {
    const { log, use } = book();
    await expect(use('broken')).rejects.toThrow('refused');
    await expect(use('broken')).rejects.toThrow('refused');
    expect(log).toEqual(['open broken', 'open broken']);
  });
});
