import { Command } from 'commander';
import { probeDevices } from '../engine/runtime/devices.ts';
import { print, printJson } from './output.ts';

export function devicesCommand(): Command {
  return new Command('devices')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { json?: boolean }) => {
      const devices = await probeDevices();
      // What `auto` takes: the first without an objection.
      const auto = devices.find(({ available, reason }) => available && reason === null)?.name ?? 'cpu';
      if (json) {
        printJson({ auto, devices });
        return;
      }
      for (const { name, available, milliseconds, reason } of devices) {
        const state = available ? `yes  ${milliseconds?.toFixed(1)} ms for a probe of 2.1 GFLOP` : 'no   ';
        print(
          `${name.padEnd(8)}${state}${reason === null ? '' : `${available ? '; ' : ''}${reason}`}${name === auto ? '  <- auto' : ''}`,
        );
      }
    });
}
