'use client';
import { useEffect, useEffectEvent, useState } from 'react';

function pictureOf(transfer: DataTransfer | null): File | undefined {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith('image/'));
}

/**
 * Takes a picture that is dropped anywhere on the page or pasted into it. Returns whether one is being dragged over.
 */
export function usePictureDrop(onPicture: (file: File) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  const take = useEffectEvent(onPicture);
  useEffect(() => {
    // Enter and leave come for every element on the way; the count is 0 when the pointer has left the window.
    let depth = 0;
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
    const listeners = {
      dragenter: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        depth += 1;
        setIsOver(true);
      },
      dragleave: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        depth -= 1;
        if (depth === 0) setIsOver(false);
      },
      dragover: (event: DragEvent) => {
        if (carriesFiles(event)) event.preventDefault();
      },
      drop: (event: DragEvent) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        depth = 0;
        setIsOver(false);
        const file = pictureOf(event.dataTransfer);
        if (file !== undefined) take(file);
      },
      paste: (event: ClipboardEvent) => {
        const file = pictureOf(event.clipboardData);
        if (file === undefined) return;
        event.preventDefault();
        take(file);
      },
    };
    const entries = Object.entries(listeners) as [string, EventListener][];
    for (const [type, listener] of entries) window.addEventListener(type, listener);
    return () => {
      for (const [type, listener] of entries) window.removeEventListener(type, listener);
    };
  }, []);
  return isOver;
}
