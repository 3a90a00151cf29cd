// The bound against HiGHS's branch and cut, which shares nothing with the checker: venues as averages
// of exact trades (inside their trade sets, so the model's optimum is below the true one), fixed
// costs and groups as binaries, all three linear objectives. The model's optimum never exceeds g(ν).

import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { certifyBound } from '../../solver/certificate/bound.ts';
import { exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedProblem, ParsedVenue } from '../../solver/market/parsedProblem.ts';
import { inputCaps } from '../../solver/market/worth.ts';
import { seeded } from '../market/helpers/random.ts';
import { type Kind, randomPrices, randomProblem } from './helpers/problems.ts';

const PROBLEMS = 90;
const CHORDS = 12;

interface Highs {
  solve(model: string): { readonly ObjectiveValue: number; readonly Status: string };
}
// A CommonJS module whose types describe an ES module: required, and typed by what is used here.
const loadHighs = createRequire(import.meta.url)('highs') as () => Promise<Highs>;

/** A share of a trade: dollars in and out at full share, per unit of the variable in [0, 1]. */
interface Chord {
  readonly venue: number;
  readonly pair: string;
  readonly from: number;
  readonly to: number;
  readonly dollarsIn: number;
  readonly dollarsOut: number;
}

/** Dollars per base unit; unpriced nodes at one dollar a token, which any scale would do for. */
const worths = ({ nodes }: ParsedProblem) =>
  nodes.map(({ price, decimals }) => (price === null ? 1 : Number(price) / 1e36) / 10 ** decimals);

/** Trades between exact points, each from the last. */
function chordsOf(problem: ParsedProblem, venue: ParsedVenue): readonly Chord[] {
  const worth = worths(problem);
  const caps = inputCaps(problem);
  return venue.nodes.flatMap((from) =>
    venue.nodes.flatMap((to) => {
      if (from === to) return [];
      const held = 10 ** 5 / (worth[from] ?? 1);
      const chords: Chord[] = [];
      let last = { amount: 0n, out: 0n };
      for (let k = CHORDS; k >= 0; k--) {
        const wish = BigInt(Math.floor(held / 3 ** k));
        const cap = caps[from] ?? null;
        const amount = cap !== null && cap < wish ? cap : wish;
        const out = exactOut(venue, from, to, amount);
        if (typeof out !== 'bigint' || amount <= last.amount) continue;
        const pair = `${venue.index}_${from}_${to}`;
        const dollarsIn = Number(amount - last.amount) * (worth[from] ?? 1);
        const dollarsOut = Number(out - last.out) * (worth[to] ?? 1);
        chords.push({ venue: venue.index, pair, from, to, dollarsIn, dollarsOut });
        last = { amount, out };
      }
      return chords;
    }),
  );
}

/** The model in HiGHS's LP format; null where it has nothing to decide. */
function modelOf(problem: ParsedProblem): string | null {
  const worth = worths(problem);
  const chords = problem.venues.flatMap((venue) => chordsOf(problem, venue));
  const { objective, venues, groups } = problem;
  const orders = objective.kind === 'batch' ? objective.orders : [];
  if (chords.length + orders.length === 0) return null;
  const flow = (node: number) =>
    chords
      .flatMap(({ from, to, dollarsIn, dollarsOut }, c) => [
        ...(from === node ? [`- ${dollarsIn} x${c}`] : []),
        ...(to === node ? [`+ ${dollarsOut} x${c}`] : []),
      ])
      .concat(
        orders.flatMap(({ sell, amount }, k) =>
          sell === node ? [`+ ${Number(amount) * (worth[sell] ?? 1)} s${k}`] : [],
        ),
      )
      .join(' ');
  const rows: string[] = [];
  // Shares that fall along a pair's chords are an average of its exact points and of no trade. A pool
  // of many nodes trades one pair, every venue one direction: shares ≤ pair ≤ used.
  const pairs = [...new Set(chords.map(({ pair }) => pair))];
  for (const [c, { pair }] of chords.entries()) {
    const before = chords[c - 1]?.pair === pair ? `x${c - 1}` : `z${pair}`;
    rows.push(`x${c} - ${before} <= 0`);
  }
  for (const { index } of venues) {
    const own = pairs.filter((pair) => pair.startsWith(`${index}_`));
    if (own.length > 0) rows.push(`${own.map((pair) => `z${pair}`).join(' + ')} - u${index} <= 0`);
  }
  groups.forEach(({ venues: members }, g) => {
    for (const member of members) rows.push(`u${member} - g${g} <= 0`);
  });
  orders.forEach(({ partial }, k) => {
    if (!partial) rows.push(`s${k} - b${k} = 0`);
  });
  const dollars = (fixed: bigint) => Number(fixed) / 1e36;
  const costs = [
    ...venues.map(({ index, fixedCost }) => `- ${dollars(fixedCost)} u${index}`),
    ...groups.map(({ fixedCost }, g) => `- ${dollars(fixedCost)} g${g}`),
  ];
  const gains: string[] = [];
  const wanted = new Map<number, string>();
  if (objective.kind === 'swap') {
    gains.push('y');
    wanted.set(objective.buy, '- y');
  } else if (objective.kind === 'rebalance') {
    gains.push('t');
    objective.targets.forEach(({ nodes, weight }, g) => {
      for (const node of nodes) wanted.set(node, `- y${node}`);
      const sum = nodes.map((node) => `- y${node}`).join(' ');
      if (weight > 0n) rows.push(`${dollars(weight)} t ${sum} <= 0`);
      else rows.push(`0 t ${sum} <= ${g}`);
    });
  } else {
    orders.forEach(({ buy, minOut }, k) => {
      const limit = Number(minOut) * (worth[buy] ?? 1);
      gains.push(`o${k} - ${limit} s${k}`);
      rows.push(`o${k} - ${limit} s${k} >= 0`);
      wanted.set(buy, `${wanted.get(buy) ?? ''} - o${k}`);
    });
  }
  problem.nodes.forEach((_, node) => {
    const line = `${flow(node)} ${wanted.get(node) ?? ''}`.trim();
    const supply = supplyAt(problem, node) * (worth[node] ?? 1);
    if (line !== '') rows.push(`${line} >= ${-supply}`);
  });
  const shares = [...chords.map((_, c) => `x${c}`), ...orders.map((_, k) => `s${k}`)];
  const binaries = [
    ...pairs.map((pair) => `z${pair}`),
    ...venues.map(({ index }) => `u${index}`),
    ...groups.map((_, g) => `g${g}`),
    ...orders.flatMap(({ partial }, k) => (partial ? [] : [`b${k}`])),
  ];
  return [
    'Maximize',
    ` obj: ${gains.join(' + ')} ${costs.join(' ')}`,
    'Subject To',
    ...rows.map((row, i) => ` r${i}: ${row}`),
    'Bounds',
    ...shares.map((name) => ` 0 <= ${name} <= 1`),
    'Binary',
    ` ${binaries.join(' ')}`,
    'End',
  ].join('\n');
}

function supplyAt({ objective }: ParsedProblem, node: number): number {
  if (objective.kind === 'swap') return node === objective.sell ? Number(objective.amount) : 0;
  if (objective.kind === 'batch' || objective.targetOfNode[node] === -1) return 0;
  return Number(objective.holdings[node] ?? 0n);
}

describe('certifyBound', () => {
  test(`conformance: ${PROBLEMS} mixed-integer models, HiGHS never exceeds it`, async () => {
    const highs = await loadHighs();
    const random = seeded('mip');
    const kinds: readonly Kind[] = ['swap', 'balanced', 'batch'];
    let solved = 0;
    let earned = 0;
    for (let i = 0; i < PROBLEMS; i++) {
      const problem = randomProblem(random, kinds[i % kinds.length] ?? 'swap');
      const model = modelOf(problem);
      if (model === null) continue;
      const { ObjectiveValue: optimum, Status } = highs.solve(model);
      if (Status !== 'Optimal') continue;
      solved++;
      if (optimum > 0) earned++;
      for (const spread of [0.003, 0.1, 2]) {
        const bound = Number(certifyBound(problem, randomPrices(random, problem, spread))) / 1e18;
        // HiGHS keeps its constraints to 10^−6 of a dollar and its optimum to 10^−4 of itself.
        expect(optimum, `problem ${i}: bound ${bound}`).toBeLessThan(bound * (1 + 1e-6) + 1e-4);
      }
    }
    console.info(`HiGHS: ${solved} models solved, ${earned} with a positive optimum`);
    expect(solved).toBeGreaterThan(PROBLEMS * 0.8);
  }, 120_000);
});
