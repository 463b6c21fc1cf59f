'use client';
import { Brush, Eraser, Redo2, SquareSplitHorizontal, Trash2, Undo2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Button } from '../../_components/button.tsx';
import { IconButton } from '../../_components/icon-button.tsx';
import { Slider } from '../../_components/slider.tsx';
import { leaveDesk } from '../../_lib/desk.ts';
import { useHotkeys } from '../../_lib/hotkeys.ts';
import { add, brush, redo, resizeBrush, undo, type Sketch } from '../../_lib/sketch/sketch.ts';
import type { SketchTool } from './use-sketch-canvas.ts';
import styles from './desk.module.css';

/** Brush, eraser and its size, with their keys. */
export function useTool(size: number) {
  const [tool, setTool] = useState<SketchTool>({ erase: false, size });
  const setSize = (next: number) => setTool((old) => ({ ...old, size: next }));
  useHotkeys({
    '[': () => setSize(resizeBrush(tool.size, -1)),
    ']': () => setSize(resizeBrush(tool.size, 1)),
    b: () => setTool({ ...tool, erase: false }),
    e: () => setTool({ ...tool, erase: true }),
  });
  return { tool, setTool, setSize };
}

interface DeskBarProps {
  title: string;
  tools: ReturnType<typeof useTool>;
  sketch: Sketch;
  onChange: (sketch: Sketch) => void;
  /** Buttons that only this kind of painting has. */
  children?: ReactNode;
}

export function DeskBar({ title, tools, sketch, onChange, children }: DeskBarProps) {
  const { tool, setTool, setSize } = tools;
  const goBack = () => onChange(undo(sketch));
  const goOn = () => onChange(redo(sketch));
  const invert = () => onChange(add(sketch, { kind: 'invert' }));
  useHotkeys({ 'mod+z': goBack, 'mod+Shift+z': goOn }, { exceptTyping: true });
  useHotkeys({ i: invert });
  return (
    <div className={styles.bar} role="toolbar" aria-label={title}>
      <div className={styles.tools}>
        <span className={styles.pair}>
          <IconButton
            label="Brush"
            shortcut="B"
            aria-pressed={!tool.erase}
            onClick={() => setTool({ ...tool, erase: false })}
          >
            <Brush />
          </IconButton>
          <IconButton
            label="Eraser"
            shortcut="E"
            aria-pressed={tool.erase}
            onClick={() => setTool({ ...tool, erase: true })}
          >
            <Eraser />
          </IconButton>
        </span>
        <span className={styles.size}>
          <Slider
            label="Brush size"
            hideLabel
            min={0}
            max={100}
            value={toTrack(tool.size)}
            valueText={`${tool.size}`}
            onChange={(at) => setSize(fromTrack(at))}
          />
        </span>
        <span className={styles.pair}>
          <IconButton
            label="Undo"
            shortcut="Ctrl+Z"
            disabled={sketch.operations.length === 0}
            onClick={goBack}
          >
            <Undo2 />
          </IconButton>
          <IconButton
            label="Redo"
            shortcut="Ctrl+Shift+Z"
            disabled={sketch.undone.length === 0}
            onClick={goOn}
          >
            <Redo2 />
          </IconButton>
          <IconButton label="Invert" shortcut="I" onClick={invert}>
            <SquareSplitHorizontal />
          </IconButton>
          <IconButton label="Clear" onClick={() => onChange(add(sketch, { kind: 'clear' }))}>
            <Trash2 />
          </IconButton>
        </span>
        {children}
      </div>
      <Button size="s" onClick={leaveDesk}>
        Done
      </Button>
    </div>
  );
}

/** The track is even in what the eye takes for equal steps: 0 is the smallest brush, 100 the largest. */
function toTrack(size: number): number {
  return (Math.log(size / brush.smallest) / Math.log(brush.largest / brush.smallest)) * 100;
}

function fromTrack(at: number): number {
  return Math.round(brush.smallest * (brush.largest / brush.smallest) ** (at / 100));
}
