// `npm run bench -- backtest [speed] [costs] [others] [model] [optimum]
// [covariances] [--json]`: what a backtest takes and shows.
//   speed   seconds for 20 assets × 8,760 hours and for BTC/ETH's 72,698, file to answer: four rivals
//           and two rules swept, the policy hour by hour, 400 draws, the bound; calibration kernel beside
//   costs   our rule over the best tuned rival on BTC/ETH at several ε and F
//   others  the same for other targets, daily prices of four coins, seeded paths of 8 and 20 assets
//   model   pairs compressed against pairs alone, on seeded Brownian paths: where COMPRESSION comes from
//   optimum how far pairs are from the best of all rules in the model, 50/30/20 under the prior
//   covariances the rule under three forecasts, and what tracking-error budgets realise under each
// Without a name: all of them. Everything but the seconds is the same on every machine.

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Backtest, backtest } from '../../solver/backtest/backtest.ts';
import { type PriceHistory, parsePrices, pricesOf } from '../../solver/backtest/prices.ts';
import { createReplayKernel } from '../../solver/engine/replay.ts';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { parsePolicy } from '../../solver/policy/parse.ts';
import { historyOf, market, mulberry, path } from '../backtest/support.ts';
import { hourlyCloses } from '../data/marketData.ts';
import { covariances } from './covariances.ts';
import { optimum } from './optimum.ts';
import { calibrate } from './statistics.ts';
import { WASM } from './wasm.ts';

const ERRORS = [0.005, 0.01, 0.02, 0.04];
const ROUNDS = 3;
const PARTS: readonly string[] = ['speed', 'costs', 'others', 'model', 'optimum', 'covariances'];
const wasm = new Uint8Array(readFileSync(WASM));
const kernels = { risk: createRiskKernel(wasm), replay: createReplayKernel(wasm) };

type Targets = Readonly<Record<string, string>>;
const PLAIN: Targets = { BTC: '0.5', ETH: '0.3', CASH: '0.2' };

export function main(args: readonly string[]): number {
  const { values, positionals: named } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const unknown = named.find((name) => !PARTS.includes(name));
  if (unknown !== undefined) {
    console.error(`usage: npm run bench -- backtest [${PARTS.join('] [')}] [--json]`);
    return 2;
  }
  const wants = (name: string) => named.length === 0 || named.includes(name);
  const answer: Record<string, unknown> = {};
  if (wants('speed')) answer.speed = speed();
  if (wants('costs')) answer.costs = costs();
  if (wants('others')) answer.others = others();
  if (wants('model')) answer.model = model();
  if (wants('optimum')) answer.optimum = best();
  if (wants('covariances')) answer.covariances = compared();
  if (values.json) console.log(JSON.stringify(answer));
  return 0;
}

function btcEth(): string {
  const { ts, btc, eth } = hourlyCloses();
  const lines = Array.from(ts, (time, k) => `${time},${btc[k]},${eth[k]}`);
  return ['timestamp,BTC,ETH', ...lines].join('\n');
}

/** Twenty coins and cash, a year of hours, with weeks calm and wild. */
function twenty(): { readonly text: string; readonly targets: Targets } {
  const random = mulberry(20);
  const n = 21;
  const prices = path(market(n, random), 8_760, random, true);
  const names = Array.from({ length: n - 1 }, (_, k) => `A${k}`);
  const rows = Array.from({ length: 8_760 }, (_, k) =>
    [1_600_000_000 + 3600 * k, ...prices.subarray(k * n, k * n + n - 1)].join(','),
  );
  const targets = Object.fromEntries([...names.map((name) => [name, '0.045']), ['CASH', '0.1']]);
  return { text: [['timestamp', ...names].join(','), ...rows].join('\n'), targets };
}

function speed() {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const { ns: calibrationNs } = calibrate();
  console.log(`${cpu}, ${cpus().length} cores, Node ${process.versions.node}`);
  console.log(`calibration kernel ${(calibrationNs / 1e6).toFixed(2)} ms; best of ${ROUNDS}\n`);
  const year = twenty();
  const cases = [
    ['20 assets and cash × 8,760 hours', year.text, year.targets],
    ['BTC/ETH/cash × 72,698 hours', btcEth(), PLAIN],
  ] as const;
  return cases.map(([name, text, targets]) => {
    const rounds = Array.from({ length: ROUNDS }, () => {
      const [wall, cpuBefore] = [performance.now(), process.cpuUsage()];
      run(parsePrices(text), targets, 0.003, 0, ERRORS);
      const { user, system } = process.cpuUsage(cpuBefore);
      return { wall: (performance.now() - wall) / 1e3, cpu: (user + system) / 1e6 };
    });
    const best = rounds.reduce((a, b) => (b.wall < a.wall ? b : a));
    const ratio = (best.wall * 1e9) / calibrationNs;
    console.log(
      `${name}: ${best.wall.toFixed(2)} s (${best.cpu.toFixed(2)} s of CPU), ` +
        `${ratio.toFixed(0)} calibration kernels`,
    );
    return { name, seconds: best.wall, cpuSeconds: best.cpu, ratio };
  });
}

function run(
  history: PriceHistory,
  targets: Targets,
  proportional: number,
  fixed: number,
  errors: readonly number[],
): Backtest {
  const policy = parsePolicy({ targets });
  return backtest(policy, history, kernels, { costs: { proportional, fixed }, errors, seed: 1 });
}

function show(title: string, result: Backtest) {
  const rows = result.frontier.map(({ te, families, ratioToBest, ratioToReference }) => ({
    te,
    rule: families.rule?.value ?? null,
    reference: families.reference?.value ?? null,
    toEdge: families.toEdge?.value ?? null,
    ratioToBest,
    ratioToReference,
  }));
  const cell = (figure: Backtest['frontier'][number]['ratioToBest']) =>
    figure === null
      ? '–'
      : figure.interval === null
        ? figure.value.toFixed(3)
        : `${figure.value.toFixed(3)} [${figure.interval.low.toFixed(3)}, ${figure.interval.high.toFixed(3)}]`;
  const bps = (value: number | null) => (value === null ? '–' : (value * 1e4).toFixed(2));
  for (const row of rows) {
    console.log(
      `| ${title} | ${(row.te * 100).toFixed(1)} % | ${bps(row.toEdge)} | ${bps(row.reference)} | ` +
        `${bps(row.rule)} | ${cell(row.ratioToBest)} | ${cell(row.ratioToReference)} |`,
    );
  }
  return { title, rows };
}

const HEAD =
  '| case | TE | to edge | pairs, prior | our rule | our rule/best rival | our rule/pairs |\n|---|---|---|---|---|---|---|';

function costs() {
  console.log(HEAD);
  const history = parsePrices(btcEth());
  const cases: readonly (readonly [number, number])[] = [
    [0.003, 0],
    [0.001, 0],
    [0.01, 0],
    [0.003, 1e-6],
    [0.003, 1e-5],
    [0.003, 3e-5],
    [0.003, 1e-4],
    [0.003, 3e-4],
    [0.003, 1e-3],
  ];
  return cases.map(([proportional, fixed]) =>
    show(
      `ε ${proportional * 1e4}, F ${Number((fixed * 1e4).toPrecision(3))} bps`,
      run(history, PLAIN, proportional, fixed, ERRORS),
    ),
  );
}

function others() {
  console.log(HEAD);
  const hourly = parsePrices(btcEth());
  const oneCoin = (keep: 'BTC' | 'ETH'): PriceHistory => {
    const column = hourly.assets.indexOf(keep);
    const kept = Float64Array.from(hourly.times, (_, k) => hourly.closes[2 * k + column] as number);
    return { ...hourly, assets: [keep], closes: kept };
  };
  const file = new URL('../data/btc_eth_ltc_xrp_1d_2018_2025-03.csv.gz', import.meta.url);
  const daily = parsePrices(gunzipSync(readFileSync(file)).toString('ascii'));
  const coins = { BTC: '0.3', ETH: '0.25', LTC: '0.15', XRP: '0.1', CASH: '0.2' };
  const answers = [
    show('BTC/cash 50/50', run(oneCoin('BTC'), { BTC: '0.5', CASH: '0.5' }, 0.003, 0, ERRORS)),
    show('BTC/ETH 50/50', run(hourly, { BTC: '0.5', ETH: '0.5' }, 0.003, 0, ERRORS)),
    show(
      'BTC/ETH/cash 20/20/60',
      run(hourly, { BTC: '0.2', ETH: '0.2', CASH: '0.6' }, 0.003, 0, ERRORS),
    ),
    show(
      'BTC/ETH/cash 70/25/5',
      run(hourly, { BTC: '0.7', ETH: '0.25', CASH: '0.05' }, 0.003, 0, ERRORS),
    ),
    show('four coins, daily', run(daily, coins, 0.003, 0, [0.02, 0.04])),
  ];
  for (const [n, seed] of SYNTHETIC) {
    const { history, targets } = synthetic(n, seed);
    const result = run(history, targets, 0.003, 0, [0.005, 0.01, 0.02]);
    answers.push(show(`${n} assets, seed ${seed}`, result));
  }
  return answers;
}

const SYNTHETIC = [
  [8, 1],
  [8, 2],
  [20, 1],
  [20, 2],
] as const;

/** Two years of hours, weeks calm and wild; targets from 1 to 4 parts. */
function synthetic(n: number, seed: number) {
  const random = mulberry(seed);
  const prices = path(market(n, random), 17_521, random, true);
  const names = Array.from({ length: n }, (_, k) => (k === n - 1 ? 'CASH' : `A${k}`));
  const raw = names.map((_, k) => 1 + (k % 4));
  const sum = raw.reduce((a, b) => a + b, 0);
  const rounded = raw.map((w) => Math.floor((1e4 * w) / sum));
  rounded[n - 1] = (rounded[n - 1] ?? 0) + 1e4 - rounded.reduce((a, b) => a + b, 0);
  const targets = Object.fromEntries(names.map((name, k) => [name, `${(rounded[k] ?? 0) / 1e4}`]));
  return { history: historyOf(prices, names), targets };
}

function compared() {
  console.log(
    '| case | covariance | 0.5 % | 1 % | 2 % | budget 1 % | 2 % | 4 % |\n|---|---|---|---|---|---|---|---|',
  );
  const cases: readonly (readonly [string, PriceHistory, Targets])[] = [
    ['BTC/ETH/cash', parsePrices(btcEth()), PLAIN],
    ...SYNTHETIC.map(([n, seed]) => {
      const { history, targets } = synthetic(n, seed);
      return [`${n} assets, seed ${seed}`, history, targets] as const;
    }),
  ];
  return cases.map(([title, history, targets]) => {
    const policy = parsePolicy({ targets });
    const prices = pricesOf(history, policy.assets);
    const rows = covariances(kernels.risk, policy, prices, [0.005, 0.01, 0.02]);
    for (const { name, costs, realised } of rows) {
      const bps = costs.map((cost) => (cost === null ? '–' : (cost * 1e4).toFixed(2)));
      const errors = realised.map(
        ({ te, over }) => `${(te * 100).toFixed(2)} % × ${over > 0 ? over.toFixed(2) : '–'}`,
      );
      console.log(`| ${[title, name, ...bps, ...errors].join(' | ')} |`);
    }
    return { title, rows };
  });
}

/** Cost × TE, which a wider or narrower band does not change, of compressed pairs over pairs alone. */
function model() {
  console.log('| assets | compressed/alone, mean over 6 markets | worst |\n|---|---|---|');
  return [3, 4, 6, 9, 14, 21].map((n) => {
    const ratios = Array.from({ length: 6 }, (_, seed) => {
      const random = mulberry(1_000 * n + seed);
      const one = market(n, random);
      const rows = Math.round(400_000 / n) + 20_000;
      const replay = kernels.replay.load({
        ...one,
        prior: one.covariance,
        prices: path(one, rows, random),
        perYear: 8760,
        forecast: { decay: 1, share: 0, every: 24, from: 0 },
        blockSteps: 168,
      });
      const product = (kind: 'reference' | 'rule') =>
        [8, 30].reduce((sum, kappa) => {
          const { cost, te } = replay.run({ kind }, kappa, { proportional: 0.003, fixed: 0 });
          return sum + Math.log(cost * te) / 2;
        }, 0);
      return Math.exp(product('rule') - product('reference'));
    });
    const mean = ratios.reduce((a, b) => a + b, 0) / ratios.length;
    const worst = Math.max(...ratios);
    console.log(`| ${n} | ${mean.toFixed(4)} | ${worst.toFixed(4)} |`);
    return { assets: n, mean, worst };
  });
}

function best() {
  console.log(
    '| grid steps to the rim | pairs: cost × TE | best: cost × TE | best/pairs |\n|---|---|---|---|',
  );
  return [30, 45, 60].map((half) => {
    const found = optimum([0.5, 0.3], [0.4225, 0.442, 0.7225], 33.76, 0.003, half);
    const { pairs, best: least } = found;
    const ratio = least.product / pairs.product;
    const product = (value: number) => value.toExponential(4);
    console.log(
      `| ${half} | ${product(pairs.product)} | ${product(least.product)} | ${ratio.toFixed(4)} |`,
    );
    return { half, ...found, ratio };
  });
}
