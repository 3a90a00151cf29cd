// npm run bench -- optimizer [--quick] [--json] [--only a,b] [--plot FILE.svg] [--markdown FILE.md]
//   --quick     seconds: two cases of each small size, no rivals; prints the same result hash anywhere
//   --only      kinds (smooth, mixed, linear, fixedCost, real, survey), sizes (100/20), engines
//   --plot      time over size by engine, log-log
// npm run bench -- api [--quick] [--json] [--seconds N]
// npm run bench -- backtest [speed] [costs] [others] [model] [optimum] [--json]
// npm run bench -- coupling [--json] [--days N] [--hours N] [--worth N,N]
// npm run bench -- forecasts [--json] [--horizon N,N] [--refit DAYS]
// npm run bench -- hedging [--paths N] [--seed N] [--json]
// npm run bench -- netting [--markets N] [--sizes N,N] [--json]
// npm run bench -- risk [--json]
// npm run bench -- stress [--json]
// Progress goes to stderr. Exits 1 when a rival's plan is worth more than ours, 2 on bad usage.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { main as api } from './api.ts';
import { main as backtest } from './backtest.ts';
import { main as coupling } from './coupling.ts';
import { main as forecasts } from './forecasts.ts';
import { main as hedging } from './hedging.ts';
import { main as netting } from './netting.ts';
import { benchOptimizer } from './optimizer.ts';
import { plot } from './plot.ts';
import { asMarkdown, asText } from './report.ts';
import { main as risk } from './risk.ts';
import { main as stress } from './stress.ts';

const USAGE =
  'usage: npm run bench -- optimizer [--quick] [--json] [--only a,b] [--plot FILE] [--markdown FILE]';

async function main(): Promise<number> {
  if (process.argv[2] === 'api') {
    build();
    return api(process.argv.slice(3));
  }
  if (process.argv[2] === 'backtest') {
    build();
    return backtest(process.argv.slice(3));
  }
  if (process.argv[2] === 'coupling') {
    build();
    return coupling(process.argv.slice(3));
  }
  if (process.argv[2] === 'forecasts') return forecasts(process.argv.slice(3));
  if (process.argv[2] === 'hedging') {
    build();
    return hedging(process.argv.slice(3));
  }
  if (process.argv[2] === 'netting') {
    build();
    return netting(process.argv.slice(3));
  }
  if (process.argv[2] === 'risk') {
    build();
    return risk(process.argv.slice(3));
  }
  if (process.argv[2] === 'stress') {
    build();
    return stress(process.argv.slice(3));
  }
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      plot: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  if (positionals.join() !== 'optimizer') {
    console.error(USAGE);
    return 2;
  }
  build();
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

process.exitCode = await main();
