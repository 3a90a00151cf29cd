// A problem file → its image: the bytes from the core's header to the end of its records, which
// solve.c and the fuzzer read.
//   node --import tsx test/native/dump.ts problem.json image.bin

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createCore } from '../../solver/engine/engine.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';

const core = createCore(readFileSync('.build/trimtab.wasm'));

/** The problem as the core's own bytes. Throws InvalidInput where the core cannot take it. */
export function dumpImage(problem: ParsedProblem): Uint8Array {
  return new Uint8Array(core.encode(problem).bytes);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [from, to] = process.argv.slice(2);
  if (from === undefined || to === undefined) {
    console.error('usage: node --import tsx test/native/dump.ts problem.json image.bin');
    process.exitCode = 2;
  } else {
    writeFileSync(to, dumpImage(parseProblem(JSON.parse(readFileSync(from, 'utf8')))));
  }
}
