// What each family of rules costs at equal tracking error: its parameter is swept over a fixed grid,
// points that another beats in both cost and error are dropped, and the rest is read log-log between
// neighbours (backtest_frontier.json). The grids are the reference's own, carried on beyond their ends
// where a wanted error lies outside. Answers null where no parameter reaches it.

import type { Replay, ReplayCosts, ReplayFamily, ReplayRun } from '../types/replay.ts';

export const FAMILIES = ['calendar', 'toTarget', 'toHalf', 'toEdge', 'reference', 'rule'] as const;
export type FamilyName = (typeof FAMILIES)[number];

const KIND: Readonly<Record<FamilyName, ReplayFamily>> = {
  calendar: { kind: 'calendar' },
  toTarget: { kind: 'threshold', landing: 0 },
  toHalf: { kind: 'threshold', landing: 0.5 },
  toEdge: { kind: 'threshold', landing: 1 },
  reference: { kind: 'reference' },
  rule: { kind: 'rule' },
};

/** Steps between calendar trades; the reference's list lies within. */
const CALENDAR: readonly number[] = [
  1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 168, 240, 336, 504, 600, 720, 1080, 1440, 2160,
  2880, 4320, 8640,
];

interface Grid {
  readonly from: number;
  readonly to: number;
  readonly points: number;
  /** Where it may be carried on to. */
  readonly least: number;
  readonly most: number;
  /** Whether the tracking error rises with the parameter. */
  readonly rises: boolean;
}
const WIDTHS: Grid = { from: 0.003, to: 0.3, points: 60, least: 1e-5, most: 0.95, rises: true };
const KAPPA: Grid = { from: 0.3, to: 3000, points: 40, least: 1e-4, most: 1e8, rises: false };
/** As fine as the rivals' three grids of widths are between them. */
const KAPPA_FINE: Grid = { ...KAPPA, points: 79 };
const GRID: Readonly<Record<Exclude<FamilyName, 'calendar'>, Grid>> = {
  toTarget: WIDTHS,
  toHalf: WIDTHS,
  toEdge: WIDTHS,
  reference: KAPPA,
  rule: KAPPA_FINE,
};
/** Points a grid may be carried on by, at each end. */
const FURTHER_MAX = 120;

/** How much further than the wanted errors a sweep goes. */
const REDRAWN = 1.8;

export interface Sweep {
  readonly family: FamilyName;
  readonly runs: readonly ReplayRun[];
}

/** Runs the family over its grid, carried on until the errors are bracketed. */
export function sweep(
  replay: Replay,
  family: FamilyName,
  costs: ReplayCosts,
  errors: readonly number[],
): Sweep {
  const run = (parameter: number) => replay.run(KIND[family], parameter, costs);
  if (family === 'calendar') {
    const runs: ReplayRun[] = [];
    for (const steps of CALENDAR) {
      const one = run(steps);
      if (one.trades > 0) runs.push(one);
    }
    return { family, runs };
  }
  const grid = GRID[family];
  const ratio = (grid.to / grid.from) ** (1 / (grid.points - 1));
  const runs = Array.from({ length: grid.points }, (_, k) => run(grid.from * ratio ** k));
  // Redrawn histories are calmer or wilder than this one: their envelopes must reach as well.
  const [least, most] = [Math.min(...errors) / REDRAWN, Math.max(...errors) * REDRAWN];
  const needs = (edge: ReplayRun | undefined, low: boolean) =>
    edge !== undefined && (low ? edge.te > least : edge.te < most && edge.cost > 0);
  for (let k = 1; k <= FURTHER_MAX && needs(runs[0], grid.rises); k++) {
    const parameter = grid.from * ratio ** -k;
    if (parameter < grid.least) break;
    runs.unshift(run(parameter));
  }
  for (let k = 0; k < FURTHER_MAX && needs(runs.at(-1), !grid.rises); k++) {
    const parameter = grid.to * ratio ** (k + 1);
    if (parameter > grid.most) break;
    runs.push(run(parameter));
  }
  return { family, runs };
}

/** Points by tracking error and cost, of which `order` is sorted by error: read at `te`. */
export interface Reading {
  readonly cost: number;
  /** The neighbours read between, by index, and how far from the first to the second. */
  readonly left: number;
  readonly right: number;
  readonly share: number;
}

/** The lower envelope at `te`; null where it does not reach. */
export function readEnvelope(
  te: number,
  errors: Float64Array,
  costs: Float64Array,
): Reading | null {
  // The neighbours on the envelope: left, the cheapest point with error ≤ te (ties: largest error);
  // right, the point of least error among those beyond te that are cheaper than it.
  let left = -1;
  for (let k = 0; k < errors.length; k++) {
    const [error, cost] = [errors[k] as number, costs[k] as number];
    if (!(error > 0) || !(cost > 0) || error > te) continue;
    if (left < 0 || cost < (costs[left] as number)) left = k;
  }
  if (left < 0) return null;
  const floor = costs[left] as number;
  if (errors[left] === te) return { cost: floor, left, right: left, share: 0 };
  let right = -1;
  for (let k = 0; k < errors.length; k++) {
    const [error, cost] = [errors[k] as number, costs[k] as number];
    if (!(error > te) || !(cost > 0) || cost >= floor) continue;
    const best = right < 0 ? Infinity : (errors[right] as number);
    if (error < best || (error === best && cost < (costs[right] as number))) right = k;
  }
  if (right < 0) return null;
  const [a, b] = [errors[left] as number, errors[right] as number];
  const share = Math.log(te / a) / Math.log(b / a);
  return { cost: floor * ((costs[right] as number) / floor) ** share, left, right, share };
}

/** The parameter between the two neighbours' own, on the same scale. */
export function parameterAt({ runs }: Sweep, { left, right, share }: Reading): number {
  const one = runs[left]?.parameter ?? Number.NaN;
  return one * ((runs[right]?.parameter ?? Number.NaN) / one) ** share;
}

export function readSweep({ runs }: Sweep, te: number): Reading | null {
  const errors = Float64Array.from(runs, (run) => run.te);
  const costs = Float64Array.from(runs, (run) => run.cost);
  return readEnvelope(te, errors, costs);
}
