// OPTIMIZER.md's target table against what was measured.

import type { Report, Row } from './optimizer.ts';

export interface Target {
  readonly name: string;
  readonly goal: string;
  readonly measured: string;
  /** Null: not measured in this run. */
  readonly met: boolean | null;
}

const COLD_MICROS: readonly (readonly [string, number])[] = [
  ['100/20', 30],
  ['1000/100', 700],
  ['10000/200', 4000],
  ['100000/632', 50_000],
];
const WARM_MICROS = 8;
const REAL_MICROS = 20_000;
const REAL_SHARE = 0.9;
const NATIVE_RATIO = 1.5;
const GAP_SHARE = 0.999;

const micros = (row: Row | undefined, phase: string) =>
  (row?.times[phase]?.p50 ?? Number.NaN) / 1e3;

export function targetsOf({ rows, surveys, violations }: Report): readonly Target[] {
  const row = (kind: string, size: string, engine = 'trimtab') =>
    rows.find((r) => r.kind === kind && r.size === size && r.engine === engine);
  const speed = (name: string, phase: string, most: number, size: string): Target => {
    const value = micros(row('smooth', size), phase);
    return judged(name, `≤ ${most} µs`, `${value.toFixed(1)} µs`, value, most);
  };
  const targets = COLD_MICROS.map(([size, most]) => speed(`${size} cold`, 'cold', most, size));
  targets.splice(1, 0, speed('100/20 warm', 'warm', WARM_MICROS, '100/20'));
  for (const { name, solved, misses, worst } of surveys) {
    // No target speaks of markets with pools of many nodes: their survey is printed, not judged.
    if (name === 'mixed') continue;
    const share = 1 - misses / solved;
    targets.push({
      name: `${name}: gap ≤ 0.01 bp`,
      goal: '≥ 99.9 %',
      measured: `${(share * 100).toFixed(2)} % of ${solved}, worst ${worst.toPrecision(2)} bp`,
      met: share >= GAP_SHARE,
    });
  }
  targets.push(...realTargets(rows));
  const ratios = rows.flatMap((r) => {
    const native = row(r.kind, r.size, 'native');
    return r.engine === 'trimtab' && native !== undefined
      ? [micros(r, 'cold') / micros(native, 'cold')]
      : [];
  });
  const ratio = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN;
  const most = `${Math.max(...ratios).toFixed(2)}`;
  targets.push(
    judged(
      '.wasm over native −O3',
      '≤ 1.5×',
      `${ratio.toFixed(2)}× (worst ${most}×)`,
      ratio,
      NATIVE_RATIO,
    ),
  );
  const compared = rows.some(({ engine }) => engine === 'tines');
  targets.push({
    name: 'below tines, net of the same gas',
    goal: 'never',
    measured: compared ? `${violations.length} cases` : 'tines did not run',
    met: compared ? violations.length === 0 : null,
  });
  return targets;
}

/** Quotes of 10 ETH and more on real pools. */
function realTargets(rows: readonly Row[]): readonly Target[] {
  const large = rows.filter(
    ({ kind, size, engine }) =>
      kind === 'real' && engine === 'trimtab' && Number(size.split(' ')[0]) >= 10,
  );
  const cases = large.reduce((sum, r) => sum + r.cases, 0);
  const misses = large.reduce((sum, r) => sum + (r.misses ?? 0), 0);
  const slowest = Math.max(...large.map((r) => micros(r, 'cold')));
  const share = cases === 0 ? Number.NaN : 1 - misses / cases;
  return [
    {
      name: 'real pools with gas, ≥ 10 ETH: gap ≤ 0.01 bp',
      goal: '≥ 90 %',
      measured: `${(share * 100).toFixed(0)} % of ${cases}`,
      met: cases === 0 ? null : share >= REAL_SHARE,
    },
    judged(
      'real pools with gas, ≥ 10 ETH: time (slowest size’s median)',
      '≤ 20 ms',
      `${(slowest / 1e3).toFixed(1)} ms`,
      slowest,
      REAL_MICROS,
    ),
  ];
}

function judged(name: string, goal: string, measured: string, value: number, most: number): Target {
  const known = Number.isFinite(value);
  return {
    name,
    goal,
    measured: known ? measured : 'not measured',
    met: known ? value <= most : null,
  };
}
