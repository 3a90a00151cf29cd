// Updates the recorded values and gaps, upward only: a better value or a narrower gap replaces the
// record, a worse one is printed and leaves it as it was.
//   npx tsx test/regression/record.ts

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createEngine } from '../../solver/engine/engine.ts';
import { corpus, RECORDS, type Row, readRecords, regression, solveItem } from './corpus.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const records = existsSync(RECORDS) ? readRecords() : new Map<string, Row>();
const worse: string[] = [];
let [better, added] = [0, 0];
const rows = corpus().map((item): Row => {
  const solved = solveItem(engine, item);
  const { row } = solved;
  const old = records.get(item.id);
  if (old === undefined) {
    added++;
    return row;
  }
  const fault = regression(solved, old);
  if (fault !== null) worse.push(fault);
  if (old[1] !== row[1]) return old;
  const value = Number(row[2]) > Number(old[2]) ? row[2] : old[2];
  const gap = Number(row[3]) < Number(old[3]) ? row[3] : old[3];
  if (value !== old[2] || gap !== old[3]) better++;
  return [row[0], row[1], value, gap];
});
mkdirSync(dirname(RECORDS), { recursive: true });
writeFileSync(RECORDS, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
console.log(`${rows.length} problems: ${added} new, ${better} better, ${worse.length} worse`);
for (const line of worse) console.log(line);
process.exitCode = worse.length === 0 ? 0 : 1;
