// npm run bench -- stress [--json]
//   Levered positions and whole policies through five crashes; docs/stress.md says what is replayed.
// Exits 1 when a floor was broken that the setup's buffers should have kept.

import { parseArgs } from 'node:util';
import { replay } from '../policy/stress/replay.ts';
import { replayDecide } from '../policy/stress/replayDecide.ts';
import { BLACKOUTS, FAULTS, type Fault, largestFall, windows } from '../policy/stress/scenarios.ts';
import { OUTAGE_SETUPS, SETUPS } from '../policy/stress/setups.ts';
import { rowOf, type StressRow } from '../policy/stress/world.ts';
import { newKernel } from '../risk/support.ts';

/** A row, and whether its buffers promise the floor under its fault. */
type Row = StressRow & { readonly through: string; readonly promised: boolean };

export function main(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
  });
  const rows = rowsOf();
  const falls = [1, 2, 3, 6, 7].map((hours) => ({ hours, fall: largestFall(hours) }));
  console.log(values.json ? JSON.stringify({ falls, rows }) : asMarkdown(falls, rows));
  return rows.some((row) => row.promised && row.minHealth < row.floor) ? 1 : 0;
}

function rowsOf(): Row[] {
  const kernel = newKernel();
  const rows: Row[] = [];
  const dark = BLACKOUTS.filter(({ hours }) => hours === 6);
  for (const window of windows()) {
    for (const setup of SETUPS) {
      for (const fault of [...FAULTS, ...BLACKOUTS]) {
        const row = rowOf(window, fault, setup, replay(window, fault, setup));
        rows.push({ ...row, through: 'leverageDecision', promised: held(fault) });
      }
      const [none] = FAULTS;
      if (none === undefined) continue;
      const row = rowOf(window, none, setup, replayDecide(window, none, setup, kernel));
      rows.push({ ...row, through: 'decide', promised: true });
    }
    for (const setup of [...SETUPS, ...OUTAGE_SETUPS]) {
      const fault = dark[0];
      if (fault === undefined) continue;
      // The outage that hurts most among those that begin within a day of the worst hour.
      let worst: StressRow | null = null;
      for (let shift = -24; shift <= 24; shift += 1) {
        const moved = { ...window, worstHour: window.worstHour + shift };
        const row = rowOf(moved, fault, setup, replay(moved, fault, setup));
        if (worst === null || row.minHealth < worst.minHealth) worst = row;
      }
      if (worst === null) continue;
      const promised = (setup.leverage.worstMove ?? 0) > Math.max(largestFall(6), largestFall(7));
      rows.push({
        ...worst,
        fault: `${worst.fault}, worst start`,
        through: 'leverageDecision',
        promised,
      });
    }
  }
  return rows;
}

/** One hour's buffer promises the floor whenever there is a quorum at every look. */
const held = (fault: Fault): boolean => FAULTS.includes(fault);

const COLUMNS: readonly (readonly [string, (row: Row) => string])[] = [
  ['setup', (row) => row.setup],
  ['through', (row) => row.through],
  ['sources', (row) => row.fault],
  ['trades', (row) => `${row.trades}`],
  ['emergencies', (row) => `${row.emergencies}`],
  ['hours unpriced', (row) => `${row.darkHours}`],
  ['stops', (row) => `${row.trips}`],
  ['resumed', (row) => `${row.resumes}`],
  [
    'lowest health',
    (row) => `${row.minHealth.toFixed(4)}${row.minHealth < row.floor ? ' (!)' : ''}`,
  ],
  ['highest ratio', (row) => row.maxLeverage.toFixed(3)],
  ['cost, bps', (row) => (row.cost * 1e4).toFixed(1)],
];

/** Of the six ways one source can fail only the one that hurts most; --json has all rows. */
function shown(rows: readonly Row[]): readonly Row[] {
  const single = (row: Row): boolean => row.through !== 'decide' && SINGLE.has(row.fault);
  const worst = rows
    .filter(single)
    .reduce<Row | null>((a, b) => (a === null || b.minHealth < a.minHealth ? b : a), null);
  return rows.flatMap((row) => {
    if (row === worst) return [{ ...row, fault: 'worst of six faults of one' }];
    return single(row) || DARK.has(row.fault) ? [] : [row];
  });
}
const SINGLE = new Set(FAULTS.slice(1).map(({ name }) => name));
const DARK = new Set(BLACKOUTS.map(({ name }) => name));

function asMarkdown(
  falls: readonly { readonly hours: number; readonly fall: number }[],
  rows: readonly Row[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const told = falls.map(({ hours, fall }) => `${hours} h ${(fall * 100).toFixed(1)} %`).join(', ');
  const tables = [...new Set(rows.map(({ window }) => window))].map((window) => {
    const own = rows.filter((row) => row.window === window);
    const setups = [...new Set(own.map(({ setup }) => setup))];
    const lines = setups
      .flatMap((setup) => shown(own.filter((row) => row.setup === setup)))
      .map((row) => line(COLUMNS.map(([, cell]) => cell(row))));
    const head = [line(COLUMNS.map(([name]) => name)), line(COLUMNS.map(() => '---'))];
    return [`**${window}**`, '', ...head, ...lines].join('\n');
  });
  return [`Largest falls of BTC or ETH in the data: ${told}.`, ...tables].join('\n\n');
}
