/** Options that are not called as their field of the request is. */
const renamed: Readonly<Record<string, string>> = {
  'control-model': 'control',
  'control-preprocessor': 'preprocessor',
  'guidance-scale': 'guidance',
  loras: 'lora',
  'loras-id': 'lora',
  'loras-weight': 'lora',
  'negative-prompt': 'negative',
  'plan-every': 'plan',
  'plan-key-steps': 'plan',
  'upscale-factor': 'upscale',
  video: 'frames',
  'video-adapter': 'motion-adapter',
  'video-format': 'out',
  'video-motion-zoom': 'zoom',
};

/** What a person typed for a field of the request: `video.motion.x` -> `--motion-x`. */
export function optionOf(path: readonly PropertyKey[]): string {
  const words = path.filter((key) => typeof key === 'string').join('-');
  const field = words.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `--${renamed[field] ?? field.replace(/^video-/, '').replace(/^(outpaint|motion-path)-.*/, '$1')}`;
}
