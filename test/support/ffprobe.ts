import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFfprobe } from '../../scripts/lib/ffprobe.mjs';

/** What ffprobe, which is not the program that wrote it, finds in a video file. */
export interface Probed {
  codec: string;
  width: number;
  height: number;
  /** Counted by decoding all of them. */
  frames: number;
  /** Per second, on the average. */
  fps: number;
  pixels: string;
  /** `tv` and `bt709` where the file says so. */
  range: string | undefined;
  colours: string | undefined;
}

export async function probe(path: string): Promise<Probed> {
  const ffprobe = findFfprobe();
  if (ffprobe === undefined) {
    throw new Error(
      'The tests of videos need ffprobe: `npm test` installs it, and `npm ci --prefix test/ffprobe` does.',
    );
  }
  const asked = ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_streams', '-of', 'json'];
  const { stdout } = await promisify(execFile)(ffprobe, [...asked, path]);
  const { streams } = JSON.parse(stdout) as { streams: Record<string, string | number>[] };
  const [video, ...others] = streams;
  if (video === undefined || others.length > 0) throw new Error(`${path} has ${streams.length} videos`);
  const [over = 0, under = 1] = String(video['avg_frame_rate']).split('/').map(Number);
  return {
    codec: String(video['codec_name']),
    width: Number(video['width']),
    height: Number(video['height']),
    frames: Number(video['nb_read_frames']),
    fps: over / under,
    pixels: String(video['pix_fmt']),
    range: video['color_range'] as string | undefined,
    colours: video['color_space'] as string | undefined,
  };
}
