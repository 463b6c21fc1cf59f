import sharp from 'sharp';

/** Largest picture that is decoded, in pixels: what a small request may make this process do has a limit. */
const MAX_PIXELS = 64 * 1024 * 1024;

/** A webp that fits into a square of `side` pixels. */
export async function thumbnail(file: Uint8Array, side: number): Promise<Buffer> {
  return sharp(file, { limitInputPixels: MAX_PIXELS })
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 80 })
    .toBuffer();
}
