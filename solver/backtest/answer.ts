// What a backtest says: the JSON of `trimtab backtest --json`, and a page for people. Costs and errors
// in JSON are fractions a year; on the page bps and per cent. Does no I/O.

import type { ReplayCosts } from '../types/replay.ts';
import type { Backtest, FamilyFigure, Figure } from './backtest.ts';
import { DRAWS, type Interval, LEVEL } from './bootstrap.ts';
import type { FamilyName } from './frontier.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const pair = (interval: Interval | null): Json =>
  interval === null ? null : [interval.low, interval.high];

/** Rivals first, then POLICY.md's rule under the prior, then what is traded. */
const COLUMNS: readonly (readonly [FamilyName, string, string])[] = [
  ['calendar', 'calendar', 'steps'],
  ['toTarget', 'to target', 'band'],
  ['toHalf', 'half-way', 'band'],
  ['toEdge', 'to edge', 'band'],
  ['reference', 'pairs, prior', 'κ'],
  ['rule', 'our rule', 'κ'],
];

export function asJson(result: Backtest): Json {
  const { policy } = result;
  const { cost, te, turnover, trades, maxDrawdown, intervals } = policy;
  return {
    policy: {
      cost,
      te,
      turnover,
      trades,
      maxDrawdown,
      costInterval: pair(intervals.cost),
      teInterval: pair(intervals.te),
      turnoverInterval: pair(intervals.turnover),
      tradesInterval: pair(intervals.trades),
      maxDrawdownInterval: pair(intervals.maxDrawdown),
      aversion: policy.aversion,
      causes: policy.causes,
      skipped: policy.skipped,
      haltedSteps: policy.haltedSteps,
    },
    frontier: result.frontier.map((row) => ({
      te: row.te,
      ...Object.fromEntries(
        COLUMNS.flatMap(([family]): [string, Json][] => {
          const figure = row.families[family];
          return [
            [family, figure?.value ?? null],
            [`${family}Interval`, pair(figure?.interval ?? null)],
            [`${family}Parameter`, figure?.parameter ?? null],
          ];
        }),
      ),
      ruleToBestRival: row.ratioToBest?.value ?? null,
      ruleToBestRivalInterval: pair(row.ratioToBest?.interval ?? null),
      ruleToReference: row.ratioToReference?.value ?? null,
      ruleToReferenceInterval: pair(row.ratioToReference?.interval ?? null),
      foresightRatio: row.foresightRatio,
    })),
    foresightRatio: result.foresightRatio,
    years: result.years,
    steps: result.steps,
    stepSeconds: result.stepSeconds,
    bootstrap: { draws: DRAWS, level: LEVEL, seed: result.seed },
  };
}

const bps = (value: number) => (value * 1e4).toFixed(2);
const percent = (value: number) => `${(value * 100).toFixed(2)} %`;
const range = (interval: Interval | null, show: (value: number) => string) =>
  interval === null ? '' : `[${show(interval.low)}, ${show(interval.high)}]`;

export function asText(result: Backtest, costs: ReplayCosts): string {
  const { policy, frontier, years, steps, stepSeconds } = result;
  const { intervals } = policy;
  const count = (value: number) => value.toFixed(0);
  const rows: readonly (readonly string[])[] = [
    ['cost', `${bps(policy.cost)} bps/yr`, range(intervals.cost, bps)],
    ['tracking error', `${percent(policy.te)}/yr`, range(intervals.te, percent)],
    ['turnover', `${percent(policy.turnover)}/yr`, range(intervals.turnover, percent)],
    ['trades', count(policy.trades), range(intervals.trades, count)],
    ['max drawdown', percent(policy.maxDrawdown), range(intervals.maxDrawdown, percent)],
  ];
  const lines = [
    `${result.assets.join(', ')}: ${steps} steps of ${stepSeconds} s, ${years.toFixed(2)} years; ` +
      `ε ${bps(costs.proportional)} bps, F ${bps(costs.fixed)} bps of worth`,
    '',
    'the policy',
    ...table(rows),
    ...counted('  traded', policy.causes),
    ...counted('  skipped', policy.skipped),
    ...(policy.haltedSteps > 0 ? [`  halted for ${policy.haltedSteps} steps`] : []),
    '',
    'cost at equal tracking error, bps/yr; rivals tuned on this history, our rule not',
    ...table([
      [
        '  TE',
        ...COLUMNS.map(([, title]) => title),
        'rule/best rival',
        'rule/pairs',
        'foresight/rule',
      ],
      ...frontier.flatMap((row) => [
        [
          `  ${percent(row.te)}`,
          ...COLUMNS.map(([family]) => figure(row.families[family])),
          ratio(row.ratioToBest),
          ratio(row.ratioToReference),
          row.foresightRatio === null ? '–' : row.foresightRatio.toFixed(3),
        ],
        [
          '',
          ...COLUMNS.map(([family]) => range(row.families[family]?.interval ?? null, bps)),
          range(row.ratioToBest?.interval ?? null, thousandths),
          range(row.ratioToReference?.interval ?? null, thousandths),
        ],
        ['', ...COLUMNS.map(([family, , unit]) => tuned(row.families[family], unit))],
      ]),
    ]),
    '',
    result.foresightRatio === null
      ? 'no bound of perfect foresight: nothing is paid or nothing is at risk'
      : `perfect foresight pays ${percent(result.foresightRatio)} of the rule's cost + ½κTE² ` +
        '(linearised, proved by duality)',
    `intervals: ${LEVEL * 100} %, ${DRAWS} draws of weeks in circular runs, seed ${result.seed}`,
  ];
  return `${lines.join('\n')}\n`;
}

const thousandths = (value: number) => value.toFixed(3);
const ratio = (one: Figure | null) => (one === null ? '–' : thousandths(one.value));
const figure = (one: Figure | null) => (one === null ? '–' : bps(one.value));
const tuned = (one: FamilyFigure | null, unit: string) =>
  one === null ? '' : `${unit} ${Number(one.parameter.toPrecision(3))}`;

function counted(title: string, counts: Readonly<Record<string, number>>): readonly string[] {
  const said = Object.entries(counts).map(([code, count]) => `${code} ${count}`);
  return said.length === 0 ? [] : [`${title}: ${said.join(', ')}`];
}

/** Pads every column to its widest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((row) => [...(row[i] ?? '')].length)),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
