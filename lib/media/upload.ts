import sharp from 'sharp';
import { EncoreError } from '../contracts/errors.ts';
import { uploadLimits, type uploadTypes } from '../contracts/pictures.ts';

export interface UprightPicture {
  /** PNG: 8 bits a channel, sRGB, upright, with transparency where it had some, and no word beside the pixels. */
  file: Buffer;
  width: number;
  height: number;
}

/**
 * Any picture a person sends as one that everything else here can rely on. What it claims to be is not asked: its first
 * bytes decide, and only the four formats are ever given to a decoder. Of an animation the first frame is taken.
 * @throws EncoreError `invalid_parameter` for what is none of them or damaged, `payload_too_large` for too many pixels
 */
export async function uprightPicture(file: Uint8Array): Promise<UprightPicture> {
  if (formatOf(file) === null) {
    throw new EncoreError('invalid_parameter', 'This is not a picture that can be drawn from.', {
      remedy: 'PNG, JPEG, WebP and AVIF files are.',
    });
  }
  // The number of pixels is checked before any is decoded; the decoder's own limit stays as it is.
  const decoder = sharp(file, { failOn: 'error' });
  const { width, height } = await decoder.metadata().catch(damaged);
  if (width * height > uploadLimits.maxUploadPixels) {
    throw new EncoreError(
      'payload_too_large',
      `The picture has ${width} x ${height} pixels; ${uploadLimits.maxUploadPixels} are the most.`,
      { remedy: 'Make it smaller first.' },
    );
  }
  const { data, info } = await decoder
    .autoOrient()
    .resize(uploadLimits.maxUploadSide, uploadLimits.maxUploadSide, {
      fit: 'inside',
      withoutEnlargement: true,
    })
    .toColourspace('srgb')
    .png({ compressionLevel: 6 })
    .toBuffer({ resolveWithObject: true })
    .catch(damaged);
  return { file: data, width: info.width, height: info.height };
}

/** By the first bytes; null for anything else, SVG and PDF among it, which are programs for a renderer. */
export function formatOf(file: Uint8Array): (typeof uploadTypes)[number] | null {
  const bytes = Buffer.from(file.buffer, file.byteOffset, Math.min(file.byteLength, 32));
  const ascii = (from: number, to: number) => bytes.toString('latin1', from, to);
  if (ascii(0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png';
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP') return 'image/webp';
  if (ascii(4, 8) === 'ftyp' && /avi[fs]/.test(ascii(8, 32))) return 'image/avif';
  return null;
}

function damaged(cause: unknown): never {
  throw new EncoreError('invalid_parameter', 'The picture is damaged and cannot be read.', {
    remedy: 'Save it again with another program, or send another file.',
    cause,
  });
}
