import type { Autoencoder } from '../networks/vae/autoencoder.ts';
import { solve } from '../tensor/linear-system.ts';
import { float32, type Tensor } from '../tensor/tensor.ts';
import type { Picture } from './task.ts';

type Float32 = Tensor<'float32'>;

/** Colour of a latent cell as an affine function of its channels: [3][C + 1], the last the constant. */
export type LatentColours = readonly (readonly number[])[];

/** Side of the chart in latent cells: 64 equations for the 5 unknowns of a 4-channel autoencoder, 17 for 16. */
const chartSide = 8;

/**
 * Fits latents to colours by least squares over a chart of random even cells that this very autoencoder encodes. Good
 * enough for a preview in any latent space, at the cost of one 64-pixel encoding per model.
 */
export async function fitLatentColours(autoencoder: Autoencoder): Promise<LatentColours> {
  const { scale, latentChannels: channels } = autoencoder.config;
  const side = chartSide * scale;
  const chart = float32([1, 3, side, side]);
  const cells = Array.from({ length: 3 }, (_, channel) =>
    Array.from({ length: chartSide ** 2 }, (_, cell) => cellColour(channel, cell)),
  );
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const cell = Math.floor(y / scale) * chartSide + Math.floor(x / scale);
        chart.data[(channel * side + y) * side + x] = cells[channel]![cell]!;
      }
    }
  }
  const { mean } = await autoencoder.encode(chart);
  const rows = Array.from({ length: chartSide ** 2 }, (_, cell) => [
    ...Array.from({ length: channels }, (_, c) => mean.data[c * chartSide ** 2 + cell]!),
    1,
  ]);
  return cells.map((values) => leastSquares(rows, values));
}

/** Smooth in neither direction, spread over -0.9 .. 0.9, the same every time. */
function cellColour(channel: number, cell: number): number {
  return 0.9 * Math.sin(1 + 12.9898 * cell + 78.233 * (channel + 1) * (cell + 1));
}

/** Picture of latents [1, C, h, w] before scaling, one pixel per cell. */
export function colourLatents(latents: Float32, colours: LatentColours): Picture {
  const [, channels = 0, height = 0, width = 0] = latents.shape;
  const area = height * width;
  const data = new Uint8Array(3 * area);
  for (let i = 0; i < area; i++) {
    colours.forEach((weights, k) => {
      let value = weights[channels]!;
      for (let c = 0; c < channels; c++) value += weights[c]! * latents.data[c * area + i]!;
      data[3 * i + k] = Math.round(Math.min(Math.max(value / 2 + 0.5, 0), 1) * 255);
    });
  }
  return { width, height, data };
}

/** x of least |A x - b|^2 + small |x|^2 through the normal equations; the ridge keeps unused channels at 0. */
function leastSquares(rows: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = rows[0]!.length;
  const normal = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) =>
      rows.reduce((sum, row) => sum + row[i]! * row[j]!, i === j ? 1e-3 : 0),
    ),
  );
  const right = Array.from({ length: n }, (_, i) => rows.reduce((sum, row, k) => sum + row[i]! * b[k]!, 0));
  return solve(normal, right);
}
