import { EncoreError } from '../contracts/errors.ts';
import type { preprocessors } from '../contracts/task-inputs.ts';
import type { Picture } from '../engine/tasks/task.ts';
import { withOpenCv } from './opencv.ts';

export type Preprocessor = (typeof preprocessors)[number];

/**
 * The control picture of any picture: white lines on black, of the same size. Nothing has to be set: thresholds follow
 * the picture's contrast, widths of lines its size.
 *
 * - `canny`: edges one pixel wide (Canny, 1986), as the ControlNets of that name were trained on
 * - `scribble`: the broad lines of a drawing or a photograph, black or white (difference of Gaussians, Winnemöller 2012)
 * - `lineart`: the same in shades of grey
 * - `none`: the picture itself
 */
export async function preprocess(picture: Picture, name: Preprocessor): Promise<Picture> {
  if (name === 'none') return picture;
  const { width, height } = picture;
  const lines = await methods[name](picture).catch((cause: unknown) => {
    // OpenCV throws numbers: addresses of exceptions in its own memory.
    throw new EncoreError('internal', `${name} failed on a picture of ${width} x ${height} pixels`, {
      cause,
    });
  });
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < lines.length; i++) data.fill(lines[i]!, 3 * i, 3 * i + 3);
  return { width, height, data };
}

/** A picture to the brightness of its lines, one byte a pixel. */
const methods: Record<Exclude<Preprocessor, 'none'>, (picture: Picture) => Promise<Uint8Array>> = {
  canny,
  scribble,
  lineart,
};

/** The thresholds that ControlNets were trained with, on a picture of full contrast. */
const cannyThresholds = { low: 100, high: 200 };
/** Below this part of full contrast a picture is as good as empty: what is enlarged there is noise. */
const leastContrast = 0.15;

function canny({ width, height, data }: Picture): Promise<Uint8Array> {
  const { low, high } = percentiles(luma(data), [0.01, 0.99]);
  const contrast = Math.max((high - low) / 255, leastContrast);
  return withOpenCv((cv, matrices) => {
    const edges = matrices.empty();
    const thresholds = [cannyThresholds.low * contrast, cannyThresholds.high * contrast] as const;
    cv.Canny(matrices.rgb(width, height, data), edges, ...thresholds);
    return Uint8Array.from(edges.data);
  });
}

/** How much darker than its wide surroundings a point is, of 255, to belong to a line. */
const scribbleThreshold = 16;

async function scribble(picture: Picture): Promise<Uint8Array> {
  const { near, wide } = await blurred(picture, 0.5, 5);
  return Uint8Array.from(near, (value, i) => (wide[i]! - value > scribbleThreshold ? 255 : 0));
}

/** Differences up to this are paper and noise. */
const lineartFloor = 8;

async function lineart(picture: Picture): Promise<Uint8Array> {
  const { near, wide } = await blurred(picture, 0, 6);
  const depth = near.map((value, i) => Math.max(wide[i]! - value, 0));
  // The strongest tenth of all lines is white, however faint the picture is.
  const lines = depth.filter((value) => value > lineartFloor).sort();
  const strong = Math.max(lines[Math.floor(0.9 * lines.length)] ?? 0, 2 * lineartFloor);
  return Uint8Array.from(depth, (value) => Math.min(Math.round((value / strong) * 255), 255));
}

/** Side of the pictures that the widths of lines are meant for. */
const referenceSide = 512;

/**
 * Brightness, 0 to 255, under two Gaussian blurs whose widths are in pixels of a picture of 512. Where light lines are
 * drawn on black they are made dark ones first.
 */
function blurred(
  { width, height, data }: Picture,
  near: number,
  wide: number,
): Promise<{ near: Float32Array; wide: Float32Array }> {
  const scale = Math.min(width, height) / referenceSide;
  const { high: median } = percentiles(luma(data), [0, 0.5]);
  return withOpenCv((cv, matrices) => {
    const gray = matrices.empty();
    cv.cvtColor(matrices.rgb(width, height, data), gray, cv.COLOR_RGB2GRAY as number);
    const inverted = median < mostlyBlack;
    const exact = matrices.empty();
    gray.convertTo(exact, cv.CV_32F as number, inverted ? -1 : 1, inverted ? 255 : 0);
    const blur = (sigma: number): Float32Array => {
      if (sigma * scale < 0.1) return Float32Array.from(exact.data32F);
      const soft = matrices.empty();
      cv.GaussianBlur(
        exact,
        soft,
        new cv.Size(0, 0),
        sigma * scale,
        sigma * scale,
        cv.BORDER_REPLICATE as number,
      );
      return Float32Array.from(soft.data32F);
    };
    return { near: blur(near), wide: blur(wide) };
  });
}

/** Brightness of the middle pixel below which a picture is a drawing on black. */
const mostlyBlack = 32;

/** Rec. 601 brightness of interleaved RGB, 0 to 255. */
function luma(data: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: data.length / 3 }, (_, i) =>
    Math.round(0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!),
  );
}

/** The values below which these two parts of all pixels lie. */
function percentiles(values: Uint8Array, [low, high]: [number, number]): { low: number; high: number } {
  const counts = new Uint32Array(256);
  for (const value of values) counts[value]!++;
  const at = (part: number) => {
    let seen = 0;
    return counts.findIndex((count) => (seen += count) > part * (values.length - 1));
  };
  return { low: at(low), high: at(high) };
}
