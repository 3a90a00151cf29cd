// An instance of the core: checked against the ABI when it is made, discarded when it traps. Refuses
// modules that import anything or export another list.

import { assert, Defect } from '../types/assert.ts';
import { ABI_VERSION, type CoreExports, EXPORTS, type RiskExports, SIZE } from './abi.ts';

/** A new instance with memory of its own. Throws Defect if it is not this version's core. */
export function instantiate(wasm: WebAssembly.Module): CoreExports & RiskExports {
  assert(WebAssembly.Module.imports(wasm).length === 0, 'the core imports nothing');
  const { exports } = new WebAssembly.Instance(wasm);
  const names = Object.keys(exports).toSorted();
  assert(
    names.join() === EXPORTS.join(),
    `the core exports ${EXPORTS.join(', ')}; these bytes export ${names.join(', ')}`,
  );
  const core = exports as unknown as CoreExports & RiskExports;
  assert(core.abi() === ABI_VERSION, `core ABI ${core.abi()}, host ABI ${ABI_VERSION}`);
  Object.entries(SIZE).forEach(([name, bytes], k) => {
    assert(core.sizes(k) === bytes, `record ${name}: ${core.sizes(k)} bytes, expected ${bytes}`);
  });
  return core;
}

/** Runs the core. After a trap its memory is not to be trusted: discards it, reports the defect. */
export function guarded(run: () => void, discard: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    discard();
    throw new Defect(`the core trapped: ${error.message}`);
  }
}
