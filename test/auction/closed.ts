// One closed auction with real keys: three orders, five bids of three fillers, awards signed by the
// auctioneer. Shared by the tests of the record and of `trimtab replay`.

import { privateKeyToAccount } from 'viem/accounts';
import { bidDigest } from '../../contracts-abi/bidTypedData.ts';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder } from '../../contracts-abi/typedData.ts';
import { decideAuction, signAwards } from '../../solver/auction/award.ts';
import { type VerifiedBid, verifyBid } from '../../solver/auction/bid.ts';
import { instanceId, instanceToJson, pairOf } from '../../solver/auction/instance.ts';
import { auctionRecord } from '../../solver/auction/record.ts';
import { recoverSigner } from '../../solver/settlement/signature.ts';
import type { AuctionInstance, SignedBid } from '../../solver/types/auction.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { evmAddress, fromBytes32Address, type OrderId, orderId } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import { simRng } from '../settlement/sim/rng.ts';
import { auctioneer, simOrder } from '../settlement/sim/world.ts';
import { word } from './generate.ts';

export const accounts = ['7', '8', '9'].map((digit) =>
  privateKeyToAccount(`0x${digit.repeat(64)}`),
);
const orders = [31, 32, 33].map((seed) => simOrder(simRng(seed)));
export const byId = new Map(orders.map((order) => [orderId(hashOrder(order)), order]));
export const instance: AuctionInstance = {
  version: 2,
  orders: [...byId]
    .map(([id, order]) => ({
      orderId: id,
      pair: pairOf(order),
      openBy: order.openDeadline - 1,
      fillDeadline: order.fillDeadline,
      outputs: order.outputs.map((o) => ({
        chainId: Number(o.chainId),
        token: fromBytes32Address(o.token),
        decimals: 6,
        minimum: o.amount,
        priceWad: 3n * 10n ** 18n,
      })),
    }))
    .sort((a, b) => (a.orderId < b.orderId ? -1 : 1)),
  openedAtMs: 1_700_000_000_000,
  closesAtMs: 1_700_000_000_800,
  snapshotDigest: word(1),
  blocks: [{ chainId: 41, number: '12', hash: word(2) }],
  engine: word(3),
};

async function signedBid(who: number, surplus: readonly (bigint | null)[]): Promise<SignedBid> {
  const account = accounts[who];
  if (account === undefined) throw new Error('no account');
  const items = instance.orders.flatMap(({ orderId: id, outputs }, i) => {
    const more = surplus[i] ?? null;
    return more === null ? [] : [{ orderId: id, amounts: outputs.map((o) => o.minimum + more) }];
  });
  const bid = { auctionId: instanceId(instance), filler: evmAddress(account.address), items };
  return { ...bid, signature: await account.sign({ hash: bidDigest(bid) }) };
}
export function verified(bid: SignedBid): VerifiedBid {
  const answer = verifyBid(bid, recoverSigner);
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}

export const bids = [
  await signedBid(0, [9n, null, null]),
  await signedBid(0, [null, 4n, 4n]),
  await signedBid(1, [7n, 5n, null]),
  await signedBid(2, [-1n, null, null]),
  await signedBid(2, [8n, null, null]),
];
export async function recordOf(
  open: ReadonlyMap<OrderId, (typeof orders)[number]>,
): Promise<JsonObject> {
  const decided = decideAuction(instance, bids.map(verified));
  const signed = await signAwards(decided, open, auctioneer);
  const netting = { mode: 'oneByOne' };
  const record = auctionRecord(decided, { auctioneer: auctioneer.address, signed, netting });
  return JSON.parse(JSON.stringify(record)) as JsonObject;
}
export const record = await recordOf(byId);

/** What GET /v1/auctions/{id} answers of it. */
export const page: JsonObject = {
  auctionId: instanceId(instance),
  state: 'closed',
  instance: instanceToJson(instance),
  orders: [...byId].map(([id, order]) => ({ orderId: id, order: { ...orderToJson(order) } })),
  record,
};
