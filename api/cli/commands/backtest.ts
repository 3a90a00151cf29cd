// trimtab backtest: a policy over a price history, the tuned rivals beside it, the bound of perfect
// foresight. The result goes to stdout, progress to stderr. Exits 0 with a result, 2 on bad input.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { asJson, asText } from '../../../solver/backtest/answer.ts';
import { backtest } from '../../../solver/backtest/backtest.ts';
import { chartHtml, chartSvg } from '../../../solver/backtest/chart.ts';
import { parsePrices } from '../../../solver/backtest/prices.ts';
import { createReplayKernel } from '../../../solver/engine/replay.ts';
import { createRiskKernel } from '../../../solver/engine/risk.ts';
import { parsePolicyText } from '../../../solver/policy/parse.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { buildCore, wasmPath } from '../build.ts';
import { readParsed, writeText } from './files.ts';

interface Options {
  readonly costBps: string;
  readonly fixedCost: string;
  readonly frontier: string;
  readonly seed: string;
  readonly chart?: string;
  readonly json?: true;
}

/** Tracking errors at which the rules are compared unless others are named. */
const ERRORS = '0.005,0.01,0.02,0.04';
const ERRORS_COUNT_MAX = 64;

export function registerBacktest(program: Command): void {
  program
    .command('backtest')
    .description('replay a policy over a price history, with tuned rivals and the foresight bound')
    .argument(
      '<policy.json>',
      'a policy; {"targets":{"BTC":"0.5","ETH":"0.3","CASH":"0.2"}} is one',
    )
    .argument('<prices.csv>', 'header timestamp,BTC,ETH,…; Unix seconds or ISO dates; even steps')
    .option('--cost-bps <bps>', 'cost of one unit of turnover, bps', '30')
    .option('--fixed-cost <fraction>', 'cost of each trade, fraction of worth', '0')
    .option('--frontier <errors>', 'tracking errors to compare at, fractions a year', ERRORS)
    .option('--seed <integer>', 'seed of the bootstrap', '1')
    .option('--chart <file>', 'write a chart: .svg or .html')
    .option('--json', 'print the result as JSON')
    .action((policyPath: string, pricesPath: string, options: Options) =>
      run(policyPath, pricesPath, options),
    );
}

async function run(policyPath: string, pricesPath: string, options: Options): Promise<void> {
  const started = performance.now();
  const costs = {
    proportional: number(options.costBps, '--cost-bps', 0, 5_000) / 1e4,
    fixed: number(options.fixedCost, '--fixed-cost', 0, 0.5),
  };
  const errors = frontierOf(options.frontier);
  const seed = number(options.seed, '--seed', 0, 2 ** 32 - 1);
  if (!Number.isInteger(seed)) bad('--seed', `must be an integer, is ${options.seed}`);
  if (options.chart !== undefined && !/\.(svg|html)$/.test(options.chart)) {
    bad('--chart', `must end in .svg or .html, is ${JSON.stringify(options.chart)}`);
  }
  const policy = readParsed(policyPath, parsePolicyText);
  const history = readParsed(pricesPath, parsePrices);
  await buildCore(() => {});
  const wasm = new Uint8Array(readFileSync(wasmPath));
  const kernels = { risk: createRiskKernel(wasm), replay: createReplayKernel(wasm) };
  const progress = (text: string) => console.error(text);
  const result = backtest(policy, history, kernels, { costs, errors, seed, progress });
  process.stdout.write(
    options.json ? `${JSON.stringify(asJson(result))}\n` : asText(result, costs),
  );
  if (options.chart !== undefined) {
    const draw = options.chart.endsWith('.html') ? chartHtml : chartSvg;
    writeText(options.chart, draw(result));
    console.error(`chart: ${options.chart}`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  console.error(`${result.steps} steps of ${result.assets.length} assets in ${seconds} s`);
}

function frontierOf(text: string): readonly number[] {
  const cells = text.split(',');
  if (cells.length > ERRORS_COUNT_MAX) {
    bad('--frontier', `names ${cells.length} errors; at most ${ERRORS_COUNT_MAX}`);
  }
  const errors = cells.map((cell) => number(cell.trim(), '--frontier', 1e-6, 2));
  return [...new Set(errors)].toSorted((a, b) => a - b);
}

function number(text: string, name: string, least: number, most: number): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  return bad(name, `must be a number from ${least} to ${most}, is ${JSON.stringify(text)}`);
}

function bad(pointer: string, message: string): never {
  throw new InvalidInput(message, { pointer, code: 'badOption' });
}
