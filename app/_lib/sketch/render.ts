import { getStroke } from 'perfect-freehand';
import { boxOf, UNITS, type Operation, type Sketch, type Stroke } from './sketch.ts';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** The outline of a stroke as a closed polygon, in the units of its points. A click alone is a dot. */
export function outlineOf(stroke: Stroke): number[][] {
  return getStroke(stroke.points, {
    size: stroke.size,
    // A mouse has one pressure only, and its line one width.
    thinning: stroke.points.some(([, , pressure]) => pressure !== 0.5) ? 0.5 : 0,
    simulatePressure: false,
    smoothing: 0.5,
    streamline: 0.35,
    last: true,
  });
}

/** The outline's points bend the curve, which goes through the middle between each two of them. */
function pathOf(outline: number[][]): Path2D {
  const path = new Path2D();
  outline.forEach(([x = 0, y = 0], index) => {
    const [nextX = 0, nextY = 0] = outline[(index + 1) % outline.length] ?? [];
    const [midX, midY] = [(x + nextX) / 2, (y + nextY) / 2];
    if (index === 0) path.moveTo(midX, midY);
    else path.quadraticCurveTo(x, y, midX, midY);
  });
  path.closePath();
  return path;
}

/**
 * Applies one operation to a canvas whose opacity is what is painted. Its transform is that of {@link inUnits}.
 */
export function paint(context: Context, operation: Operation): void {
  const everything = () => context.fillRect(-UNITS, -UNITS, 3 * UNITS, 3 * UNITS);
  context.save();
  context.fillStyle = '#fff';
  switch (operation.kind) {
    case 'fill':
      everything();
      break;
    case 'clear':
      context.globalCompositeOperation = 'destination-out';
      everything();
      break;
    case 'invert':
      context.globalCompositeOperation = 'xor';
      everything();
      break;
    case 'rectangle':
      context.globalCompositeOperation = operation.erase ? 'destination-out' : 'source-over';
      context.fillRect(operation.x, operation.y, operation.width, operation.height);
      break;
    case 'stroke':
      context.globalCompositeOperation = operation.erase ? 'destination-out' : 'source-over';
      context.fill(pathOf(outlineOf(operation)));
  }
  context.restore();
}

/** Paints a whole sketch, white where it is painted and clear elsewhere, over the whole canvas. */
export function renderSketch(
  context: Context,
  sketch: Sketch,
  base: CanvasImageSource | null,
  shape: { width: number; height: number } = context.canvas,
): void {
  const { width, height } = context.canvas;
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  inUnits(context, shape);
  if (base !== null) {
    const box = boxOf(shape.width, shape.height);
    context.drawImage(base, 0, 0, box.width, box.height);
  }
  for (const operation of sketch.operations) paint(context, operation);
  context.restore();
}

/**
 * Sets the transform from units to the canvas's own pixels. A sketch of another shape than the canvas is shown whole, in
 * the middle.
 */
export function inUnits(context: Context, shape: { width: number; height: number } = context.canvas): void {
  const { width, height } = context.canvas;
  const fit = Math.min(width / shape.width, height / shape.height);
  const scale = (Math.max(shape.width, shape.height) / UNITS) * fit;
  context.setTransform(
    scale,
    0,
    0,
    scale,
    (width - shape.width * fit) / 2,
    (height - shape.height * fit) / 2,
  );
}

/** Makes the brightness of a picture its opacity: how a mask that came as a file is painted on. */
export function brightnessToOpacity(image: HTMLImageElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return canvas;
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    pixels.data[i + 3] = pixels.data[i] ?? 0;
    pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** White on black as the models read it, or null where not a single pixel is painted. */
export async function rasterise(
  sketch: Sketch,
  base: CanvasImageSource | null,
  size: { width: number; height: number },
  shape: { width: number; height: number } = size,
): Promise<Blob | null> {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('This browser cannot paint on a canvas.');
  renderSketch(context, sketch, base, shape);
  const { data } = context.getImageData(0, 0, size.width, size.height);
  if (!data.some((value, index) => index % 4 === 3 && value > 0)) return null;
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#000';
  context.fillRect(0, 0, size.width, size.height);
  return canvas.convertToBlob({ type: 'image/png' });
}
