export interface Mark {
  label: string;
  x: number;
  y: number;
  /** Marks of one kind share a colour and are joined in the order given. */
  kind: string;
}

const colours = ['#3b7dd8', '#d9822b', '#2f9e6e', '#9a5bc4', '#7a7f87'];
const [width, height, left, right, top, bottom] = [760, 420, 62, 24, 20, 64];

/** An SVG scatter chart, readable on light and dark pages. */
export function chart(marks: readonly Mark[], xTitle: string, yTitle: string): string {
  const xs = ticks(marks.map(({ x }) => x));
  const ys = ticks(marks.map(({ y }) => y));
  const px = (x: number) => left + ((x - xs[0]!) / (xs.at(-1)! - xs[0]!)) * (width - left - right);
  const py = (y: number) =>
    height - bottom - ((y - ys[0]!) / (ys.at(-1)! - ys[0]!)) * (height - top - bottom);
  const kinds = [...new Set(marks.map(({ kind }) => kind))];
  const grid = [
    ...xs.map(
      (x) =>
        `<path d="M${px(x)} ${top}V${height - bottom}" class="grid"/><text x="${px(x)}" y="${height - bottom + 16}" text-anchor="middle">${label(x)}</text>`,
    ),
    ...ys.map(
      (y) =>
        `<path d="M${left} ${py(y)}H${width - right}" class="grid"/><text x="${left - 8}" y="${py(y) + 4}" text-anchor="end">${label(y)}</text>`,
    ),
  ];
  const points = kinds.flatMap((kind, i) => {
    const colour = colours[i % colours.length];
    const own = marks.filter((mark) => mark.kind === kind);
    const line = own.map(({ x, y }) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join('L');
    return [
      `<path d="M${line}" fill="none" stroke="${colour}" stroke-opacity="0.5"/>`,
      ...own.map(({ x, y, label: name }, n) => {
        // Labels of neighbours go above and below their marks by turns, and to the left at the right edge.
        const atEdge = px(x) > width - right - 90;
        const [dx, dy] = [atEdge ? -8 : 7, n % 2 === 0 ? -7 : 15];
        const anchor = atEdge ? 'end' : 'start';
        return `<circle cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="4.5" fill="${colour}"/><text x="${(px(x) + dx).toFixed(1)}" y="${(py(y) + dy).toFixed(1)}" text-anchor="${anchor}">${escape(name)}</text>`;
      }),
      `<circle cx="${left + 10 + 140 * i}" cy="${height - 12}" r="4.5" fill="${colour}"/><text x="${left + 20 + 140 * i}" y="${height - 8}">${escape(kind)}</text>`,
    ];
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<style>text{fill:#777}.grid{stroke:#888;stroke-opacity:.25}</style>',
    ...grid,
    ...points,
    `<text x="${(left + width - right) / 2}" y="${height - bottom + 34}" text-anchor="middle">${escape(xTitle)}</text>`,
    `<text transform="translate(16 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(yTitle)}</text>`,
    '</svg>',
  ].join('\n')}\n`;
}

/** Round numbers from below the least value to above the greatest. */
function ticks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const rough = (high - low || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  return Array.from({ length: Math.ceil(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function label(value: number): string {
  return String(Number(value.toFixed(3)));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
