// trimtab verify: checks a result against its problem without running the solver. Exits 0 when it
// stands, 1 when it does not (every failure is listed), 2 when a file is not what it should be.

import type { Command } from 'commander';
import { coverage } from '../../../solver/certificate/bound.ts';
import { verify } from '../../../solver/certificate/verify.ts';
import { parseProblemText } from '../../../solver/market/problemFile.ts';
import { parseResultText } from '../../../solver/market/resultFile.ts';
import { readParsed } from './files.ts';

interface Options {
  readonly json?: true;
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('check a result: amounts, conservation, the bound from its dual prices, the gap')
    .argument('<problem.json>', 'a problem, version 1')
    .argument('<result.json>', 'what `trimtab solve --json` or GET /v1/quotes/{id}/result gave')
    .option('--json', 'print the verdict as JSON')
    .action((problemPath: string, resultPath: string, options: Options) => {
      const problem = readParsed(problemPath, parseProblemText);
      const result = readParsed(resultPath, parseResultText);
      const verdict = verify(problem, result);
      if (options.json) process.stdout.write(`${JSON.stringify(verdict, null, 2)}\n`);
      else if (verdict.ok) {
        process.stdout.write(
          `verified: value ${result.value}, bound ${result.bound}, gap ${result.gapBps} bps\n` +
            `covers: ${coverage(problem)}\n`,
        );
      } else {
        process.stdout.write('rejected:\n');
        for (const { pointer, message } of verdict.failures) {
          process.stdout.write(`  ${resultPath}#${pointer}: ${message}\n`);
        }
      }
      if (!verdict.ok) process.exitCode = 1;
    });
}
