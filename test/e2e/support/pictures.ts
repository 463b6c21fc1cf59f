import sharp from 'sharp';

/** 8-bit RGB, row-major. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

/** left, top, right, bottom */
export type Box = [number, number, number, number];

/** Blue above green, and an orange disc in the middle; square. */
export function fox(side = 128): Promise<Buffer> {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 128 128"><rect width="128" height="128" fill="#79b4f5"/>` +
    '<rect y="76" width="128" height="52" fill="#5aa83c"/><circle cx="64" cy="70" r="34" fill="#e2752a"/></svg>';
  return sharp(Buffer.from(svg)).png().toBuffer();
}

export async function pixels(file: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(file)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Mean difference over a rectangle, 0 to 255. */
export function difference(a: Pixels, b: Pixels, [left, top, right, bottom]: Box): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let i = (y * a.width + left) * 3; i < (y * a.width + right) * 3; i++) {
      sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
    }
  }
  return sum / ((right - left) * (bottom - top) * 3);
}

/** Mean contrast on both sides of a path, over the contrast of the whole picture. */
export function edgesAlong({ data, width, height }: Pixels, path: [number, number][]): number {
  const gray = (x: number, y: number) => {
    const i = (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))) * 3;
    return ((data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0)) / 3;
  };
  const contrast = (x: number, y: number) =>
    Math.hypot(gray(x + 1, y) - gray(x - 1, y), gray(x, y + 1) - gray(x, y - 1));
  // The strongest edge within three pixels of the line: a pen is as wide.
  const near = ([u, v]: [number, number]) => {
    const [x, y] = [Math.round(u * width), Math.round(v * height)];
    let most = 0;
    for (let dy = -3; dy <= 3; dy++) {
      for (let dx = -3; dx <= 3; dx++) most = Math.max(most, contrast(x + dx, y + dy));
    }
    return most;
  };
  const along = path.reduce((sum, point) => sum + near(point), 0) / path.length;
  let all = 0;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) all += contrast(x, y);
  return along / (all / (width * height));
}
