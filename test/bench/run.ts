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

interface Bench {
  readonly main: (args: string[]) => number | Promise<number>;
}

/** What `trimtab bench` knows them by (api/cli/bench.ts). Loaded once the core is built: some read it then. */
const BENCHES: ReadonlyMap<string, () => Promise<Bench>> = new Map(
  Object.entries({
    api: () => import('./api.ts'),
    backtest: () => import('./backtest.ts'),
    coupling: () => import('./coupling.ts'),
    forecasts: () => import('./forecasts.ts'),
    gap: () => import('./gap.ts'),
    hedging: () => import('./hedging.ts'),
    netting: () => import('./netting.ts'),
    optimizer: () => import('./optimizerMain.ts'),
    risk: () => import('./risk.ts'),
    stress: () => import('./stress.ts'),
  }),
);
/** They run no core. */
const WITHOUT_CORE: readonly string[] = ['forecasts'];

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  const load = BENCHES.get(name);
  if (load === undefined) {
    console.error(`usage: npm run bench -- ${[...BENCHES.keys()].join(' | ')}`);
    return 2;
  }
  if (!WITHOUT_CORE.includes(name)) build();
  const bench = await load();
  return bench.main(args);
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
