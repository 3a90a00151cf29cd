// The door to the replay of the core (assembly/risk/replay.ts): an instance of its own, into which one
// history is loaded, and runs over it. Refuses histories that are not what they should be or too large
// for the core's memory, and runs over a history that another has replaced.

import { assert } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import type {
  Replay,
  ReplayCosts,
  ReplayFamily,
  ReplayHistory,
  ReplayKernel,
  ReplayRun,
} from '../types/replay.ts';
import { type RiskExports, STATUS } from './abi.ts';
import {
  cellOf,
  createRiskCells,
  notNegative,
  positive,
  type RiskCells,
  refuse,
} from './riskCells.ts';

const FAMILY = { calendar: 0, threshold: 1, reference: 2, rule: 3, linear: 4 } as const;
/** Cells of a run's answer. */
const ANSWER = { active2: 0, turnover: 1, trades: 2, drawdown: 3, blocks: 5 } as const;

/** Instantiates the core for replays. Throws Defect if the bytes are not this version's core. */
export function createReplayKernel(wasmBytes: Uint8Array): ReplayKernel {
  const risk = createRiskCells(new WebAssembly.Module(new Uint8Array(wasmBytes)));
  let loads = 0;
  return {
    load(history) {
      const years = load(risk, history);
      const mine = ++loads;
      return {
        assets: history.targets.length,
        years,
        run(family, parameter, costs) {
          assert(mine === loads, 'another history has been loaded since');
          return run(risk, years, family, parameter, costs);
        },
      } satisfies Replay;
    },
  };
}

/** Years of the history it loaded. */
function load(risk: RiskCells, history: ReplayHistory): number {
  const { targets, prices, perYear, prior, forecast, blockSteps } = history;
  const n = targets.length;
  const rows = prices.length / n;
  positive(perYear, 'perYear');
  if (!Number.isInteger(rows) || rows < 2)
    refuse('prices', 'must be two rows or more, one per step');
  if (prior.length !== n * n) refuse('prior', `must be ${n} rows of ${n} numbers`);
  let first = 0;
  risk.run((core) => {
    first = core.riskReplayInputs();
    return STATUS.ok;
  });
  const { cells } = risk;
  if (first + n + n * n + prices.length > cells.length) tooLarge(rows);
  cells.set(targets, first);
  cells.set(prior, first + n);
  cells.set(prices, first + n + n * n);
  const { decay, share, every, from } = forecast;
  const status = risk.run((core) =>
    core.riskReplayLoad(n, rows, perYear, decay, share, every, from, blockSteps),
  );
  if (status === STATUS.tooLarge) tooLarge(rows);
  if (status !== STATUS.ok) {
    refuse('prices', 'hold a number that is not > 0, or the forecast or the prior is out of range');
  }
  return (rows - 1) / perYear;
}

function tooLarge(rows: number): never {
  throw new InvalidInput(
    `${rows} rows of so many assets do not fit the replay's 128 MiB; take fewer rows or a longer step`,
    { pointer: '/prices', code: 'tooLarge' },
  );
}

function run(
  risk: RiskCells,
  years: number,
  family: ReplayFamily,
  parameter: number,
  { proportional, fixed }: ReplayCosts,
): ReplayRun {
  positive(parameter, 'parameter');
  notNegative(proportional, 'proportional');
  notNegative(fixed, 'fixed');
  const landing = family.kind === 'threshold' ? family.landing : 0;
  let first = 0;
  const status = risk.run((core: RiskExports) => {
    first = core.riskReplayBlocks();
    return core.riskReplayRun(FAMILY[family.kind], parameter, landing, proportional, fixed);
  });
  if (status !== STATUS.ok) refuse('parameter', `${parameter} is out of range for ${family.kind}`);
  const { cells } = risk;
  const turnover = cellOf(cells, ANSWER.turnover);
  const trades = cellOf(cells, ANSWER.trades);
  return {
    parameter,
    cost: (proportional * turnover + fixed * trades) / years,
    te: Math.sqrt(cellOf(cells, ANSWER.active2) / years),
    turnover: turnover / years,
    trades,
    maxDrawdown: cellOf(cells, ANSWER.drawdown),
    blocks: cells.slice(first, first + 2 * cellOf(cells, ANSWER.blocks)),
  };
}
