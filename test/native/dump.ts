// A problem file → its image: the bytes from the core's header to the end of its records, which
// solve.c, workers and browsers solve; and solving one on a bare instance.
//   node --import tsx test/native/dump.ts problem.json image.bin

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { CoreExports } from '../../solver/engine/abi.ts';
import { createCore } from '../../solver/engine/engine.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';

const wasmBytes = new Uint8Array(readFileSync('.build/trimtab.wasm'));
const wasm = new WebAssembly.Module(wasmBytes);
const core = createCore(wasmBytes);

/** The problem as the core's own bytes. Throws InvalidInput where the core cannot take it. */
export function dumpImage(problem: ParsedProblem): Uint8Array {
  return new Uint8Array(core.encode(problem).bytes);
}

/** The image after solve() in a new instance: counts first, so that `arrange` lays out the same. */
export function solveImage(image: Uint8Array): Uint8Array {
  return solveIn(newInstance(), image);
}

/** As solveImage, in an instance that may have solved others before. */
export function solveIn(instance: CoreExports, image: Uint8Array): Uint8Array {
  const block = new Uint8Array(instance.memory.buffer, instance.header(), image.length);
  block.set(image);
  instance.arrange();
  block.set(image);
  instance.solve();
  return block.slice();
}

/** A bare instance of the core. */
export function newInstance(): CoreExports {
  return new WebAssembly.Instance(wasm).exports as unknown as CoreExports;
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
