// The column of HiGHS, the open LP and MIP solver (npm highs, WebAssembly). A pool becomes chords
// below its curve, so what it finds can be executed but loses the curve's bulge; fixed costs become
// binaries. Small problems only: it is a reference for optimality, not a rival in time.

import highsModule, { type LegacyHighs } from 'highs';
import { exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedProblem, ParsedVenue } from '../../solver/market/parsedProblem.ts';
import { type Case, type Engine, type Missing, type Opened, timed } from './rivals.ts';

const VENUES_MAX = 120;
const VENUES_MAX_WITH_COSTS = 12;
const CHORDS = 40;
/** Chord ends grow from this share of the order to all of it, by equal ratios. */
const FIRST_CHORD = 1e-4;
const SECONDS_MAX = 10;

type Highs = LegacyHighs;
/** The package's types describe its CommonJS half; what import gives is the function itself. */
const loadHighs = highsModule as unknown as () => Promise<Highs>;

export async function highsEngine(): Promise<Engine | Missing> {
  try {
    const highs = await loadHighs();
    return { name: 'HiGHS', roundsMax: 1, open: (item) => open(highs, item) };
  } catch (error) {
    return { name: 'HiGHS', missing: `npm's highs does not load: ${(error as Error).message}` };
  }
}

function open(highs: Highs, { kind, problem, worth }: Case): Opened | null {
  const { objective } = problem;
  const most = kind === 'fixedCost' ? VENUES_MAX_WITH_COSTS : VENUES_MAX;
  if (objective.kind !== 'swap' || problem.venues.length > most) return null;
  if (kind !== 'linear' && kind !== 'fixedCost') return null;
  const model = modelOf(problem, worth);
  let value = Number.NaN;
  return {
    run() {
      const [time, solution] = timed(() =>
        highs.solve(model, { time_limit: SECONDS_MAX, mip_rel_gap: 1e-7, output_flag: false }),
      );
      value = solution.Status === 'Optimal' ? solution.ObjectiveValue * worth : Number.NaN;
      return { cold: time };
    },
    outcome: () =>
      Number.isFinite(value)
        ? { value, gapBps: null, bound: null }
        : { value: 0, gapBps: null, bound: null, invalid: 'no optimum in time' },
  };
}

interface Chord {
  readonly width: number;
  readonly slope: number;
}
interface Direction {
  readonly name: string;
  readonly venue: ParsedVenue;
  readonly from: number;
  readonly to: number;
  readonly chords: readonly Chord[];
}

/** CPLEX LP text; every flow is a share of the order's worth at node prices. */
function modelOf(problem: ParsedProblem, worth: number): string {
  const { objective } = problem;
  if (objective.kind !== 'swap') throw new Error('swaps only');
  const directions = problem.venues.flatMap((venue) => directionsOf(problem, venue, worth));
  const parts = directions.flatMap((direction) =>
    direction.chords.map((chord, k) => ({ direction, chord, name: `${direction.name}_${k}` })),
  );
  const costly = problem.venues.filter(({ fixedCost }) => fixedCost > 0n);
  const share = (cost: bigint) => text(Number(cost) / 1e36 / worth);
  const terms = (node: number) =>
    parts.flatMap(({ direction, chord, name }) => [
      ...(direction.to === node ? [`+ ${text(chord.slope)} ${name}`] : []),
      ...(direction.from === node ? [`- ${name}`] : []),
    ]);
  const lines = ['Maximize', ' obj: bought'];
  for (const venue of costly) lines.push(` - ${share(venue.fixedCost)} use_${venue.index}`);
  problem.groups.forEach(({ fixedCost }, g) => {
    lines.push(` - ${share(fixedCost)} group_${g}`);
  });
  lines.push('Subject To');
  problem.nodes.forEach((_, node) => {
    const flow = terms(node);
    const right = node === objective.sell ? -1 : 0;
    if (node === objective.buy) flow.push('- bought');
    if (flow.length > 0) lines.push(` node_${node}: ${flow.join('\n ')} >= ${right}`);
  });
  for (const venue of costly) {
    const own = parts.filter(({ direction }) => direction.venue === venue);
    const total = own.reduce((sum, { chord }) => sum + chord.width, 0);
    const names = own.map(({ name }) => `+ ${name}`).join('\n ');
    if (own.length > 0) lines.push(` ${names} - ${text(total)} use_${venue.index} <= 0`);
  }
  problem.groups.forEach(({ venues }, g) => {
    for (const venue of venues) lines.push(` use_${venue} - group_${g} <= 0`);
  });
  lines.push('Bounds');
  for (const { name, chord } of parts) lines.push(` 0 <= ${name} <= ${text(chord.width)}`);
  const binaries = [
    ...costly.map(({ index }) => `use_${index}`),
    ...problem.groups.map((_, g) => `group_${g}`),
  ];
  if (binaries.length > 0) lines.push('Binaries', ...binaries.map((name) => ` ${name}`));
  return [...lines, 'End', ''].join('\n');
}

/** LP text knows no more than plain and scientific decimals. */
const text = (value: number) => value.toPrecision(15);

function directionsOf(problem: ParsedProblem, venue: ParsedVenue, worth: number): Direction[] {
  const oneWay = venue.kind === 'order' || venue.kind === 'bridge';
  return venue.nodes.flatMap((from, i) =>
    venue.nodes.flatMap((to, j) => {
      if (from === to || (oneWay && i > j)) return [];
      const chords = chordsOf(problem, venue, from, to, worth);
      const name = `x_${venue.index}_${from}_${to}`;
      return chords.length === 0 ? [] : [{ name, venue, from, to, chords }];
    }),
  );
}

/** Chords of what the venue really pays, at inputs up to 1.05 times the order. */
function chordsOf(
  problem: ParsedProblem,
  venue: ParsedVenue,
  from: number,
  to: number,
  worth: number,
): readonly Chord[] {
  const unit = (node: number) => {
    const { price, decimals } = problem.nodes[node] ?? { price: null, decimals: 0 };
    return Number(price) / 1e36 / 10 ** decimals;
  };
  const chords: Chord[] = [];
  const ends =
    venue.kind === 'order'
      ? [Number(venue.amountIn) * unit(from)]
      : Array.from(
          { length: CHORDS },
          (_, k) => 1.05 * worth * FIRST_CHORD ** (1 - (k + 1) / CHORDS),
        );
  let [input, output] = [0, 0];
  for (const end of ends) {
    const out = exactOut(venue, from, to, BigInt(Math.floor(end / unit(from))));
    if (typeof out !== 'bigint') break;
    const paid = Number(out) * unit(to);
    chords.push({ width: (end - input) / worth, slope: (paid - output) / (end - input) });
    [input, output] = [end, paid];
  }
  return chords;
}
