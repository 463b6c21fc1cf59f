import { EncoreError } from '../contracts/errors.ts';
import { type Video, videoFormats } from '../contracts/task-inputs.ts';

export type VideoFormat = Video['format'];

/** What a video file is made of. */
export interface VideoSpec {
  readonly format: VideoFormat;
  /** Of the frames, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames per second as they are given, and as they are shown where frames are interpolated in between. */
  readonly fps: number;
  readonly interpolateFps?: number | undefined;
  /** Written into MP4 and WebM: how the video was made. */
  readonly comment?: string | undefined;
}

/** ffmpeg's arguments, without the files: before `-i`, and before the output. */
export interface VideoArguments {
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/** By preference. Only what browsers play: no MPEG-4 part 2 in place of H.264. */
const encodersOf = {
  mp4: ['libx264', 'libopenh264', 'h264_videotoolbox', 'h264_mf'],
  webm: ['libvpx-vp9'],
  gif: ['gif'],
  webp: ['libwebp_anim', 'libwebp'],
} as const satisfies Record<VideoFormat, readonly string[]>;

export const mediaTypes = {
  mp4: 'video/mp4',
  webm: 'video/webm',
  gif: 'image/gif',
  webp: 'image/webp',
} as const satisfies Record<VideoFormat, string>;

/** What an ffmpeg with these encoders can write. */
export function writableFormats(encoders: ReadonlySet<string>): VideoFormat[] {
  return videoFormats.filter((format) => encodersOf[format].some((name) => encoders.has(name)));
}

/**
 * Raw RGB frames on stdin to a file of that format.
 * @param encoders those that this ffmpeg has
 * @throws EncoreError `ffmpeg_unavailable` where it has none for the format
 */
export function videoArguments(spec: VideoSpec, encoders: ReadonlySet<string>): VideoArguments {
  const { format, width, height, fps } = spec;
  const wanted: readonly string[] = encodersOf[format];
  const encoder = wanted.find((name) => encoders.has(name));
  if (encoder === undefined) {
    throw new EncoreError(
      'ffmpeg_unavailable',
      `this ffmpeg cannot write ${format}: it has no ${wanted[0]}`,
      {
        remedy: 'Choose another format, or set ENCORE_FFMPEG to a complete build.',
      },
    );
  }
  return {
    input: [
      ...['-f', 'rawvideo', '-pix_fmt', 'rgb24'],
      ...['-video_size', `${width}x${height}`, '-framerate', String(fps)],
    ],
    output: ['-an', ...picture(spec), '-c:v', encoder, ...quality[format](encoder), '-f', format],
  };
}

/** Filters and the colours they leave. */
function picture({ format, interpolateFps, comment }: VideoSpec): string[] {
  const between =
    interpolateFps === undefined
      ? []
      : [`minterpolate=fps=${interpolateFps}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1`];
  switch (format) {
    case 'gif': {
      // Colours of every frame (`stats_mode=diff` leaves out the last one's); ordered dithering does not crawl.
      const palette = 'split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=bayer:bayer_scale=4';
      return ['-filter_complex', [...between, palette].join(',')];
    }
    case 'webp':
      return [...(between.length > 0 ? ['-vf', between.join(',')] : []), '-pix_fmt', 'yuv420p'];
    case 'mp4':
    case 'webm': {
      // 4:2:0 has one colour for 2 x 2 pixels: sides are even. ffmpeg converts by BT.601 unless it is told.
      const even = 'crop=trunc(iw/2)*2:trunc(ih/2)*2';
      const filters = [...between, even, 'scale=out_color_matrix=bt709:out_range=tv', 'format=yuv420p'];
      const bt709 = ['-colorspace', '-color_primaries', '-color_trc'].flatMap((option) => [option, 'bt709']);
      const made = comment === undefined ? [] : ['-metadata', `comment=${comment}`];
      return ['-vf', filters.join(','), '-pix_fmt', 'yuv420p', ...bt709, '-color_range', 'tv', ...made];
    }
  }
}

const quality: Record<VideoFormat, (encoder: string) => string[]> = {
  mp4: (encoder) => [
    // Others than x264 have no constant quality in common; 8 Mbit/s is plenty for what is drawn here.
    ...(encoder === 'libx264' ? ['-crf', '17', '-preset', 'medium'] : ['-b:v', '8M']),
    // The index first, so that playing starts before all of it has arrived.
    ...['-movflags', '+faststart'],
  ],
  webm: () => ['-crf', '24', '-b:v', '0', '-deadline', 'good', '-cpu-used', '2', '-row-mt', '1'],
  gif: () => ['-loop', '0'],
  webp: () => ['-quality', '85', '-compression_level', '4', '-loop', '0'],
};
