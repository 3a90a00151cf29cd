// Funds in flight count once: inputs as what they are to become, never both, in every state of an
// order.

import { describe, expect, test } from 'vitest';
import { readInFlight } from '../../solver/keeper/inFlight.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { chainId, evmAddress, hash32, type OrderId } from '../../solver/types/ids.ts';
import type { OrderStanding } from '../../solver/types/standing.ts';
import type { OrderState, StoredOrder } from '../../solver/types/store.ts';
import { network, OWNER, START, tokenOf } from './sim/world.ts';

const A = chainId(31338);
const B = chainId(31339);
const block = (timestamp: number) => ({
  number: 1n,
  hash: hash32(`0x${'11'.repeat(32)}`),
  parentHash: hash32(`0x${'00'.repeat(32)}`),
  timestamp: unixSeconds(timestamp),
});
const blocks = new Map([A, B].map((id) => [id, block(START)]));
const order = (state: OrderState, change: Partial<StoredOrder> = {}): StoredOrder => ({
  orderId: `0x${'ab'.repeat(32)}` as OrderId,
  quoteId: null,
  owner: OWNER,
  nonce: '1',
  state,
  reason: null,
  order: { openDeadline: START + 60 },
  ownerSignature: '0x',
  signatureKind: 'eip712',
  award: null,
  facts: {},
  version: 1,
  createdAtMs: START * 1_000,
  updatedAtMs: START * 1_000,
  ...change,
});
/** Sells 5 WETH on A for 9,000 dollars on B. */
const standing = (at: OrderStanding['inputs'][number]['at'], delivered = false): OrderStanding => ({
  inputs: [{ chainId: A, token: tokenOf(A, 'WETH'), amount: 5n, at }],
  outputs: [{ chainId: B, token: tokenOf(B, 'USDC'), minimum: 9_000n, delivered }],
});

async function change(row: StoredOrder, stands: OrderStanding, unfinished = true) {
  const deps = {
    network,
    standing: async () => stands,
    orders: {
      listOrders: async ({ states }: { states?: readonly OrderState[] }) =>
        states !== undefined && !unfinished ? [] : [row],
    },
  };
  const { change: moves } = await readInFlight(deps, OWNER, blocks);
  return { weth: moves.get(`${A}:WETH`) ?? 0n, usdc: moves.get(`${B}:USDC`) ?? 0n };
}

describe('readInFlight', () => {
  const cases: readonly (readonly [string, StoredOrder, OrderStanding, bigint, bigint])[] = [
    ['not open yet: spoken for', order('created'), standing('wallet'), -5n, 9_000n],
    ['opening, not taken here', order('opening'), standing('wallet'), -5n, 9_000n],
    ['in escrow: outputs instead', order('opened'), standing('escrow'), 0n, 9_000n],
    ['delivered: in the wallet already', order('filled'), standing('escrow', true), 0n, 0n],
    ['released', order('releasing'), standing('gone', true), 0n, 0n],
    ['settled, seen late at B', order('settled'), standing('gone', false), 0n, 9_000n],
    ['refunding: the input comes back', order('refunding'), standing('escrow'), 5n, 0n],
    ['refunding, partly delivered', order('refunding'), standing('escrow', true), 5n, 0n],
    ['refunded before the row says so', order('filling'), standing('gone'), 0n, 0n],
    ['cancelled by its owner', order('awarded'), standing('gone'), 0n, 0n],
    ['failed', order('failed'), standing('wallet'), 0n, 0n],
    [
      'too late to open',
      order('created', { order: { openDeadline: START - 1 } }),
      standing('wallet'),
      0n,
      0n,
    ],
  ];
  for (const [name, row, stands, weth, usdc] of cases) {
    test(`behavior: ${name}`, async () => {
      expect(await change(row, stands)).toEqual({ weth, usdc });
    });
  }

  test('behavior: an order that ended just now is still compared with older blocks', async () => {
    const row = order('settled');
    expect(await change(row, standing('gone', false), false)).toEqual({ weth: 0n, usdc: 9_000n });
    const old = order('settled', { updatedAtMs: (START - 3_600) * 1_000 });
    expect(await change(old, standing('gone', false), false)).toEqual({ weth: 0n, usdc: 0n });
  });

  test('behavior: tokens that the network does not list count for nothing', async () => {
    const strange = { chainId: A, token: evmAddress(`0x${'ff'.repeat(20)}`), amount: 1n };
    const stands = { ...standing('escrow'), inputs: [{ ...strange, at: 'wallet' as const }] };
    expect(await change(order('created'), stands)).toEqual({ weth: 0n, usdc: 9_000n });
  });
});
