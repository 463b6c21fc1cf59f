import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** What packed weights depend on: the instruction set decides their block layout. */
export function cpuIdentity(): string {
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuInfo())?.[1];
  return `${process.arch} ${flags ?? cpus()[0]?.model ?? 'unknown'}`;
}

/**
 * Threads for one operator: one per physical core (the second hardware thread of a core adds nothing to convolutions),
 * and never more than this process may use. 0, which lets onnxruntime count, where the system does not say.
 */
export function computeThreads(): number {
  const cores = new Set<string>();
  for (const block of cpuInfo().split('\n\n')) {
    const package_ = /^physical id\s*:\s*(\d+)$/m.exec(block)?.[1];
    const core = /^core id\s*:\s*(\d+)$/m.exec(block)?.[1];
    if (package_ !== undefined && core !== undefined) cores.add(`${package_}:${core}`);
  }
  return cores.size === 0 ? 0 : Math.min(cores.size, availableParallelism());
}

/** /proc/cpuinfo, empty where there is none. */
function cpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
