'use client';
import { inputLimits, type Motion } from '../../../lib/contracts/task-inputs.ts';
import { NumberField, SelectField } from '../../_components/fields.tsx';
import { Slider } from '../../_components/slider.tsx';
import { paths, wayOf, type PathName } from '../../_lib/motion.ts';
import { MotionPad } from './motion-pad.tsx';
import { PathPad } from './path-pad.tsx';
import styles from './inputs.module.css';

const wayNames = {
  straight: 'In a straight line',
  circle: 'In a circle',
  back: 'There and back',
  drawn: 'As drawn',
} as const;

interface MotionFieldsProps {
  motion: Motion;
  onChange: (motion: Motion) => void;
}

/** How the view moves over what was drawn first. */
export function MotionFields({ motion, onChange }: MotionFieldsProps) {
  const { x, y, zoom = 1, path } = motion;
  const way = wayOf(motion);
  const set = (change: Partial<Motion>) => onChange({ ...motion, ...change });
  const offered = (Object.keys(wayNames) as (keyof typeof wayNames)[]).filter(
    (each) => each !== 'drawn' || way === 'drawn',
  );
  return (
    <>
      <SelectField
        label="The view moves"
        value={way}
        options={offered.map((value) => ({ value, label: wayNames[value] }))}
        onChange={(value) =>
          set({
            path: value in paths ? [...paths[value as PathName]] : value === 'drawn' ? path : undefined,
          })
        }
      />
      {path === undefined ? (
        <div className={styles.motion}>
          <MotionPad x={x} y={y} onChange={set} />
          <div className={styles.stack}>
            <NumberField
              label="To the right"
              value={x}
              min={-inputLimits.maxMotion}
              max={inputLimits.maxMotion}
              onChange={(next) => set({ x: next ?? 0 })}
            />
            <NumberField
              label="Downwards"
              value={y}
              min={-inputLimits.maxMotion}
              max={inputLimits.maxMotion}
              onChange={(next) => set({ y: next ?? 0 })}
            />
          </div>
        </div>
      ) : (
        <div className={styles.motion}>
          <PathPad path={path} onChange={(next) => set({ path: next })} />
          <p className={styles.note}>Draw another path beside.</p>
        </div>
      )}
      <Slider
        label="Zoom"
        min={0.9}
        max={1.1}
        step={0.01}
        value={zoom}
        valueText={zoom === 1 ? 'None' : `× ${zoom.toFixed(2)} each frame`}
        onChange={(next) => set({ zoom: next === 1 ? undefined : next })}
      />
    </>
  );
}
