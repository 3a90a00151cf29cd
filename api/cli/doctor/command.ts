// The flags of `trimtab doctor`; what it looks with is loaded when it is asked for.

import type { Command } from 'commander';
import type { DoctorFlags } from './flags.ts';

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at machine, build, database, chains, contracts, feeds, accounts and service')
    .option('--api <url>', 'a running service to ask as well')
    .option('--network <file>', 'network.json; default: TRIMTAB_NETWORK, else the lab’s')
    .option('--json', 'one JSON object: { ok, findings }')
    .action(async (flags: DoctorFlags) => (await import('./doctor.ts')).doctor(flags));
}
