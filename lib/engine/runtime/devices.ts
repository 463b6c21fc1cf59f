import { EncoreError } from '../../contracts/errors.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { serialize } from '../onnx/serialize.ts';
import { float32 } from '../tensor/tensor.ts';
import { computeThreads } from './machine.ts';
import { createNative, knownProviders } from './ort.ts';
import { deviceNames, type DeviceName } from './session.ts';

export interface DeviceReport {
  readonly name: DeviceName;
  readonly available: boolean;
  /** Milliseconds of the probe, a chain of matrix products; null where it did not run. */
  readonly milliseconds: number | null;
  /** Why it cannot be used, or why `auto` passes it over; null where there is nothing to say. */
  readonly reason: string | null;
}

const remedies: Record<DeviceName, string> = {
  cuda: 'it needs an NVIDIA driver, CUDA 12 with cuDNN 9, and the CUDA build of onnxruntime-node',
  coreml: 'Core ML exists on macOS only',
  dml: 'DirectML exists on Windows only',
  webgpu: 'no graphics adapter was found',
  cpu: 'onnxruntime-node has no binary for this platform',
};

/** Tries every device with a small graph. Takes about a second; nothing stays open. */
export async function probeDevices(): Promise<DeviceReport[]> {
  const cpu = await probe('cpu');
  const reports: DeviceReport[] = [];
  for (const name of deviceNames) reports.push(name === 'cpu' ? cpu : comparedWith(cpu, await probe(name)));
  return reports;
}

/** `auto`: the first device that works and beats the CPU. Throws `device_unavailable` for a named one that does not work. */
export async function chooseDevice(wanted: DeviceName | 'auto'): Promise<DeviceName> {
  if (wanted === 'cpu') return wanted;
  if (wanted === 'auto') {
    for (const { name, available, reason } of await probeDevices())
      if (available && reason === null) return name;
    return 'cpu';
  }
  const { available, reason } = await probe(wanted);
  if (available) return wanted;
  throw new EncoreError('device_unavailable', `${wanted} cannot be used here: ${reason}`, {
    remedy: 'Run `encore devices` to see what can, or leave the device to `auto`.',
  });
}

/** A software adapter is accepted like a graphics card and says nothing about itself: only the clock tells. */
function comparedWith(cpu: DeviceReport, device: DeviceReport): DeviceReport {
  if (device.milliseconds === null || cpu.milliseconds === null || device.milliseconds < cpu.milliseconds)
    return device;
  return {
    ...device,
    reason: `slower than the CPU here (${device.milliseconds.toFixed(0)} ms against ${cpu.milliseconds.toFixed(0)} ms): probably a software adapter`,
  };
}

async function probe(name: DeviceName): Promise<DeviceReport> {
  const refused = (reason: string): DeviceReport => ({ name, available: false, milliseconds: null, reason });
  if (!knownProviders().has(name)) return refused(remedies[name]);
  if (name === 'webgpu' && process.platform === 'linux' && !libraryExists('libvulkan.so.1')) {
    return refused('libvulkan.so.1 is not installed; on Linux it needs that and a Vulkan driver');
  }
  try {
    const graph = probeGraph();
    const session = await createNative(graph, serialize(graph, { locate: (file) => file }), {
      device: name,
      threads: computeThreads(),
      optimize: 'all',
    });
    try {
      const feeds = { x: float32([probeSize, probeSize], new Float32Array(probeSize ** 2).fill(1e-3)) };
      // The first run compiles shaders and fills arenas.
      await session.run(feeds);
      const start = performance.now();
      await session.run(feeds);
      return { name, available: true, milliseconds: performance.now() - start, reason: null };
    } finally {
      await session.release();
    }
  } catch (error) {
    const cause = error instanceof EncoreError ? error.cause : error;
    const said = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
    // What matters follows the source location that onnxruntime puts first.
    return refused(`${remedies[name]} (${said.replace(/^.* was false\. |^.*?: (?=[A-Z])/, '')})`);
  }
}

/** Asks the loader itself. Loading as an addon fails in any case, but with another message where the file is there. */
function libraryExists(library: string): boolean {
  try {
    process.dlopen({ exports: {} }, library);
    return true;
  } catch (error) {
    return !(error instanceof Error && error.message.includes('cannot open shared object file'));
  }
}

const probeSize = 512;

/** x -> x x x ..., eight products of [512, 512]: 2.1 GFLOP. */
function probeGraph(): Graph {
  const shape = [probeSize, probeSize];
  const values: Value[] = Array.from({ length: 9 }, (_, i) => ({
    name: i === 0 ? 'x' : `y${i}`,
    dtype: 'float32',
    shape,
  }));
  const nodes = values.slice(1).map((output, i) => ({
    op: 'MatMul' as const,
    name: output.name,
    inputs: [values[i]!, values[0]!],
    outputs: [output],
    attributes: {},
  }));
  return {
    name: 'probe',
    inputs: [values[0]!],
    outputs: [{ name: 'y', value: values[8]! }],
    initializers: [],
    nodes,
  };
}
