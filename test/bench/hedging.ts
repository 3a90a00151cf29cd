// npm run bench -- hedging [--paths N] [--seed N] [--optimum] [--json]
//   What hedging a written call costs at equal hedge error, by rule; docs/hedging.md has the conventions.
// The rivals are read on their lower envelopes over fine grids, on the very paths they are tuned on. Ours
// is the `discrete` rule; nothing of it is fitted to paths, its one knob (γ) runs over a grid like theirs.
// --optimum adds the numerical optimum of the model (hedgingOptimum.ts), half a minute.
// Standard errors are paired: blocks of paths are resampled for all rules at once.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { drawPaths, normals, type RiskGreeks, SETTING } from './hedgingPaths.ts';
import { type Family, type Outcome, runRule } from './hedgingRules.ts';

const PATHS = 8000;
export const SEED = 20_261_121;
const BLOCKS = 200;
const RESAMPLES = 400;
/** Hedge-error standard deviations compared at, share of the premium. */
const LEVELS = [0.05, 0.055, 0.06, 0.07, 0.08, 0.09, 0.1];

const geometric = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => from * (to / from) ** (k / (count - 1)));

export const GRIDS: Readonly<Record<Family, readonly number[]>> = {
  time: [1, 2, 3, 4, 5, 6, 7],
  fixed: [0.0005, ...geometric(0.001, 0.06, 30)],
  whalleyWilmott: geometric(0.006, 3, 14),
  zakamouline: geometric(0.002, 0.3, 12),
  discrete: geometric(0.003, 0.5, 14),
  optimum: [],
};
const OPTIMUM = geometric(0.003, 0.1, 6);

/** Which costs count, and which error. */
export interface Convention {
  /** `all`: every trade. `between`: without the first purchase and the final sale. */
  readonly cost: 'all' | 'between';
  /** `net`: of the result after costs. `gross`: before costs. */
  readonly error: 'net' | 'gross';
}

const CONVENTIONS: readonly Convention[] = [
  { cost: 'all', error: 'net' },
  { cost: 'between', error: 'net' },
  { cost: 'all', error: 'gross' },
  { cost: 'between', error: 'gross' },
];

/** What is summed of every path, in this order. */
const [COST, ENDS, NET, NET_SQUARED, GROSS, GROSS_SQUARED, SUMS] = [0, 1, 2, 3, 4, 5, 6];
/** SUMS numbers: of all paths, or of the paths of one draw. */
type Totals = Float64Array;
/** Of one rule: all paths first, then one per resample. */
type Sampled = readonly Totals[];

export interface Row {
  readonly family: Family;
  readonly parameter: number;
  readonly meanNet: number;
  readonly stdNet: number;
  readonly stdGross: number;
  readonly meanCost: number;
  readonly meanEnds: number;
  readonly trades: number;
}

export interface Ratio {
  readonly ratio: number;
  readonly standardError: number;
}

export interface Comparison extends Convention {
  /** Standard deviation of the error over the premium. */
  readonly level: number;
  /** Mean cost on each envelope; null: not reached. */
  readonly costs: Readonly<Record<Family, number | null>>;
  /** Ours over theirs; null: one of the two does not reach the level. */
  readonly ratios: Readonly<Record<Exclude<Family, 'discrete'>, Ratio | null>>;
}

export interface HedgingReport {
  readonly paths: number;
  readonly seed: number;
  readonly premium: number;
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
}

export function benchHedging(
  kernel: RiskGreeks,
  { paths: count = PATHS, seed = SEED, grids = GRIDS, log = (_: string) => {} } = {},
): HedgingReport {
  const paths = drawPaths(kernel, count, seed);
  const draws = [new Float64Array(BLOCKS).fill(1), ...resampling(seed + 1)];
  const rows: Row[] = [];
  const sampled = new Map<Family, readonly Sampled[]>();
  for (const family of Object.keys(grids) as Family[]) {
    const ofFamily = grids[family].map((parameter) => {
      const outcome = runRule(kernel, paths, family, parameter);
      const sums = sample(outcome, draws);
      rows.push(rowOf(family, parameter, outcome.trades, sums[0] as Totals, count));
      return sums;
    });
    sampled.set(family, ofFamily);
    log(`${family}: ${ofFamily.length} parameters over ${count} paths`);
  }
  const comparisons = CONVENTIONS.flatMap((convention) =>
    LEVELS.map((level) => compare(sampled, convention, level, paths.premium, count)),
  );
  return { paths: count, seed, premium: paths.premium, rows, comparisons };
}

/** Sums over blocks of paths, then over blocks as often as each is drawn. */
function sample({ net, cost, ends }: Outcome, draws: readonly Float64Array[]): Sampled {
  const blocks = Array.from({ length: BLOCKS }, () => new Float64Array(SUMS));
  for (let path = 0; path < net.length; path++) {
    const block = blocks[path % BLOCKS] as Float64Array;
    const [after, paid] = [net[path] ?? 0, cost[path] ?? 0];
    const values = [paid, ends[path] ?? 0, after, after ** 2, after + paid, (after + paid) ** 2];
    for (let k = 0; k < SUMS; k++) block[k] = (block[k] ?? 0) + (values[k] ?? 0);
  }
  return draws.map((weights) => {
    const sums = new Float64Array(SUMS);
    blocks.forEach((block, at) => {
      for (let k = 0; k < SUMS; k++)
        sums[k] = (sums[k] ?? 0) + (weights[at] ?? 0) * (block[k] ?? 0);
    });
    return sums;
  });
}

function deviation(sum: number, squares: number, count: number): number {
  return Math.sqrt((squares - sum ** 2 / count) / (count - 1));
}

/** Mean cost and standard deviation of the error under a convention. */
function point(
  of: Totals,
  { cost, error }: Convention,
  count: number,
): { readonly cost: number; readonly error: number } {
  const sum = (k: number): number => of[k] ?? 0;
  return {
    cost: (sum(COST) - (cost === 'all' ? 0 : sum(ENDS))) / count,
    error:
      error === 'net'
        ? deviation(sum(NET), sum(NET_SQUARED), count)
        : deviation(sum(GROSS), sum(GROSS_SQUARED), count),
  };
}

function rowOf(family: Family, parameter: number, trades: number, of: Totals, count: number): Row {
  const net = point(of, { cost: 'all', error: 'net' }, count);
  return {
    family,
    parameter,
    meanNet: (of[NET] ?? 0) / count,
    stdNet: net.error,
    stdGross: point(of, { cost: 'all', error: 'gross' }, count).error,
    meanCost: net.cost,
    meanEnds: (of[ENDS] ?? 0) / count,
    trades,
  };
}

/** Cost on the lower envelope of points at an error: log-log between neighbours; null: not reached. */
export function onEnvelope(
  points: readonly { readonly cost: number; readonly error: number }[],
  error: number,
): number | null {
  const kept: { readonly cost: number; readonly error: number }[] = [];
  for (const next of points.toSorted((a, b) => a.error - b.error || a.cost - b.cost)) {
    if (kept.every((other) => next.cost < other.cost)) kept.push(next);
  }
  const after = kept.findIndex((candidate) => candidate.error >= error);
  const [a, b] = [kept[after - 1], kept[after]];
  if (b?.error === error) return b.cost;
  if (a === undefined || b === undefined) return null;
  const share = Math.log(error / a.error) / Math.log(b.error / a.error);
  return a.cost * (b.cost / a.cost) ** share;
}

/** How often each block is drawn, for every resample. */
function resampling(seed: number): readonly Float64Array[] {
  const normal = normals(seed);
  // A normal's angle is uniform: atan2 of two of them.
  const uniform = (): number => (Math.atan2(normal(), normal()) / Math.PI + 1) / 2;
  return Array.from({ length: RESAMPLES }, () => {
    const weights = new Float64Array(BLOCKS);
    for (let k = 0; k < BLOCKS; k++) {
      const block = Math.min(BLOCKS - 1, Math.floor(uniform() * BLOCKS));
      weights[block] = (weights[block] ?? 0) + 1;
    }
    return weights;
  });
}

function compare(
  sampled: ReadonlyMap<Family, readonly Sampled[]>,
  convention: Convention,
  level: number,
  premium: number,
  count: number,
): Comparison {
  const costs = (family: Family): readonly (number | null)[] =>
    Array.from({ length: RESAMPLES + 1 }, (_, draw) =>
      onEnvelope(
        (sampled.get(family) ?? []).map((rule) => point(rule[draw] as Totals, convention, count)),
        level * premium,
      ),
    );
  const ours = costs('discrete');
  const costOf = (family: Family): number | null => costs(family)[0] ?? null;
  const ratioTo = (family: Family): Ratio | null => {
    const [whole, ...drawn] = costs(family).map((theirs, draw) => {
      const mine = ours[draw] ?? null;
      return mine === null || theirs === null ? null : mine / theirs;
    });
    const known = drawn.filter((ratio) => ratio !== null);
    // An error known on some resamples only is not known.
    if (whole === undefined || whole === null || known.length < 0.95 * RESAMPLES) return null;
    const sum = known.reduce((all, value) => all + value, 0);
    const squares = known.reduce((all, value) => all + value ** 2, 0);
    return { ratio: whole, standardError: deviation(sum, squares, known.length) };
  };
  return {
    ...convention,
    level,
    costs: {
      time: costOf('time'),
      fixed: costOf('fixed'),
      whalleyWilmott: costOf('whalleyWilmott'),
      zakamouline: costOf('zakamouline'),
      discrete: costOf('discrete'),
      optimum: costOf('optimum'),
    },
    ratios: {
      time: ratioTo('time'),
      fixed: ratioTo('fixed'),
      whalleyWilmott: ratioTo('whalleyWilmott'),
      zakamouline: ratioTo('zakamouline'),
      optimum: ratioTo('optimum'),
    },
  };
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      paths: { type: 'string', default: String(PATHS) },
      seed: { type: 'string', default: String(SEED) },
      optimum: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [paths, seed] = [Number(values.paths), Number(values.seed)];
  if (!(Number.isInteger(paths) && paths >= 2 * BLOCKS && Number.isInteger(seed))) {
    console.error(
      `usage: npm run bench -- hedging [--paths N ≥ ${2 * BLOCKS}] [--seed N] [--json]`,
    );
    return 2;
  }
  const kernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));
  const log = (line: string): void => console.error(`done: ${line}`);
  const report = benchHedging(kernel, {
    paths,
    seed,
    grids: values.optimum ? { ...GRIDS, optimum: OPTIMUM } : GRIDS,
    log,
  });
  console.log(values.json ? JSON.stringify(report) : asText(report));
  return 0;
}

const TITLES: Readonly<Record<Convention['cost'] | Convention['error'], string>> = {
  all: 'all costs',
  between: 'costs without the first purchase and the final sale',
  net: 'after costs',
  gross: 'before costs',
};

function asText({ paths, seed, premium, comparisons }: HedgingReport): string {
  const number = (value: number | null): string => (value === null ? '—' : value.toFixed(3));
  const ratio = (of: Ratio | null): string =>
    of === null ? '—' : `${of.ratio.toFixed(4)} ± ${of.standardError.toFixed(4)}`;
  const head =
    '| std, % of premium | time | fixed | WW | Zakamouline | discrete | ÷ fixed | ÷ time | ÷ WW | ÷ Zakamouline | ÷ optimum |';
  const tables = CONVENTIONS.map(({ cost, error }) => {
    const lines = comparisons
      .filter((one) => one.cost === cost && one.error === error)
      .map(({ level, costs, ratios }) => {
        const cells = [
          (level * 100).toFixed(1),
          number(costs.time),
          number(costs.fixed),
          number(costs.whalleyWilmott),
          number(costs.zakamouline),
          number(costs.discrete),
          ratio(ratios.fixed),
          ratio(ratios.time),
          ratio(ratios.whalleyWilmott),
          ratio(ratios.zakamouline),
          ratio(ratios.optimum),
        ];
        return `| ${cells.join(' | ')} |`;
      });
    const rule = `|${head.slice(1).replace(/[^|]+/g, '---')}`;
    return `${TITLES[cost]}; std of the result ${TITLES[error]}\n\n${[head, rule, ...lines].join('\n')}`;
  });
  const setting = `${paths} paths, seed ${seed}, ${SETTING.steps} steps, premium ${premium.toFixed(3)}`;
  return `${setting}; mean cost per call written; — not reached\n\n${tables.join('\n\n')}`;
}
