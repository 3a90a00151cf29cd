// npm run bench -- netting [--markets N] [--sizes N,N] [--json]
//   What joining the orders of a window is worth against settling the very same orders one after the
//   other on the same snapshot, by batch size and share of opposite flow (nettingMarket.ts); and how
//   long the joint solve takes, in calibration kernels beside milliseconds.
// Every figure but the times follows from the seeds alone.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { clearBatch, type SolveBatch } from '../../solver/auction/netting.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { nettingBatch, nettingMarket } from './nettingMarket.ts';
import { calibrate, median } from './statistics.ts';

export const SIZES: readonly number[] = [2, 5, 20, 100];
export const OPPOSITE: readonly number[] = [0, 0.3, 0.6];
const MARKETS = 10;

export interface NettingRow {
  readonly orders: number;
  /** Share of all worth that has its opposite. */
  readonly opposite: number;
  readonly markets: number;
  /** Markets in which joining was worth more; in the others one by one is kept. */
  readonly joined: number;
  /** Orders served per market, together and one by one. */
  readonly served: readonly [number, number];
  /** Owners' surplus in dollars per market, costs paid: what clearBatch does, and one by one. */
  readonly surplus: readonly [number, number];
  /** Per market, one by one less what clearBatch does. */
  readonly packetsSaved: number;
  readonly transfersSaved: number;
  readonly legsSaved: number;
  /** Dollars through pools per order served, together and one by one. */
  readonly volumePerOrder: readonly [number, number];
  /** The joint solves of one batch, one by one not counted: median over markets. */
  readonly solveMs: number;
}
export interface NettingReport {
  readonly calibrationMs: number;
  readonly rows: readonly NettingRow[];
}

export function benchNetting(
  solve: SolveBatch,
  { sizes = SIZES, opposite = OPPOSITE, markets = MARKETS, log = (_: string) => {} } = {},
): NettingReport {
  const { ns } = calibrate();
  const rows = sizes.flatMap((orders) =>
    opposite.map((share) => {
      const row = rowOf(solve, orders, share, markets);
      log(`${orders} orders, ${100 * share} % opposite`);
      return row;
    }),
  );
  return { calibrationMs: ns / 1e6, rows };
}

function rowOf(solve: SolveBatch, orders: number, opposite: number, markets: number): NettingRow {
  const sum = { joined: 0, together: 0, apart: 0, mine: 0, theirs: 0 };
  const saved = { packets: 0, transfers: 0, legs: 0 };
  const volume = { mine: 0, theirs: 0 };
  const times: number[] = [];
  for (let seed = 1; seed <= markets; seed += 1) {
    let ms = 0;
    const timed: SolveBatch = (problem) => {
      const start = performance.now();
      const solution = solve(problem);
      const { objective } = problem;
      const joint =
        objective.kind === 'batch' &&
        new Set(objective.orders.map(({ id }) => id.slice(0, id.indexOf(':')))).size > 1;
      if (joint) ms += performance.now() - start;
      return solution;
    };
    const cleared = clearBatch(nettingMarket(seed), nettingBatch(seed, orders, opposite), timed);
    times.push(ms);
    const { apart } = cleared;
    // Where joining is worth less it is not done, and nothing is saved.
    const done = cleared.mode === 'batch' ? cleared.together : apart;
    sum.joined += Number(cleared.mode === 'batch');
    sum.together += done.orders;
    sum.apart += apart.orders;
    sum.mine += Number(done.surplusWad) / 1e18;
    sum.theirs += Number(apart.surplusWad) / 1e18;
    saved.packets += apart.packets - done.packets;
    saved.transfers += apart.transfers - done.transfers;
    saved.legs += apart.venueLegs - done.venueLegs;
    volume.mine += Number(done.venueVolumeWad) / 1e18;
    volume.theirs += Number(apart.venueVolumeWad) / 1e18;
  }
  return {
    orders,
    opposite,
    markets,
    joined: sum.joined,
    served: [sum.together / markets, sum.apart / markets],
    surplus: [sum.mine / markets, sum.theirs / markets],
    packetsSaved: saved.packets / markets,
    transfersSaved: saved.transfers / markets,
    legsSaved: saved.legs / markets,
    volumePerOrder: [
      volume.mine / Math.max(1, sum.together),
      volume.theirs / Math.max(1, sum.apart),
    ],
    solveMs: median(times),
  };
}

export function asTable({ calibrationMs, rows }: NettingReport): string {
  const head = [
    '| orders | opposite | joined | served (1 by 1) | surplus USD (1 by 1) | gained | packets saved |',
    ' transfers saved | legs saved | pool volume USD per order (1 by 1) | joint solves ms | kernels |',
  ].join('');
  const rule = `|${'---:|'.repeat(12)}`;
  const lines = rows.map((row) => {
    const gained = (100 * (row.surplus[0] - row.surplus[1])) / Math.max(1e-9, row.surplus[1]);
    return `| ${[
      row.orders,
      `${Math.round(100 * row.opposite)} %`,
      `${row.joined}/${row.markets}`,
      `${row.served[0].toFixed(1)} (${row.served[1].toFixed(1)})`,
      `${row.surplus[0].toFixed(0)} (${row.surplus[1].toFixed(0)})`,
      `${gained.toFixed(0)} %`,
      row.packetsSaved.toFixed(1),
      row.transfersSaved.toFixed(1),
      row.legsSaved.toFixed(1),
      `${row.volumePerOrder[0].toFixed(0)} (${row.volumePerOrder[1].toFixed(0)})`,
      row.solveMs.toFixed(1),
      (row.solveMs / calibrationMs).toFixed(1),
    ].join(' | ')} |`;
  });
  return [head, rule, ...lines].join('\n');
}

export function main(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      markets: { type: 'string', default: String(MARKETS) },
      sizes: { type: 'string', default: SIZES.join() },
      json: { type: 'boolean', default: false },
    },
  });
  const engine = createEngine(readFileSync('.build/trimtab.wasm'));
  const report = benchNetting((problem) => engine.solve(problem), {
    markets: Number(values.markets),
    sizes: values.sizes.split(',').map(Number),
    log: (line) => console.error(`done: ${line}`),
  });
  if (values.json) console.log(JSON.stringify(report));
  else {
    console.log(`calibration kernel ${report.calibrationMs.toFixed(2)} ms\n\n${asTable(report)}`);
  }
  return 0;
}
