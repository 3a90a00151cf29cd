// What a page that loads the core pays for it. Raise a budget knowingly, in a commit that says why.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type CoreExports, EXPORTS } from '../../solver/engine/abi.ts';

const bytes = new Uint8Array(readFileSync('.build/trimtab.wasm'));
const wasm = new WebAssembly.Module(bytes);

/** 72 KiB for the optimizer, 24 for the risk kernels and the replay that policies need. */
const BYTES_MAX = 96 * 1024;
/** As sent over the wire. */
const GZIP_MAX = 46 * 1024;
/** Address space, not memory: pages nobody writes are never backed. */
const MEMORY_MAX = 256 * 2 ** 20;

describe('the .wasm', () => {
  test('behavior: within its byte budget, plain and compressed', () => {
    const compressed = gzipSync(bytes).length;
    console.log(`trimtab.wasm: ${bytes.length} bytes, ${compressed} compressed`);
    expect(bytes.length).toBeLessThanOrEqual(BYTES_MAX);
    expect(compressed).toBeLessThanOrEqual(GZIP_MAX);
  });

  test('behavior: imports nothing, exports the documented list', () => {
    expect(WebAssembly.Module.imports(wasm)).toEqual([]);
    const names = WebAssembly.Module.exports(wasm).map(({ name }) => name);
    expect(names.toSorted()).toEqual([...EXPORTS].toSorted());
  });

  test('behavior: its memory is fixed', () => {
    const core = new WebAssembly.Instance(wasm).exports as unknown as CoreExports;
    const memory = core.memory as WebAssembly.Memory & { grow(pages: number): number };
    expect(memory.buffer.byteLength).toBeLessThanOrEqual(MEMORY_MAX);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });
});
