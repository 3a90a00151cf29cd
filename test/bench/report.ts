// The bench's figures as text: a table for the terminal, Markdown ready for the README.

import type { Report, Row, Spread } from './optimizer.ts';
import { targetsOf } from './targets.ts';

const PHASES = ['warm', 'pack', 'load', 'exact', 'certify'] as const;

/** Three digits with a unit that fits. */
export function duration(ns: number): string {
  if (!Number.isFinite(ns)) return '–';
  if (ns < 1e3) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toPrecision(3)} ms`;
  return `${(ns / 1e9).toPrecision(3)} s`;
}

const bps = (value: number) => (Math.abs(value) < 1e-4 ? '0' : value.toPrecision(2));
const three = (spread: Spread | null) =>
  spread === null ? '–' : `${bps(spread.p50)} / ${bps(spread.p99)} / ${bps(spread.max)}`;

function tableOf(rows: readonly Row[]): readonly (readonly string[])[] {
  const head = [
    'kind',
    'size',
    'engine',
    'cases',
    'time p50',
    'p99',
    '÷ ours',
    'gap bp p50/p99/max',
  ];
  const ours = (row: Row) =>
    rows.find((r) => r.kind === row.kind && r.size === row.size && r.engine === 'trimtab');
  const body = rows.map((row) => {
    const cold = row.times.cold;
    const ratio = (cold?.p50 ?? Number.NaN) / (ours(row)?.times.cold?.p50 ?? Number.NaN);
    const invalid = Object.entries(row.invalid).map(([why, count]) => `${count} ${why}`);
    return [
      ...[row.kind, row.size, row.engine, String(row.cases)],
      ...[duration(cold?.p50 ?? Number.NaN), duration(cold?.p99 ?? Number.NaN)],
      row.engine === 'trimtab' ? '' : `${ratio.toPrecision(2)}×`,
      three(row.gap),
      row.misses === null ? '–' : String(row.misses),
      three(row.lost),
      invalid.join(', '),
    ];
  });
  return [[...head, 'misses', 'lost bp p50/p99/max', 'no plan'], ...body];
}

/** One line per kind and size: what a README has room for. */
function overviewOf(rows: readonly Row[]): readonly (readonly string[])[] {
  const rivals = [...new Set(rows.map(({ engine }) => engine))].filter(
    (name) => name !== 'trimtab',
  );
  const ours = rows.filter(({ engine }) => engine === 'trimtab');
  const cell = (row: Row, engine: string) =>
    rows.find((r) => r.engine === engine && r.kind === row.kind && r.size === row.size);
  const time = (row: Row | undefined, phase: string) =>
    duration(row?.times[phase]?.p50 ?? Number.NaN);
  return [
    ['venues', 'pools/tokens', 'trimtab', 'warm', ...rivals, 'our gap, bp', 'tines loses, bp'],
    ...ours.map((row) => {
      const misses = `${row.misses ?? 0} of ${row.cases} above 0.01`;
      const lost = cell(row, 'tines')?.lost ?? null;
      return [
        ...[row.kind, row.size, time(row, 'cold'), time(row, 'warm')],
        ...rivals.map((engine) => time(cell(row, engine), 'cold')),
        `${bps(row.gap?.p50 ?? Number.NaN)}, max ${bps(row.gap?.max ?? Number.NaN)} (${misses})`,
        lost === null ? '–' : `${bps(lost.p50)}, max ${bps(lost.max)}`,
      ];
    }),
  ];
}

function phasesOf(rows: readonly Row[]): readonly (readonly string[])[] {
  const ours = rows.filter(({ engine }) => engine === 'trimtab');
  return [
    ['kind', 'size', 'cold', ...PHASES],
    ...ours.map(({ kind, size, times }) => [
      ...[kind, size],
      ...['cold', ...PHASES].map((phase) => duration(times[phase]?.p50 ?? Number.NaN)),
    ]),
  ];
}

function targetTable(report: Report): readonly (readonly string[])[] {
  return [
    ['target', 'goal', 'measured', ''],
    ...targetsOf(report).map(({ name, goal, measured, met }) => [
      ...[name, goal, measured],
      met === null ? '–' : met ? 'met' : 'MISSED',
    ]),
  ];
}

const aligned = (table: readonly (readonly string[])[]) => {
  const widths = (table[0] ?? []).map((_, k) =>
    Math.max(...table.map((row) => row[k]?.length ?? 0)),
  );
  return table
    .map((row) =>
      row
        .map((cell, k) => cell.padEnd(widths[k] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const markdown = ([head = [], ...body]: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');

function sections(report: Report, show: (table: readonly (readonly string[])[]) => string): string {
  const { rows, surveys, notes, violations } = report;
  const calibration = `Calibration kernel (1,000,000 dependent float steps): ${duration(report.calibrationNs)}.`;
  const counted = surveys.map(({ name, solved, misses, worst, others }) => {
    const rest = Object.entries(others).map(([status, count]) => `, ${count} ${status}`);
    return `- ${name}: ${misses} of ${solved} above 0.01 bp, worst ${bps(worst)} bp${rest.join('')}`;
  });
  return [
    `Medians per quote; lost: what a plan falls short of our certified bound:\n\n${show(overviewOf(rows))}`,
    `Every engine in full:\n\n${show(tableOf(rows))}`,
    `Our phases (medians):\n\n${show(phasesOf(rows))}`,
    `Targets:\n\n${show(targetTable(report))}`,
    ...(counted.length > 0
      ? [`Random swaps, orders 1e-9 … 100 × depth:\n\n${counted.join('\n')}`]
      : []),
    [calibration, ...notes].join('\n'),
    violations.length === 0
      ? 'No plan of a rival is worth more than ours.'
      : `BELOW A RIVAL:\n${violations.join('\n')}`,
    `Result hash ${report.resultHash}`,
  ].join('\n\n');
}

export const asText = (report: Report): string => sections(report, aligned);
export const asMarkdown = (report: Report): string => sections(report, markdown);
