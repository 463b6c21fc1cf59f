'use client';
import { useLayoutEffect, useState, type RefObject } from 'react';

/** Width of an element and its distance from the top of the page, in CSS pixels; 0 until it is laid out. */
export function useExtent(element: RefObject<HTMLElement | null>): { width: number; top: number } {
  const [extent, setExtent] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const measure = () => {
      const [width, top] = [current.clientWidth, current.offsetTop];
      setExtent((before) => (before.width === width && before.top === top ? before : { width, top }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    // What stands above it may become taller without it becoming narrower.
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [element]);
  return extent;
}
