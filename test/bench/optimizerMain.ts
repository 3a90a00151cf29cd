// `npm run bench -- optimizer`: its options, and where its figures go (optimizer.ts measures).

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchOptimizer } from './optimizer.ts';
import { plot } from './plot.ts';
import { asMarkdown, asText } from './report.ts';

/** 1: a rival's plan is worth more than ours. */
export async function main(args: string[]): Promise<number> {
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
