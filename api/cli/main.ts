// The command line: assembles the commands, maps failures to exit codes.
//   0 done · 1 the answer is no (rejected, refunded, failed) · 2 bad input or usage · 3 a fault outside

import { Command, CommanderError } from 'commander';
import { Fault, InvalidInput } from '../../solver/types/errors.ts';
import { TrimtabError } from '../client/index.ts';
import { registerBench } from './bench.ts';
import { registerBuild } from './build.ts';
import { registerBacktest } from './commands/backtest.ts';
import { registerNetwork } from './commands/network.ts';
import { registerOrders } from './commands/orders.ts';
import { registerDrift, registerPolicy } from './commands/policy.ts';
import { Declined, registerQuote } from './commands/quote.ts';
import { registerReplay } from './commands/replay.ts';
import { registerSolve } from './commands/solve.ts';
import { registerSolver } from './commands/solver.ts';
import { registerVerify } from './commands/verify.ts';
import { registerDoctor } from './doctor/command.ts';
import { RefusedByService } from './http.ts';
import { registerServe } from './serve/command.ts';
import { registerStart } from './start.ts';

/** Every command; nothing is run. */
export function commands(): Command {
  const program = new Command('trimtab')
    .description('One signed order moves a whole portfolio, over several chains.')
    .exitOverride()
    .showHelpAfterError();
  registerBuild(program);
  registerStart(program);
  registerServe(program);
  registerDoctor(program);
  registerQuote(program);
  registerOrders(program);
  registerNetwork(program);
  registerSolve(program);
  registerSolver(program);
  registerVerify(program);
  registerPolicy(program);
  registerDrift(program);
  registerBacktest(program);
  registerReplay(program);
  registerBench(program);
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  const program = commands();
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Of an answer that is an error. A budget that is used up is no answer to what was asked. */
const exitOf = (status: number): number =>
  status === 400 ? 2 : status >= 500 || status === 429 ? 3 : 1;

/** Says on stderr what went wrong and answers the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InvalidInput) {
    console.error(`error: ${error.pointer ? `${error.pointer}: ` : ''}${error.message}`);
    return 2;
  }
  if (error instanceof Fault) {
    console.error(`error: ${error.message}`);
    if (error.cause instanceof Error) console.error(`  because: ${error.cause.message}`);
    return 3;
  }
  if (error instanceof RefusedByService) {
    const { status, pointer, remedy } = error.problem;
    console.error(`error: ${pointer ? `${pointer}: ` : ''}${error.message}`);
    if (remedy !== undefined) console.error(`  ${remedy}`);
    return exitOf(Number(status));
  }
  if (error instanceof TrimtabError) {
    const { pointer, remedy, status, code } = error;
    console.error(`error: ${pointer ? `${pointer}: ` : ''}${error.message}`);
    if (remedy !== undefined) console.error(`  ${remedy}`);
    if (status !== undefined) return exitOf(status);
    if (code === 'invalidArgument') return 2;
    return code === 'mismatch' || code === 'certificateRejected' ? 1 : 3;
  }
  if (error instanceof Declined) {
    console.error(error.message);
    return 1;
  }
  console.error(error);
  return 3;
}
