import { type SchedulerName, schedulers, schedulerNames } from '../contracts/schedulers.ts';

const byName = new Map<string, SchedulerName>(
  schedulerNames.flatMap((name) => [
    [name, name],
    [plain(schedulers[name].label), name],
  ]),
);

/**
 * Our name for a sampler as another program calls it (`DPM++ 2M Karras`, `dpmpp_2m_sde_gpu`, `k_euler_ancestral`), with
 * its separate schedule (`karras`) where it has one; undefined for one that is not built here.
 */
export function schedulerOfSampler(sampler: string, schedule = ''): SchedulerName | undefined {
  const name = plain(sampler);
  const karras = /karras/i.test(schedule) ? byName.get(`${name}-karras`) : undefined;
  return karras ?? byName.get(name);
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace('dpm++', 'dpmpp')
    .replace(/^k_/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-gpu$/, '')
    .replace(/-k$/, '-karras')
    .replace(/-ancestral\b/, '-a')
    .replace('uni-pc', 'unipc')
    .replace(/^plms$/, 'pndm');
}
