// A third-party filler of the simulated world: it bids through the same door as our desk, a little
// more, learns of its awards from its own feed alone, and then behaves as told. It sends its own
// transactions; nothing of the service sends any for it.

import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { bidDigest } from '../../../contracts-abi/bidTypedData.ts';
import { awardFromJson, orderFromJson } from '../../../contracts-abi/orderJson.ts';
import { awardedOutput, declineDigest } from '../../../contracts-abi/typedData.ts';
import { instanceFromJson } from '../../../solver/auction/instance.ts';
import type { AwardedOrder } from '../../../solver/settlement/awardedOrder.ts';
import { openCall, refundCall } from '../../../solver/settlement/contracts.ts';
import { present } from '../../../solver/types/assert.ts';
import type { AuctionService, MarketEvent } from '../../../solver/types/auctionService.ts';
import {
  awardId,
  type ChainId,
  chainId,
  evmAddress,
  orderId,
  toBytes32Address,
} from '../../../solver/types/ids.ts';
import type { Call } from '../../../solver/types/ports.ts';
import type { SimChain } from './chain.ts';
import { execute, fillOne, SimRevert, slotKey } from './contracts.ts';
import { Crash } from './store.ts';

export type Manners =
  /** Opens, fills in time; leaves proving and releasing to whoever does it. */
  | 'fills'
  /** Wins and is never seen again. */
  | 'fades'
  /** Opens everywhere, then gives the order back. */
  | 'declines'
  /** Opens on the first origin alone. */
  | 'opensOne'
  /** Opens everywhere and fills only the first output. */
  | 'diesHalfway'
  /** Opens everywhere and fills after the deadline. */
  | 'fillsLate';

const account = privateKeyToAccount(`0x${'4'.repeat(64)}`);
export const FOREIGN = evmAddress(account.address);
/** Seconds it waits for its opens to be final before it pays. */
const FINAL_SECONDS = 5;

export interface Foreign {
  /** Reads its feed and bids. */
  listen(): Promise<void>;
  /** One second of its life on the chains. */
  act(now: number): Promise<void>;
}

export function createForeign(
  manners: Manners,
  door: AuctionService,
  chains: ReadonlyMap<ChainId, SimChain>,
): Foreign {
  let seen = 0;
  let order: AwardedOrder | null = null;
  let openedAt: number | null = null;
  let declined = false;
  const chainAt = (id: bigint | number) => present(chains.get(chainId(Number(id))), 'chain');
  const send = (id: number, call: Call, now: number) => {
    const chain = chainAt(id);
    const request = { from: FOREIGN, ...call, value: 0n };
    chain.poke((s) => {
      try {
        execute(s, call.to, call.data, chain.context(now, request, false));
      } catch (error) {
        if (!(error instanceof SimRevert)) throw error;
      }
    });
  };
  const fill = (mine: AwardedOrder, indices: readonly number[], now: number) => {
    for (const index of indices) {
      const output = present(mine.outputs[index], 'output');
      const chain = chainAt(output.chainId);
      const request = { from: FOREIGN, to: FOREIGN, data: '0x', value: 0n } as const;
      chain.poke((s) => {
        try {
          const context = chain.context(now, request, false);
          fillOne(s, context, mine.award.awardId, output, toBytes32Address(FOREIGN));
        } catch (error) {
          if (!(error instanceof SimRevert)) throw error;
        }
      });
    }
  };
  const open = (mine: AwardedOrder, now: number) => {
    const origins = manners === 'opensOne' ? mine.order.origins.slice(0, 1) : mine.order.origins;
    for (const { chainId: id } of origins) {
      const { owner, nonce } = mine.order;
      if (chainAt(id).head.state.slots.has(slotKey(owner, nonce))) continue;
      send(Number(id), openCall(mine, Number(id)), now);
    }
    openedAt ??= now;
  };
  return {
    async listen() {
      for (const event of await door.feed(FOREIGN, seen, 100)) {
        seen = event.seq;
        if (event.type === 'award') order = awardOf(event);
        if (event.type === 'auction.opened') await bid(door, event);
      }
    },
    async act(now) {
      if (order === null || manners === 'fades') return;
      const { fillDeadline } = order.times;
      if (openedAt === null) return open(order, now);
      if (now < openedAt + FINAL_SECONDS || manners === 'opensOne') return;
      if (manners === 'declines') {
        if (declined) return;
        declined = true;
        const decline = await account.sign({ hash: declineDigest(order.award.awardId) });
        for (const { chainId: id } of order.order.origins) {
          const call = refundCall({ ...order, decline }, Number(id), { kind: 'decline' }, null);
          send(Number(id), call, now);
        }
        return;
      }
      const all = order.outputs.map((_, index) => index);
      if (manners === 'diesHalfway') return fill(order, all.slice(0, 1), now);
      if (manners === 'fillsLate' && now <= fillDeadline) return;
      fill(order, all, now);
    },
  };
}

async function bid(door: AuctionService, { data }: MarketEvent): Promise<void> {
  const instance = instanceFromJson(data.instance);
  for (const { orderId: id, outputs } of instance.orders) {
    const amounts = outputs.map(({ minimum }) => minimum + 10n);
    const auctionId = data.auctionId as Parameters<AuctionService['get']>[0];
    const message = { auctionId, filler: FOREIGN, items: [{ orderId: id, amounts }] };
    const signature = await account.sign({ hash: bidDigest(message) });
    // What the service did before it crashed stands; the bid is its own.
    await door.placeBid({ ...message, signature }).catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
  }
}

/** All that opening and filling need is in the award's own event. */
function awardOf({ data }: MarketEvent): AwardedOrder {
  const order = orderFromJson(data.order as never);
  const amounts = (data.amounts as readonly string[]).map(BigInt);
  const award = awardFromJson(data.award as never);
  return {
    orderId: orderId(String(data.orderId)),
    order,
    ownerSignature: data.ownerSignature as Hex,
    signatureKind: 'eip712',
    award: {
      ...{ award, awardId: awardId(String(data.awardId)), amounts },
      signature: data.awardSignature as Hex,
    },
    outputs: order.outputs.map((output, i) => awardedOutput(output, present(amounts[i], 'amount'))),
    times: { openBy: award.openBy, fillDeadline: award.fillDeadline, expiry: order.expiry },
    fromBlocks: new Map(),
    decline: null,
  };
}
