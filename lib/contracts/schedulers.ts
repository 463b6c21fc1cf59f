/**
 * Sampling algorithms by Encore's names, the names people know them by, and diffusers' classes. Browser-safe.
 *
 * A name chooses the class; every other setting comes from the model's scheduler_config.json, except that a name ending
 * in `-karras` also switches on Karras' spacing of sigmas.
 */
export const schedulers = {
  ddim: { label: 'DDIM', className: 'DDIMScheduler' },
  pndm: { label: 'PLMS', className: 'PNDMScheduler' },
  euler: { label: 'Euler', className: 'EulerDiscreteScheduler' },
  'euler-a': { label: 'Euler a', className: 'EulerAncestralDiscreteScheduler' },
  'dpmpp-2m': { label: 'DPM++ 2M', className: 'DPMSolverMultistepScheduler' },
  'dpmpp-2m-karras': { label: 'DPM++ 2M Karras', className: 'DPMSolverMultistepScheduler' },
  'dpmpp-2m-sde': { label: 'DPM++ 2M SDE', className: 'DPMSolverMultistepScheduler' },
  'dpmpp-2m-sde-karras': { label: 'DPM++ 2M SDE Karras', className: 'DPMSolverMultistepScheduler' },
  unipc: { label: 'UniPC', className: 'UniPCMultistepScheduler' },
  lcm: { label: 'LCM', className: 'LCMScheduler' },
  ddpm: { label: 'DDPM', className: 'DDPMScheduler' },
} as const;

export type SchedulerName = keyof typeof schedulers;
export const schedulerNames = Object.keys(schedulers) as [SchedulerName, ...SchedulerName[]];

/** The name for a scheduler_config.json; undefined for a class that is not built here. */
export function schedulerOfConfig(config: Readonly<Record<string, unknown>>): SchedulerName | undefined {
  if (config._class_name !== 'DPMSolverMultistepScheduler') {
    return schedulerNames.find((name) => schedulers[name].className === config._class_name);
  }
  // The older algorithms without ++ are not built: what they would draw is another picture.
  if (config.algorithm_type === 'dpmsolver' || config.algorithm_type === 'sde-dpmsolver') return undefined;
  const stochastic = config.algorithm_type === 'sde-dpmsolver++';
  if (config.use_karras_sigmas === true) return stochastic ? 'dpmpp-2m-sde-karras' : 'dpmpp-2m-karras';
  return stochastic ? 'dpmpp-2m-sde' : 'dpmpp-2m';
}
