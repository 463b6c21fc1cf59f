import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { float32, type Tensor } from '../../../lib/engine/tensor/tensor.ts';

/** A LoRA of the bundled model that nobody can overlook, in kohya's spelling. */
export async function writeLora(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const unet = await openSafetensors('models/toybox/unet/diffusion_pytorch_model.safetensors');
  const tensors: Record<string, Tensor> = {};
  const rank = 4;
  for (const [name, { shape }] of unet.tensors) {
    const [rows = 0, columns = 0] = shape;
    if (!/attn[12]\.to_v\.weight$/.test(name)) continue;
    const layer = `lora_unet_${name.replace(/\.weight$/, '').replaceAll('.', '_')}`;
    tensors[`${layer}.lora_down.weight`] = waves([rank, columns], 0.5);
    tensors[`${layer}.lora_up.weight`] = waves([rows, rank], 0.5);
  }
  if (Object.keys(tensors).length === 0) throw new Error('The bundled UNet has no attention.');
  await writeSafetensors(join(folder, 'waves.safetensors'), tensors, {
    ss_base_model_version: 'sd_v1',
    'modelspec.trigger_phrase': 'soft dusk',
  });
}

function waves(shape: [number, number], amplitude: number): Tensor<'float32'> {
  const data = Float32Array.from(
    { length: shape[0] * shape[1] },
    (_, i) => amplitude * Math.sin(i * 12.9898),
  );
  return float32(shape, data);
}
