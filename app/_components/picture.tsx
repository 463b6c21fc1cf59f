import type { CSSProperties } from 'react';
import styles from './picture.module.css';

interface PictureProps {
  src: string;
  alt: string;
  /** Pixels of the file; the box keeps this shape whatever is in it. */
  width: number;
  height: number;
  /** A rough state of the picture: softened, so that nobody takes it for the result. */
  preview?: boolean;
  className?: string;
}

/**
 * A picture as large as its box allows, in steps of a quarter of its own size, so that small originals are enlarged by
 * factors that look clean.
 */
export function Picture({ src, alt, width, height, preview = false, className }: PictureProps) {
  const size = { '--w': width, '--h': height } as CSSProperties;
  return (
    <img
      src={src}
      alt={alt}
      width={width}
      height={height}
      draggable={!preview}
      style={size}
      className={`${styles.picture} ${preview ? styles.preview : ''} ${className ?? ''}`}
    />
  );
}
