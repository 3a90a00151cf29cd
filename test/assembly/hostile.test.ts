// A host that breaks every rule: whatever is written over the header and the records, whatever is
// called in whatever order, the core answers with a status and never traps, so that no file can
// take a server's instance down.

import { describe, expect, test } from 'vitest';
import { HEADER, STATUS } from '../../solver/engine/abi.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { generate, random, SMOOTH } from '../engine/generate.ts';
import { dumpImage, newInstance, solveImage, solveIn } from '../native/dump.ts';

const image = dumpImage(parseProblem(generate(4, SMOOTH, 'swap').problem));
const statuses: readonly number[] = Object.values(STATUS);
const COUNTS = [
  HEADER.nodeCount,
  HEADER.venueCount,
  HEADER.tickCount,
  HEADER.groupCount,
  HEADER.memberCount,
  HEADER.targetCount,
] as const;

describe('a hostile host', () => {
  test('error: solve before arrange', () => {
    const core = newInstance();
    expect(core.solve()).toBe(STATUS.badInput);
    new Uint8Array(core.memory.buffer, core.header(), image.length).set(image);
    expect(core.solve()).toBe(STATUS.badInput);
  });

  test('error: counts beyond their maxima, negative, or more than memory holds', () => {
    const core = newInstance();
    const view = new DataView(core.memory.buffer);
    for (const count of COUNTS) {
      for (const value of [-1, -0x80000000, 0x7fffffff, 2 ** 24]) {
        new Uint8Array(core.memory.buffer, core.header(), image.length).set(image);
        view.setInt32(core.header() + count, value, true);
        expect(core.arrange(), `count at ${count}: ${value}`).toBe(STATUS.tooLarge);
        expect(statuses).toContain(core.solve());
      }
    }
  });

  test('error: counts and offsets changed after arrange', () => {
    const core = newInstance();
    const view = new DataView(core.memory.buffer);
    const places = [
      ...COUNTS,
      HEADER.nodes,
      HEADER.venues,
      HEADER.ticks,
      HEADER.legs,
      HEADER.scratch,
    ];
    for (const place of places) {
      for (const value of [0x7fffffff, -8, 0xffff00]) {
        solveIn(core, image);
        view.setInt32(core.header() + place, value, true);
        expect(core.solve(), `${value} at ${place}`).toBe(STATUS.badInput);
      }
    }
  });

  test('behavior: a problem solved twice without a new load is solved again', () => {
    const core = newInstance();
    const first = solveIn(core, image);
    expect(statuses).toContain(core.solve());
    expect(Buffer.compare(solveIn(core, image), first)).toBe(0);
  });

  test('property: random bytes over header and records, calls in any order, never trap', () => {
    const seed = 20_261_121;
    const rng = random(seed);
    const core = newInstance();
    for (let round = 0; round < 400; round++) {
      const wild = image.slice();
      const view = new DataView(wild.buffer);
      for (let hit = rng.integer(1, 30); hit > 0; hit--) {
        const at = rng.integer(0, (hit % 3 === 0 ? 256 : wild.length) - 8);
        if (rng.next() < 0.5) view.setUint8(at, rng.integer(0, 255));
        else view.setFloat64(at & ~7, rng.pick([Number.NaN, 1e300, -0, 5e-324, -1, 1e9]), true);
      }
      const block = new Uint8Array(core.memory.buffer, core.header(), wild.length);
      for (let step = rng.integer(1, 6); step > 0; step--) {
        const action = rng.integer(0, 3);
        if (action === 0) block.set(wild);
        else {
          const status = action === 1 ? core.arrange() : action === 2 ? core.load() : core.solve();
          expect(statuses, `seed ${seed}, round ${round}`).toContain(status);
        }
      }
    }
    expect(Buffer.compare(solveIn(core, image), solveImage(image))).toBe(0);
  });
});
