// Time over problem size as an SVG, log-log, one line per engine on smooth venues.

import type { Row } from './optimizer.ts';
import { duration } from './report.ts';

const [WIDTH, HEIGHT] = [720, 440];
const BOX = { left: 70, right: 150, top: 40, bottom: 50 };
const COLORS = ['#0b6e4f', '#59c3a5', '#8a6fb0', '#d1495b', '#edae49', '#30638e'];

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** Deterministic in its input; engines in the order of the rows. */
export function plot(rows: readonly Row[]): string {
  const lines = linesOf(rows.filter(({ kind }) => kind === 'smooth'));
  const all = lines.flatMap(({ points }) => points);
  const [x0, x1] = decades(all.map(([x]) => x));
  const [y0, y1] = decades(all.map(([, y]) => y));
  const x = (value: number) =>
    BOX.left + ((Math.log10(value) - x0) / (x1 - x0)) * (WIDTH - BOX.left - BOX.right);
  const y = (value: number) =>
    HEIGHT - BOX.bottom - ((Math.log10(value) - y0) / (y1 - y0)) * (HEIGHT - BOX.top - BOX.bottom);
  const parts: string[] = [];
  for (let d = y0; d <= y1; d++) {
    const at = y(10 ** d).toFixed(1);
    parts.push(
      `<line x1="${BOX.left}" y1="${at}" x2="${WIDTH - BOX.right}" y2="${at}" stroke="#ddd"/>`,
    );
    parts.push(label(BOX.left - 8, y(10 ** d) + 4, axisTime(d), 'end'));
  }
  for (let d = x0; d <= x1; d++) {
    const at = x(10 ** d).toFixed(1);
    parts.push(
      `<line x1="${at}" y1="${BOX.top}" x2="${at}" y2="${HEIGHT - BOX.bottom}" stroke="#eee"/>`,
    );
    parts.push(
      label(x(10 ** d), HEIGHT - BOX.bottom + 18, (10 ** d).toLocaleString('en-US'), 'middle'),
    );
  }
  parts.push(label((BOX.left + WIDTH - BOX.right) / 2, HEIGHT - 12, 'venues', 'middle'));
  parts.push(label(BOX.left, 24, 'time per quote, median (smooth venues)', 'start'));
  const ends = spreadLabels(
    lines.map(({ points }) => [points.at(-1)?.[0] ?? 1, y(points.at(-1)?.[1] ?? 1)] as const),
  );
  lines.forEach(({ name, points }, k) => {
    const color = COLORS[k % COLORS.length] ?? '#000';
    const path = points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`);
    for (const [a, b] of points) {
      parts.push(
        `<circle cx="${x(a).toFixed(1)}" cy="${y(b).toFixed(1)}" r="3.5" fill="${color}">` +
          `<title>${name}: ${duration(b)}</title></circle>`,
      );
    }
    const last = points.at(-1);
    if (last !== undefined)
      parts.push(label(x(last[0]) + 8, (ends[k] ?? 0) + 4, name, 'start', color));
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function linesOf(rows: readonly Row[]): readonly Line[] {
  const engines = [...new Set(rows.map(({ engine }) => engine))];
  const line = (engine: string, phase: string, name: string): Line => ({
    name,
    points: rows
      .filter((row) => row.engine === engine && Number.isFinite(row.times[phase]?.p50))
      .map((row) => [Number(row.size.split('/')[0]), row.times[phase]?.p50 ?? 1] as const)
      .toSorted(([a], [b]) => a - b),
  });
  return engines
    .flatMap((engine) =>
      engine === 'trimtab'
        ? [line(engine, 'cold', 'trimtab, cold'), line(engine, 'warm', 'trimtab, warm')]
        : [line(engine, 'cold', engine)],
    )
    .filter(({ points }) => points.length > 0);
}

/** Whole decades around the values; at least one. */
function decades(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

/** Heights of labels at the ends of lines: moved down where two of one column would overlap. */
function spreadLabels(wanted: readonly (readonly [number, number])[]): readonly number[] {
  const order = wanted.map(([x, y], k) => ({ x, y, k })).toSorted((a, b) => a.y - b.y);
  const previous = new Map<number, number>();
  const placed: number[] = [];
  for (const { x, y, k } of order) {
    const at = Math.max(y, (previous.get(x) ?? Number.NEGATIVE_INFINITY) + 15);
    previous.set(x, at);
    placed[k] = at;
  }
  return placed;
}

const axisTime = (d: number) =>
  d >= 9
    ? `${10 ** (d - 9)} s`
    : d >= 6
      ? `${10 ** (d - 6)} ms`
      : d >= 3
        ? `${10 ** (d - 3)} µs`
        : `${10 ** d} ns`;

const label = (x: number, y: number, text: string, anchor: string, color = '#333') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${color}">${text}</text>`;
