import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDay,
  formatDuration,
  formatEta,
  formatPercent,
  formatSeconds,
  formatWhen,
} from '../../app/_lib/format.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0 ms'],
    [0.0344, '34 ms'],
    [0.0996, '0.1 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1 min'],
    [83, '1 min 23 s'],
    [3600 + 120, '1 h 2 min'],
  ])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it.each([
    [0.3, 'a moment left'],
    [12.4, 'about 12 s left'],
    [33, 'about 35 s left'],
    [100, 'about 2 min left'],
  ])('an estimate of %d s reads "%s"', (seconds, text) => expect(formatEta(seconds)).toBe(text));

  it.each([
    [2, '0:02'],
    [1.6, '0:01.6'],
    [9.96, '0:10'],
    [12.6, '0:12'],
    [75, '1:15'],
  ])('a video of %d s lasts %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [999, '999 B'],
    [1000, '1.0 kB'],
    [20_135_414, '20 MB'],
    [999_600, '1.0 MB'],
    [4.2e9, '4.2 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('never shows more than is done', () => {
    expect(formatPercent(0.999)).toBe('99 %');
    expect(formatPercent(1.2)).toBe('100 %');
    expect(formatPercent(-1)).toBe('0 %');
  });

  it('names the last two days', () => {
    const now = new Date(2026, 10, 24, 0, 30);
    expect(formatDay(new Date(2026, 10, 24, 0, 1), now)).toBe('Today');
    expect(formatDay(new Date(2026, 10, 23, 23, 59), now)).toBe('Yesterday');
    expect(formatDay(new Date(2026, 9, 2), now)).toBe('October 2, 2026');
    expect(formatWhen(new Date(2026, 10, 24, 0, 1).toISOString(), now)).toBe('Today, 00:01');
  });
});
