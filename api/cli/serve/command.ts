// The flags of `trimtab serve`. What runs behind them is loaded only when it is asked for: the other
// commands need not wait for chains, database and server.

import type { Command } from 'commander';
import type { ServeFlags } from './config.ts';

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('one role of the service, for production, until it is told to stop')
    .option('--role <role>', 'api, worker, keeper or all')
    .option('--network <file>', 'network.json: chains, contracts, tokens, pools (TRIMTAB_NETWORK)')
    .option('--settings <file>', 'JSON with times and limits to change (TRIMTAB_SETTINGS)')
    .option('--host <address>', 'where the API listens', '127.0.0.1')
    .option('--port <number>', 'the API’s port; 0 takes any free one', '8787')
    .option('--ops-host <address>', 'where /metrics, /healthz and /readyz listen', '127.0.0.1')
    .option('--ops-port <number>', 'their port; 0 takes any free one', '9464')
    .action(async (flags: ServeFlags) => (await import('./serve.ts')).serve(flags));
}
