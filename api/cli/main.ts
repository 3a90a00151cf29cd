// The command line: assembles the commands, maps failures to exit codes.
//   0 done · 1 the answer is no (rejected, refunded, failed) · 2 bad input or usage · 3 a fault outside

import { Command, CommanderError } from 'commander';
import { Fault, InvalidInput } from '../../solver/types/errors.ts';
import { registerBuild } from './build.ts';
import { registerBacktest } from './commands/backtest.ts';
import { registerDrift, registerPolicy } from './commands/policy.ts';
import { registerReplay } from './commands/replay.ts';
import { registerSolve } from './commands/solve.ts';
import { registerSolver } from './commands/solver.ts';
import { registerVerify } from './commands/verify.ts';
import { RefusedByService } from './http.ts';
import { registerServe } from './serve/command.ts';
import { registerStart } from './start.ts';

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('trimtab')
    .description('One signed order moves a whole portfolio, over several chains.')
    .exitOverride()
    .showHelpAfterError();
  registerBuild(program);
  registerStart(program);
  registerServe(program);
  registerSolve(program);
  registerSolver(program);
  registerVerify(program);
  registerPolicy(program);
  registerDrift(program);
  registerBacktest(program);
  registerReplay(program);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

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
    return Number(status) === 400 ? 2 : Number(status) >= 500 ? 3 : 1;
  }
  console.error(error);
  return 3;
}
