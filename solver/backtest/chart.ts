// The chart of a backtest as one SVG, written here: what each rule costs at equal tracking error, with
// intervals, and the policy's weights over time. Colours follow the reader's light or dark scheme;
// every curve differs by dash and marker too, and a title and description say in words what it shows.
// Escapes whatever names it is given. Does no I/O.

import type { Backtest } from './backtest.ts';
import type { FamilyName } from './frontier.ts';

const WIDTH = 760;
const FRONTIER = { left: 70, right: 560, top: 56, bottom: 380 } as const;
const WEIGHTS = { left: 70, right: 560, top: 450, bottom: 620 } as const;
const HEIGHT = 660;

const CURVES: readonly {
  readonly family: FamilyName;
  readonly name: string;
  readonly dash: string;
}[] = [
  { family: 'calendar', name: 'calendar', dash: '2 4' },
  { family: 'toTarget', name: 'threshold to target', dash: '7 4' },
  { family: 'toHalf', name: 'threshold half-way', dash: '10 3 2 3' },
  { family: 'toEdge', name: 'threshold to edge', dash: '4 3' },
  { family: 'reference', name: 'pairs under the prior', dash: '1 2' },
  { family: 'rule', name: 'our rule', dash: '' },
];

const STYLE = `
svg{--ink:#1b1f24;--soft:#5b6570;--grid:#d8dde2;--paper:#fff;
--c0:#8a6d00;--c1:#b3261e;--c2:#7b3fa0;--c3:#00695c;--c4:#5b6570;--c5:#0b57d0}
@media (prefers-color-scheme:dark){svg{--ink:#e8eaed;--soft:#a8b0b8;--grid:#3a4149;--paper:#14171a;
--c0:#e0b93a;--c1:#ff8a80;--c2:#d3a4ff;--c3:#6fd6c4;--c4:#a8b0b8;--c5:#8ab4f8}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}.soft{fill:var(--soft)}
.head{font-weight:600;font-size:14px}.grid{stroke:var(--grid);fill:none}.curve{fill:none;stroke-width:1.8}
.bar{stroke-width:1;opacity:.6}`;

export function chartSvg(result: Backtest): string {
  const parts = [...frontierPanel(result), ...weightsPanel(result)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" ` +
      'aria-labelledby="chart-title chart-desc">',
    `<title id="chart-title">Backtest of ${escaped(result.assets.join(', '))}</title>`,
    `<desc id="chart-desc">${escaped(described(result))}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="var(--paper)"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** The same on a page of its own. */
export function chartHtml(result: Backtest): string {
  const title = escaped(`Backtest of ${result.assets.join(', ')}`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${title}</title>`,
    '<style>body{margin:2rem auto;max-width:60rem}svg{width:100%;height:auto}</style>',
    chartSvg(result),
    '</html>',
    '',
  ].join('\n');
}

function described({ frontier, policy, years }: Backtest): string {
  const rows = frontier.map(({ te, families }) => {
    const said = CURVES.map(({ family, name }) => {
      const figure = families[family];
      return `${name} ${figure === null ? 'not reached' : bps(figure.value)}`;
    });
    return `At tracking error ${percent(te)}: ${said.join(', ')} bps a year.`;
  });
  return (
    `${years.toFixed(2)} years. The policy cost ${bps(policy.cost)} bps a year at tracking error ` +
    `${percent(policy.te)} in ${policy.trades} trades. ${rows.join(' ')}`
  );
}

function frontierPanel(result: Backtest): readonly string[] {
  const box = FRONTIER;
  const errors = result.frontier.map(({ te }) => te);
  const [least, most] = [Math.min(...errors) / 1.5, Math.max(...errors) * 1.5];
  const curves = CURVES.map((curve, k) => ({
    ...curve,
    k,
    points: envelope(result, curve.family),
  }));
  const seen = curves.flatMap(({ points }) =>
    points.filter(([te]) => te >= least && te <= most).map(([, cost]) => cost),
  );
  const costs = [...seen, result.policy.cost].filter((cost) => cost > 0);
  if (costs.length === 0) return [text(box.left, box.top, 'nothing was paid', 'soft')];
  const [low, high] = [Math.min(...costs) / 1.3, Math.max(...costs) * 1.3];
  const x = (te: number) => place(te, least, most, box.left, box.right);
  const y = (cost: number) => place(cost, low, high, box.bottom, box.top);
  const lines = [
    text(box.left, 24, 'Cost at equal tracking error', 'head'),
    text(box.left, 42, 'bps a year, log-log; bars are 95 % bootstrap intervals', 'soft'),
    '<clipPath id="panel">' +
      `<rect x="${box.left}" y="${box.top}" width="${box.right - box.left}" ` +
      `height="${box.bottom - box.top}"/></clipPath>`,
  ];
  for (const te of ticks(least, most)) {
    lines.push(`<path class="grid" d="M${f(x(te))} ${box.top}V${box.bottom}"/>`);
    lines.push(text(x(te), box.bottom + 18, percent(te), 'soft', 'middle'));
  }
  for (const cost of ticks(low, high)) {
    lines.push(`<path class="grid" d="M${box.left} ${f(y(cost))}H${box.right}"/>`);
    lines.push(text(box.left - 8, y(cost) + 4, bps(cost), 'soft', 'end'));
  }
  lines.push('<g clip-path="url(#panel)">');
  for (const { k, dash, points, family } of curves) {
    const path = points.map(([te, cost], i) => `${i === 0 ? 'M' : 'L'}${f(x(te))} ${f(y(cost))}`);
    if (path.length > 1) {
      lines.push(
        `<path class="curve" d="${path.join('')}" stroke="var(--c${k})" stroke-dasharray="${dash}"/>`,
      );
    }
    for (const { te, families } of result.frontier) {
      const interval = families[family]?.interval;
      if (interval === null || interval === undefined) continue;
      // Side by side, or the bars of one error hide each other.
      const at = x(te) + (k - (CURVES.length - 1) / 2) * 5;
      const ends = `M${f(at)} ${f(y(Math.max(interval.low, low)))}V${f(y(interval.high))}`;
      lines.push(`<path class="bar" d="${ends}" stroke="var(--c${k})"/>`);
    }
  }
  lines.push('</g>');
  const { te, cost } = result.policy;
  if (te >= least && te <= most && cost > 0) {
    lines.push(
      `<circle cx="${f(x(te))}" cy="${f(y(cost))}" r="5" fill="none" stroke="var(--ink)" stroke-width="2"/>`,
    );
  }
  for (const { k, name, dash } of curves) {
    const at = box.top + 14 + 22 * k;
    lines.push(
      `<path class="curve" d="M580 ${at - 4}h34" stroke="var(--c${k})" stroke-dasharray="${dash}"/>`,
      text(622, at, name, ''),
    );
  }
  const at = box.top + 14 + 22 * CURVES.length;
  lines.push(
    `<circle cx="597" cy="${at - 4}" r="5" fill="none" stroke="var(--ink)" stroke-width="2"/>`,
    text(622, at, 'the policy', ''),
  );
  return lines;
}

/** The points nothing beats, by rising error. */
function envelope(result: Backtest, family: FamilyName): readonly (readonly [number, number])[] {
  const runs = result.sweeps.find((one) => one.family === family)?.runs ?? [];
  const points = runs
    .filter(({ te, cost }) => te > 0 && cost > 0)
    .map(({ te, cost }) => [te, cost] as const)
    .toSorted((a, b) => a[0] - b[0]);
  let least = Infinity;
  return points.filter(([, cost]) => {
    if (cost >= least) return false;
    least = cost;
    return true;
  });
}

/** Shares stacked from the first asset up. */
function weightsPanel({ assets, policy }: Backtest): readonly string[] {
  const box = WEIGHTS;
  const { times, weights } = policy.trace;
  const [n, points] = [assets.length, times.length];
  const lines = [text(box.left, box.top - 14, 'Weights the policy held', 'head')];
  if (points < 2) return lines;
  const x = (k: number) => box.left + ((box.right - box.left) * k) / (points - 1);
  const y = (share: number) => box.bottom - (box.bottom - box.top) * share;
  let below = new Float64Array(points);
  for (let i = 0; i < n; i++) {
    const above = below.map((sum, k) => sum + (weights[k * n + i] as number));
    const top = Array.from(above, (share, k) => `${f(x(k))} ${f(y(share))}`);
    const bottom = Array.from(below, (share, k) => `${f(x(k))} ${f(y(share))}`).toReversed();
    const opacity = (0.25 + (0.6 * (n - i)) / n).toFixed(2);
    lines.push(
      `<path d="M${top.join('L')}L${bottom.join('L')}Z" fill="var(--c${(5 + n - i * 5) % 6})" ` +
        `fill-opacity="${opacity}" stroke="var(--paper)" stroke-width=".6"/>`,
    );
    const [end = 0, start = 0] = [above[points - 1], below[points - 1]];
    if (end - start > 0.04) {
      lines.push(text(box.right + 20, (y(end) + y(start)) / 2 + 4, assets[i] ?? '', ''));
    }
    below = above;
  }
  for (const share of [0, 0.5, 1]) {
    lines.push(text(box.left - 8, y(share) + 4, `${share * 100} %`, 'soft', 'end'));
  }
  const day = (k: number) => new Date((times[k] ?? 0) * 1000).toISOString().slice(0, 10);
  lines.push(
    text(box.left, box.bottom + 18, day(0), 'soft'),
    text(box.right, box.bottom + 18, day(points - 1), 'soft', 'end'),
  );
  return lines;
}

const place = (value: number, from: number, to: number, start: number, end: number) =>
  start + ((end - start) * Math.log(value / from)) / Math.log(to / from);

/** 1, 2 and 5 times powers of ten between the two. */
function ticks(low: number, high: number): readonly number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const lead of [1, 2, 5]) {
      const value = lead * 10 ** power;
      if (value >= low && value <= high) found.push(value);
    }
  }
  return found;
}

const f = (value: number) => value.toFixed(1);
const bps = (fraction: number) => `${Number((fraction * 1e4).toPrecision(3))}`;
const percent = (fraction: number) => `${Number((fraction * 100).toPrecision(3))} %`;
const escaped = (words: string) =>
  words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
const text = (x: number, y: number, words: string, kind: string, anchor = 'start') =>
  `<text x="${f(x)}" y="${f(y)}" class="${kind}" text-anchor="${anchor}">${escaped(words)}</text>`;
