// npm run bench -- gap [--quotes N] [--json]
//   What quotes to targets lose in value by stopping their search once 0.25 bp are proved
//   (quoting/problemBuilder.ts) instead of the engine's own 0.01, and at 1 bp beside it; and what the
//   time is worth. The problems are those the quoter stores for the first N requests of the API bench's
//   market (apiWorld.ts), each solved with settings.gapBps changed and nothing else.
// Every figure but the times follows from the market and the core alone.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createEngine, type Engine } from '../../solver/engine/engine.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { MarketSource } from '../../solver/market/source.ts';
import { createQuoter } from '../../solver/quoting/quoter.ts';
import { judge, solveProblem } from '../../solver/quoting/solve.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { type EvmAddress, evmAddress } from '../../solver/types/ids.ts';
import type { Problem, ProblemResult } from '../../solver/types/problem.ts';
import type { RebalanceRequest } from '../../solver/types/service.ts';
import { heldBy, marketsAt, network, numbersFrom, ownerOf, quoteBody } from './apiWorld.ts';
import { calibrate, median, percentile } from './statistics.ts';

/** What is asked to be proved, bp of the portfolio; the first is what the others are compared with. */
export const GAPS: readonly string[] = ['0.01', '0.25', '1'];
const QUOTES = 300;
const OWNERS = 200;
/** A time is the fastest of so many, as the calibration kernel's is. */
const ROUNDS = 3;
/** Quotes between two looks at the kernel. */
const CALIBRATED_EVERY = 10;
const NOW = unixSeconds(1_800_000_000);

/** Over all quotes. */
interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}
export interface GapRow {
  /** settings.gapBps. */
  readonly asked: string;
  /** bp of the portfolio's worth, as certified. */
  readonly proved: Spread;
  /** Value below the first row's, bp of the portfolio's worth; below zero where more was found. */
  readonly lost: Spread & { readonly mean: number };
  /** The same, bp of what is sold. */
  readonly lostOfSold: Spread & { readonly mean: number };
  /** Dollars, all quotes together. */
  readonly lostUsd: number;
  readonly lessFound: number;
  readonly moreFound: number;
  /** The search alone, and with exact execution and certificate: median over quotes. */
  readonly searchMs: number;
  readonly solveMs: number;
}
export interface GapReport {
  readonly calibrationMs: number;
  readonly quotes: number;
  readonly worthUsd: number;
  readonly soldUsd: number;
  readonly rows: readonly GapRow[];
}

export async function benchGap(
  engine: Engine,
  { quotes = QUOTES, rounds = ROUNDS, log = (_: string) => {} } = {},
): Promise<GapReport> {
  const problems = await quotedProblems(engine, quotes);
  log(`${problems.length} of ${quotes} requests are offered an order`);
  // Among the solves, so that a machine that is busy for a while does not speak for the rest.
  const kernels: number[] = [];
  const solved = problems.map((problem, k) => {
    if (k % CALIBRATED_EVERY === 0) kernels.push(calibrate().ns / 1e6);
    if (k % 50 === 49) log(`${k + 1} solved at each gap`);
    return solvedAt(engine, problem, rounds);
  });
  const worths = problems.map(worthOf);
  const sold = solved.map(([first], k) =>
    soldOf(present(problems[k], 'problem'), present(first, 'run').result),
  );
  return {
    calibrationMs: median(kernels),
    quotes: problems.length,
    worthUsd: total(worths),
    soldUsd: total(sold),
    rows: GAPS.map((asked, g) => {
      const runs = solved.map((one) => present(one[g], 'a run at each gap'));
      const lost = solved.map(([first], k) =>
        dollarsBetween(present(first, 'run').result, present(runs[k], 'run').result),
      );
      return {
        asked,
        proved: spread(runs.map(({ result }) => Number(result.gapBps))),
        lost: bpsOf(lost, worths),
        lostOfSold: bpsOf(lost, sold),
        lostUsd: total(lost),
        lessFound: lost.filter((dollars) => dollars > 0).length,
        moreFound: lost.filter((dollars) => dollars < 0).length,
        searchMs: median(runs.map(({ searchMs }) => searchMs)),
        solveMs: median(runs.map(({ solveMs }) => solveMs)),
      };
    }),
  };
}

/** What the quoter stores for the first `count` requests; those it refuses are left out. */
async function quotedProblems(engine: Engine, count: number): Promise<readonly Problem[]> {
  const markets = marketsAt(100n, NOW);
  const source: MarketSource = {
    chain: async (id) => present(markets.get(id), 'market'),
    async owner(id, owner) {
      const { tokens } = present(
        network.chains.find(({ chainId }) => chainId === id),
        'chain',
      );
      const by = (read: (token: EvmAddress) => bigint) =>
        new Map(tokens.map(({ address }) => [address, read(address)] as const));
      return {
        balances: by((token) => heldBy(owner, id, token)),
        allowances: by(() => 2n ** 255n),
      };
    },
  };
  const draw = numbersFrom(1);
  const problems: Problem[] = [];
  const quoter = createQuoter({
    network,
    source,
    clock: { now: () => NOW, nowMs: () => NOW * 1000, sleep: async () => {} },
    rng: { bytes: (n) => Uint8Array.from({ length: n }, () => Math.floor(256 * draw())) },
    auctioneer: evmAddress(`0x${'22'.repeat(20)}`),
    solve: async (_, read) => solveProblem(engine, read()),
    reserved: async () => new Map(),
    canFund: async () => null,
    store: {
      async putQuote({ problem }) {
        problems.push(JSON.parse(problem) as Problem);
      },
    },
  });
  const owners = Array.from({ length: OWNERS }, (_, k) => ownerOf(k).address);
  for (let n = 0; n < count; n += 1) {
    const { user, intent } = quoteBody(n, owners) as unknown as {
      readonly user: string;
      readonly intent: Omit<RebalanceRequest, 'owner'>;
    };
    const before = problems.length;
    const answer = await quoter.quote({ ...intent, owner: evmAddress(user.toLowerCase()) });
    if (isRefusal(answer)) problems.length = before;
  }
  return problems;
}

interface Run {
  readonly result: ProblemResult;
  readonly searchMs: number;
  readonly solveMs: number;
}

/** One problem at every gap, in turns: a busy moment slows them all alike. */
function solvedAt(engine: Engine, problem: Problem, rounds: number): readonly Run[] {
  const parsed = GAPS.map((gapBps) =>
    parseProblem({ ...problem, settings: { ...problem.settings, gapBps } }),
  );
  let best: readonly Run[] = parsed.map((one) => runOf(engine, one));
  for (let round = 1; round < rounds; round += 1) {
    best = parsed.map((one, g) => {
      const [kept, again] = [present(best[g], 'a run'), runOf(engine, one)];
      return {
        result: kept.result,
        searchMs: Math.min(kept.searchMs, again.searchMs),
        solveMs: Math.min(kept.solveMs, again.solveMs),
      };
    });
  }
  return best;
}

function runOf(engine: Engine, problem: ParsedProblem): Run {
  const begin = performance.now();
  const solution = engine.solve(problem);
  const searched = performance.now();
  const result = judge(problem, solution, engine.hash);
  return { result, searchMs: searched - begin, solveMs: performance.now() - begin };
}

/** Dollars the second is worth less; values carry 18 decimals, so they are subtracted as integers. */
function dollarsBetween(first: ProblemResult, second: ProblemResult): number {
  return Number(wad(first.value) - wad(second.value)) / 1e18;
}

function wad(text: string): bigint {
  const [, minus, whole, fraction = ''] = present(/^(-?)(\d+)(?:\.(\d*))?$/.exec(text), text);
  const size = BigInt(`${whole}${fraction.padEnd(18, '0').slice(0, 18)}`);
  return minus === '-' ? -size : size;
}

const worthAt = ({ nodes }: Problem, id: string, amount: number): number => {
  const { price, decimals } = present(
    nodes.find((node) => node.id === id),
    id,
  );
  return (amount / 10 ** decimals) * Number(price);
};

function holdingsOf({ objective }: Problem): readonly (readonly [string, bigint])[] {
  if (objective.kind !== 'rebalance') throw new Error('the quotes are rebalances');
  return Object.entries(objective.holdings).map(([id, units]) => [id, BigInt(units)] as const);
}

const worthOf = (problem: Problem): number =>
  total(holdingsOf(problem).map(([id, units]) => worthAt(problem, id, Number(units))));

/** Dollars that leave their node: other tokens, and the same on another chain. */
const soldOf = (problem: Problem, { final }: ProblemResult): number =>
  total(
    holdingsOf(problem).map(([id, units]) => {
      const left = units - BigInt(final[id] ?? '0');
      return left > 0n ? worthAt(problem, id, Number(left)) : 0;
    }),
  );

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

function bpsOf(dollars: readonly number[], of: readonly number[]) {
  const bps = dollars.map((lost, k) => (1e4 * lost) / Math.max(1e-9, of[k] ?? 0));
  return { ...spread(bps), mean: (1e4 * total(dollars)) / Math.max(1e-9, total(of)) };
}

const spread = (samples: readonly number[]): Spread => ({
  p50: median(samples),
  p99: percentile(samples, 0.99),
  worst: Math.max(...samples),
});

export function asTable({ calibrationMs, rows }: GapReport): string {
  const head =
    '| stops at, bp | proved, bp (median / p99 / worst) | value lost, bp of the portfolio (mean; median / p99 / worst) | ' +
    'of what is sold | quotes that found less / more | search, kernels | with certificate |';
  const rule = `|${'---:|'.repeat(7)}`;
  const bp = (value: number) => (Math.abs(value) < 5e-5 ? '0' : value.toPrecision(2));
  const three = ({ p50, p99, worst }: Spread) => [p50, p99, worst].map(bp).join(' / ');
  const withMean = (lost: GapRow['lost']) => `${bp(lost.mean)}; ${three(lost)}`;
  const lines = rows.map((row) => {
    const cells = [
      row.asked,
      three(row.proved),
      ...(row === rows[0] ? ['–', '–', '–'] : [withMean(row.lost), withMean(row.lostOfSold)]),
      ...(row === rows[0] ? [] : [`${row.lessFound} / ${row.moreFound}`]),
      (row.searchMs / calibrationMs).toFixed(2),
      (row.solveMs / calibrationMs).toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [head, rule, ...lines].join('\n');
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quotes: { type: 'string', default: String(QUOTES) },
      json: { type: 'boolean', default: false },
    },
  });
  const quotes = Number(values.quotes);
  if (!(Number.isInteger(quotes) && quotes >= 1 && quotes <= 100_000)) {
    console.error('usage: npm run bench -- gap [--quotes 1…100000] [--json]');
    return 2;
  }
  const engine = createEngine(readFileSync('.build/trimtab.wasm'));
  const report = await benchGap(engine, {
    quotes,
    log: (line) => console.error(`gap: ${line}`),
  });
  if (values.json) console.log(JSON.stringify(report));
  else {
    const dollars = (usd: number) => `$${Math.round(usd).toLocaleString('en-US')}`;
    console.log(
      `${report.quotes} quotes, portfolios of ${dollars(report.worthUsd)}, ${dollars(report.soldUsd)} sold; ` +
        `calibration kernel ${report.calibrationMs.toFixed(2)} ms\n\n${asTable(report)}`,
    );
  }
  return 0;
}
