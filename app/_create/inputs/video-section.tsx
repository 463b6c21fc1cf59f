'use client';
import { inputLimits, videoFormats, videoSchema, type Video } from '../../../lib/contracts/task-inputs.ts';
import { NumberField, SelectField } from '../../_components/fields.tsx';
import { Segments } from '../../_components/segments.tsx';
import type { Model } from '../../../lib/contracts/models.ts';
import { updateDraft } from '../../_lib/draft.ts';
import { formatSeconds } from '../../_lib/format.ts';
import { useAdapters } from '../../_lib/queries.ts';
import { fits } from '../../_lib/request.ts';
import { InputSection } from './input-section.tsx';
import { MotionFields } from './motion-fields.tsx';
import styles from './inputs.module.css';

const formatNames: Record<Video['format'], string> = { mp4: 'MP4', webm: 'WebM', gif: 'GIF', webp: 'WebP' };
/** Frames per second that ffmpeg can fill up to. */
const smoothRates = [12, 24, 30, 60];

export function VideoSection({ video, model }: { video: Video; model: Model }) {
  const { adapters } = useAdapters('motion');
  const engines = adapters.filter((each) => fits(each, model));
  const set = (change: Partial<Video>) => updateDraft({ video: { ...video, ...change } });
  const { frames, fps, motion, format, interpolateFps, adapter } = video;
  return (
    <InputSection
      title="A video"
      removeLabel="Make a picture instead"
      onRemove={() => updateDraft({ video: undefined })}
      note={`${frames} frames, ${formatSeconds(frames / fps)}`}
    >
      <div className={styles.columns}>
        <NumberField
          label="Frames"
          value={frames}
          min={2}
          max={inputLimits.maxFrames}
          onChange={(next) => set({ frames: next ?? videoSchema.parse({}).frames })}
        />
        <NumberField
          label="Frames a second"
          value={fps}
          min={1}
          max={inputLimits.maxFps}
          onChange={(next) => set({ fps: next ?? videoSchema.parse({}).fps })}
        />
      </div>
      {engines.length > 0 && (
        <SelectField
          label="Moved by"
          value={adapter ?? ''}
          options={[
            { value: '', label: 'A motion field' },
            ...engines.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(value) => set({ adapter: value === '' ? undefined : value })}
        />
      )}
      {adapter === undefined && <MotionFields motion={motion} onChange={(next) => set({ motion: next })} />}
      <Segments
        legend="File"
        name="video-format"
        options={videoFormats.map((value) => ({ value, label: formatNames[value] }))}
        value={format}
        onChange={(next) => set({ format: next })}
      />
      <SelectField
        label="Frames in between"
        value={String(interpolateFps ?? '')}
        options={[
          { value: '', label: 'None' },
          ...smoothRates
            .filter((rate) => rate > fps)
            .map((rate) => ({ value: String(rate), label: `Filled up to ${rate} a second` })),
        ]}
        onChange={(value) => set({ interpolateFps: value === '' ? undefined : Number(value) })}
      />
    </InputSection>
  );
}
