// The core as an artifact: what it exports, how large it is, that it imports nothing, that the same
// bytes give the same bytes, and that no input whatever makes it trap.

import { readFileSync } from 'node:fs';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, test } from 'vitest';
import {
  type CoreExports,
  EXPORTS,
  HEADER,
  NODE,
  SIZE,
  STATUS,
  VENUE,
} from '../../solver/engine/abi.ts';
import { encode } from '../../solver/engine/encode.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { generate, random, SMOOTH } from '../engine/generate.ts';

const bytes = new Uint8Array(readFileSync('.build/trimtab.wasm'));
const wasm = new WebAssembly.Module(bytes);
const instance = () => new WebAssembly.Instance(wasm).exports as unknown as CoreExports;

/** Kilobytes are cheap, surprises are not: raise it knowingly, with budget.test.ts. */
const BYTES_MAX = 96 * 1024;
const PAGES = 2048;

describe('the artifact', () => {
  test('imports nothing and exports the documented list', () => {
    expect(WebAssembly.Module.imports(wasm)).toEqual([]);
    const names = WebAssembly.Module.exports(wasm).map(({ name }) => name);
    expect(names.toSorted()).toEqual([...EXPORTS]);
  });

  test('stays within its byte budget', () => {
    expect(bytes.length).toBeLessThanOrEqual(BYTES_MAX);
  });

  test('states the record sizes the host assumes', () => {
    const core = instance();
    expect(Object.keys(SIZE).map((_, k) => core.sizes(k))).toEqual(Object.values(SIZE));
  });

  test('behavior: memory never grows', () => {
    const core = instance();
    const { buffer } = core.memory;
    encode(core, parseProblem(generate(1, SMOOTH, 'rebalance').problem));
    core.solve();
    expect(core.memory.buffer === buffer).toBe(true);
    expect(buffer.byteLength).toBe(PAGES * 65_536);
  });
});

describe('solve', () => {
  test('property: the same bytes in give the same bytes out, in any instance, twice', () => {
    const [one, two] = [instance(), instance()];
    for (let seed = 1; seed <= 40; seed++) {
      const kind = seed % 2 === 0 ? 'swap' : 'rebalance';
      const problem = parseProblem(generate(seed, { ...SMOOTH, linear: 0.3 }, kind).problem);
      const answers = [one, two, one].map((core) => {
        encode(core, problem);
        core.solve();
        const end = new DataView(core.memory.buffer).getUint32(
          core.header() + HEADER.scratch,
          true,
        );
        return keccak_256(new Uint8Array(core.memory.buffer.slice(core.header(), end))).join();
      });
      expect(answers[1], `seed ${seed}`).toBe(answers[0]);
      expect(answers[2], `seed ${seed}`).toBe(answers[0]);
    }
  });

  test('error: NaN and infinities are bad input, wherever they stand', () => {
    const core = instance();
    const problem = parseProblem(generate(3, SMOOTH, 'swap').problem);
    const places = [
      [HEADER.nodes, NODE.supply],
      [HEADER.nodes, NODE.price],
      [HEADER.nodes, NODE.start],
      [HEADER.venues, VENUE.a],
      [HEADER.venues, VENUE.keep],
      [HEADER.venues, VENUE.fixedCost],
    ] as const;
    for (const [block, offset] of places) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
        encode(core, problem);
        const view = new DataView(core.memory.buffer);
        view.setFloat64(view.getUint32(core.header() + block, true) + offset, value, true);
        expect(core.solve()).toBe(STATUS.badInput);
      }
    }
  });

  test('error: counts or offsets changed after arrange are refused', () => {
    const core = instance();
    for (const offset of [HEADER.nodeCount, HEADER.venueCount, HEADER.nodes, HEADER.legs]) {
      encode(core, parseProblem(generate(4, SMOOTH, 'swap').problem));
      const view = new DataView(core.memory.buffer);
      view.setInt32(core.header() + offset, 0x7fffffff, true);
      expect(core.solve()).toBe(STATUS.badInput);
    }
  });

  test('error: more than fits is too large', () => {
    const core = instance();
    const view = new DataView(core.memory.buffer);
    view.setInt32(core.header() + HEADER.nodeCount, 4097, true);
    expect(core.arrange()).toBe(STATUS.tooLarge);
  });

  test('property: random bytes in the records never trap', () => {
    const core = instance();
    const seed = 20_261_121;
    const rng = random(seed);
    for (let round = 0; round < 600; round++) {
      const kind = round % 2 === 0 ? 'swap' : 'rebalance';
      encode(core, parseProblem(generate(1 + (round % 50), SMOOTH, kind).problem));
      const view = new DataView(core.memory.buffer);
      const [first, end] = [HEADER.nodes, HEADER.scratch].map((offset) =>
        view.getUint32(core.header() + offset, true),
      );
      const hits = rng.integer(1, 40);
      for (let hit = 0; hit < hits; hit++) {
        const at = rng.integer(first ?? 0, (end ?? 8) - 8);
        if (rng.next() < 0.3) view.setUint8(at, rng.integer(0, 255));
        else view.setFloat64(at & ~7, 10 ** rng.between(-300, 300), true);
      }
      const status = core.solve();
      expect(Object.values(STATUS), `seed ${seed}, round ${round}`).toContain(status);
    }
  });
});
