const names: Record<string, string> = {
  cpu: 'CPU',
  cuda: 'CUDA',
  coreml: 'Core ML',
  dml: 'DirectML',
  webgpu: 'WebGPU',
};

/** Where something is computed, as people write it. */
export function deviceName(device: string): string {
  return names[device] ?? device;
}
