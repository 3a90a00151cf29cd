// npm run bench -- optimizer [--quick] [--json] [--only a,b] [--plot FILE.svg] [--markdown FILE.md]
//   --quick     seconds: two cases of each small size, no rivals; prints the same result hash anywhere
//   --only      kinds (smooth, mixed, linear, fixedCost, real, survey), sizes (100/20), engines
//   --plot      time over size by engine, log-log
// npm run bench -- api [--quick] [--json] [--seconds N]
// npm run bench -- backtest [speed] [costs] [others] [model] [optimum] [--json]
// npm run bench -- coupling [--json] [--days N] [--hours N] [--worth N,N]
// npm run bench -- forecasts [--json] [--horizon N,N] [--refit DAYS]
// npm run bench -- gap [--quotes N] [--json]
// npm run bench -- hedging [--paths N] [--seed N] [--json]
// npm run bench -- netting [--markets N] [--sizes N,N] [--json]
// npm run bench -- risk [--json]
// npm run bench -- stress [--json]
// Also as `trimtab bench NAME …`. Progress goes to stderr. Exits 1 when the figures say no (a rival's plan is
// worth more than ours), 2 on bad usage, 3 when a bench breaks, as every command of ours does.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { main as api } from './api.ts';
import { main as backtest } from './backtest.ts';
import { main as coupling } from './coupling.ts';
import { main as forecasts } from './forecasts.ts';
import { main as gap } from './gap.ts';
import { main as hedging } from './hedging.ts';
import { main as netting } from './netting.ts';
import { benchOptimizer } from './optimizer.ts';
import { plot } from './plot.ts';
import { asMarkdown, asText } from './report.ts';
import { main as risk } from './risk.ts';
import { main as stress } from './stress.ts';

type Bench = (args: string[]) => number | Promise<number>;

/** What `trimtab bench` knows them by (api/cli/bench.ts). */
const BENCHES: ReadonlyMap<string, Bench> = new Map<string, Bench>(
  Object.entries({
    api,
    backtest,
    coupling,
    forecasts,
    gap,
    hedging,
    netting,
    optimizer,
    risk,
    stress,
  }),
);
/** They run no core. */
const WITHOUT_CORE: readonly string[] = ['forecasts'];

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  const bench = BENCHES.get(name);
  if (bench === undefined) {
    console.error(`usage: npm run bench -- ${[...BENCHES.keys()].join(' | ')}`);
    return 2;
  }
  if (!WITHOUT_CORE.includes(name)) build();
  return bench(args);
}

async function optimizer(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      plot: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const report = await benchOptimizer({
    quick: values.quick,
    only: values.only.split(',').filter((name) => name !== ''),
    log: (line) => console.error(`done: ${line}`),
  });
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const machine = `${cpu}, ${cpus().length} cores, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  console.log(
    values.json ? JSON.stringify({ machine, ...report }) : `${machine}\n\n${asText(report)}`,
  );
  if (values.markdown !== undefined) {
    writeFileSync(
      values.markdown,
      `\`npm run bench -- optimizer\` on ${machine}:\n\n${asMarkdown(report)}\n`,
    );
  }
  if (values.plot !== undefined) writeFileSync(values.plot, plot(report.rows));
  return report.violations.length === 0 ? 0 : 1;
}

function build(): void {
  const built = spawnSync(process.execPath, ['assembly/build.mjs'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (built.status !== 0) throw new Error('the core does not build: node assembly/build.mjs');
}

/** An option that a bench does not have is its caller's mistake; anything else is a fault of the run. */
function failed(error: unknown): number {
  const { code = '', message } = error as { readonly code?: string; readonly message: string };
  if (!code.startsWith('ERR_PARSE_ARGS')) {
    console.error(error);
    return 3;
  }
  console.error(`error: ${message}`);
  return 2;
}

process.exitCode = await main(process.argv.slice(2)).catch(failed);
