// A rebalance in slices through the keeper: what a decision remembers goes with its proposal, is kept when
// that is signed and forgotten when it is not, and survives kill −9 before and after every write.

import { describe, expect, test } from 'vitest';
import {
  executionAfter,
  executionExpected,
  executionSigned,
  freshMemory,
  historyOf,
  type Memory,
  memoryOf,
  memoryToJson,
} from '../../solver/keeper/memory.ts';
import type { ExecutionHistory } from '../../solver/policy/execution/types.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import type { PolicyId } from '../../solver/types/ids.ts';
import { SimPolicyStore } from './sim/store.ts';
import { CALM, Crash, DOCUMENT, type Fates, type Script, World } from './sim/world.ts';

/** Three slices, a minute apart; the cooldown of half a minute lies between. */
const SLICED: Script = {
  document: { ...DOCUMENT, execution: { slices: { over: '180s', count: 3 } } },
  prices: [[20, 2_600]],
  seconds: 330,
};

async function play(script: Script, fates: Fates): Promise<{ world: World; id: PolicyId }> {
  let world: World | null = null;
  const store = new SimPolicyStore(() => world?.nowMs ?? 0);
  world = new World(store, script, fates);
  const id = await world.arm();
  await world.run();
  return { world, id };
}

async function storyOf(world: World, id: PolicyId) {
  const { row, events, proposals } = await world.store.dump(id);
  const causes = events.filter(({ type }) => type === 'policy.proposed').map((e) => e.data.code);
  const settled = world.orders.filter((order) => order.row.state === 'settled').length;
  return { memory: memoryOf(row.memory), causes, settled, proposals: [...proposals].reverse() };
}

describe('what is remembered of execution', () => {
  const at = (seconds: number) => unixSeconds(1_800_000_000 + seconds);
  const said: ExecutionHistory = {
    gas: [
      { at: at(0), usd: 2 },
      { at: at(3_600), usd: 3 },
    ],
    waitingSince: at(3_600),
    slices: { since: at(10), from: [0.7, 0.3], landing: [0.5, 0.5], done: 1 },
  };
  const before: Memory['execution'] = { ...said, gas: said.gas.slice(0, 1), slices: null };

  test('default: what rests is kept whole; of a trade the gas alone, the rest once it is signed', () => {
    expect(executionAfter(before, { kind: 'idle', executionHistory: said })).toEqual(said);
    const proposed = executionAfter(before, { kind: 'act', executionHistory: said });
    expect(proposed).toEqual({ ...before, gas: said.gas });
    const expected = { execution: executionExpected({ executionHistory: said }) };
    expect(JSON.stringify(expected)).not.toContain('usd');
    expect(executionSigned(proposed, expected)).toEqual(said);
  });

  test('behavior: a policy without any of it, and a proposal made before there was', () => {
    expect(executionAfter(null, { kind: 'idle' })).toBeNull();
    expect(executionExpected({})).toBeNull();
    expect(executionSigned(before, { execution: null })).toBe(before);
    expect(executionSigned(null, {})).toBeNull();
  });

  test('behavior: through JSON and back; nothing remembered lies after now; older rows have none', () => {
    const memory = { ...freshMemory(at(0)), execution: said };
    const read = memoryOf(memoryToJson(memory));
    expect(read.execution).toEqual(said);
    expect(historyOf(read, at(5_000)).execution).toEqual(said);
    const early = historyOf(read, at(5)).execution;
    expect([early?.waitingSince, early?.slices?.since]).toEqual([at(5), at(5)]);
    const { execution: _, ...older } = memoryToJson(memory);
    expect(memoryOf(older).execution).toBeNull();
    expect('execution' in historyOf(memoryOf(older), at(5))).toBe(false);
  });
});

describe('slices through the keeper', () => {
  test('default: what a decision remembers is stored when signed, and read back', async () => {
    const { world, id } = await play(SLICED, CALM);
    const { memory, causes, settled, proposals } = await storyOf(world, id);
    expect(world.violations).toEqual([]);
    expect(causes).toEqual(['threshold', 'schedule', 'schedule']);
    expect(settled).toBe(3);
    expect(memory.execution).toMatchObject({ waitingSince: null, slices: null });
    expect(Math.abs(world.wethWeight - 0.5)).toBeLessThan(0.002);
    const turnovers = proposals.map(({ expected }) => Number(expected.turnover));
    const [first = Number.NaN] = turnovers;
    // Equal slices, but for what each settlement costs and for whole basis points.
    for (const turnover of turnovers) expect(Math.abs(turnover / first - 1)).toBeLessThan(0.05);
    expect(proposals.map(({ expected }) => expected.execution)).toMatchObject([
      { slices: { done: 1 } },
      { slices: { done: 2 } },
      { slices: null },
    ]);
  });

  test('behavior: an unsigned slice is not remembered as done, the next makes it up', async () => {
    const { world, id } = await play({ ...SLICED, signs: [2, 'never'] }, CALM);
    const { causes, settled } = await storyOf(world, id);
    expect(world.violations).toEqual([]);
    expect(causes.slice(0, 3)).toEqual(['threshold', 'schedule', 'schedule']);
    expect(settled).toBeGreaterThanOrEqual(2);
    expect(Math.abs(world.wethWeight - 0.5)).toBeLessThan(0.002);
  });

  test('property: kill −9 before and after every write: no slice twice, none lost', async () => {
    const peace = await play(SLICED, CALM);
    for (let effect = 1; effect <= peace.world.writes; effect++) {
      let died = false;
      const { world, id } = await play(SLICED, {
        effect(_side, name, { writes }) {
          if (name === 'release' || writes !== effect || died) return;
          died = true;
          throw new Crash();
        },
      });
      const { memory, settled } = await storyOf(world, id);
      const hint = `dead at effect ${effect}`;
      expect(world.violations, hint).toEqual([]);
      expect(settled, hint).toBeLessThanOrEqual(3);
      expect(memory.execution?.slices, hint).toBeNull();
      expect(Math.abs(world.wethWeight - 0.5), hint).toBeLessThan(0.002);
    }
  });
});

describe('gas through the keeper', () => {
  test('behavior: every hour’s gas is remembered once, whether it rests or acts', async () => {
    const document = {
      targets: { WETH: '0.5', USDC: '0.5' },
      execution: { gasTiming: { maxWait: '6h' } },
    };
    const { world, id } = await play({ document, seconds: 60 }, CALM);
    const { memory } = await storyOf(world, id);
    expect(world.violations).toEqual([]);
    expect(memory.execution?.gas).toHaveLength(1);
    expect(memory.execution?.gas[0]?.usd).toBeGreaterThan(0);
  });
});
