// trimtab solve: the optimizer alone on a problem file. The result goes to stdout, timings and the
// core's hash to stderr: results are content, and the same problem must give the same bytes.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { coverage } from '../../../solver/certificate/bound.ts';
import { createEngine } from '../../../solver/engine/engine.ts';
import { formatDecimal } from '../../../solver/market/decimal.ts';
import type { ParsedProblem } from '../../../solver/market/parsedProblem.ts';
import { parseProblemText } from '../../../solver/market/problemFile.ts';
import { solveProblem } from '../../../solver/quoting/solve.ts';
import { present } from '../../../solver/types/assert.ts';
import type { NodeAmount, ProblemResult } from '../../../solver/types/problem.ts';
import { buildCore, wasmPath } from '../build.ts';
import { readParsed, writeText } from './files.ts';

interface Options {
  readonly json?: true;
  readonly out?: string;
}

/** Exits 0 with a plan, 1 when there is none (the result says why), 2 on bad input. */
export function registerSolve(program: Command): void {
  program
    .command('solve')
    .description('find the best plan for a problem file and prove how close to the best it is')
    .argument('<problem.json>', 'a problem, version 1')
    .option('--json', 'print the result as JSON')
    .option('--out <file>', 'write the result as JSON to a file')
    .action((path: string, options: Options) => solve(path, options));
}

async function solve(path: string, options: Options): Promise<void> {
  const started = performance.now();
  const problem = readParsed(path, parseProblemText);
  await buildCore(() => {});
  const engine = createEngine(readFileSync(wasmPath));
  const ready = performance.now();
  const result = solveProblem(engine, problem);
  const done = performance.now();
  const json = `${JSON.stringify(result, null, 2)}\n`;
  if (options.out !== undefined) writeText(options.out, json);
  if (options.json) process.stdout.write(json);
  else process.stdout.write(table(problem, result));
  const ms = (from: number, to: number) => `${(to - from).toFixed(1)} ms`;
  console.error(`prepared in ${ms(started, ready)}, solved and certified in ${ms(ready, done)}`);
  console.error(`core ${engine.hash}`);
  if (result.status === 'noRoute' || result.status === 'infeasible') process.exitCode = 1;
}

function table(problem: ParsedProblem, result: ProblemResult): string {
  const amount = ({ node, amount: units }: NodeAmount) => {
    const index = present(problem.nodeIndex.get(node), 'node of a leg');
    const { decimals } = present(problem.nodes[index], 'node');
    return `${formatDecimal(BigInt(units), decimals)} ${node}`;
  };
  const legs = result.legs.map((leg) => [leg.venue, amount(leg.in), '→', amount(leg.out)]);
  const money = (text: string) => `${text.replace(/(\.\d{6})\d*$/, '$1')} dollars`;
  const lines = [
    `status  ${result.status}`,
    ...columns(legs).map((line) => `leg     ${line}`),
    `value   ${money(result.value)}`,
    `bound   ${money(result.bound)}`,
    `gap     ${result.gapBps} bps`,
    `costs   fees ${money(result.costs.fees)}, impact ${money(result.costs.impact)}, ` +
      `fixed ${money(result.costs.fixed)}`,
    `covers  ${coverage(problem)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Pads every column but the last to its widest cell. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
