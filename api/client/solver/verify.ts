// What a solver is told is checked before anything is signed or sent: orders hash to their ids, keep
// the canonical form and name listed contracts and tokens only; an award is signed by the order's
// auctioneer, for this filler, for exactly the amounts of a bid of its own. Refuses with the reason.

import { type Address, type Hex, recoverAddress } from 'viem';
import { awardFromJson, canonicalFault, orderFromJson } from '../../../contracts-abi/orderJson.ts';
import {
  amountsHash,
  awardDigest,
  hashAward,
  hashOrder,
  type PortfolioOrder,
} from '../../../contracts-abi/typedData.ts';
import { chainOf, tokenOf } from './network.ts';
import type { Auction, AuctionedOrder, SolverNetwork, WonAward } from './types.ts';

type Json = Readonly<Record<string, unknown>>;

/** Thrown with what is wrong; nothing has been signed or sent. */
export class Unverified extends Error {
  override readonly name = 'Unverified';
}

/** Reads `auction.opened`'s data. Orders that do not verify are left out and named to `onRefused`. */
export function readAuction(
  network: SolverNetwork,
  data: Json,
  clockOffsetMs: number,
  onRefused: (orderId: string, reason: string) => void,
): Auction {
  const instance = object(data.instance);
  const terms = new Map(list(instance.orders).map((item) => [String(object(item).orderId), item]));
  const orders: AuctionedOrder[] = [];
  for (const item of list(data.orders)) {
    const { orderId, order } = object(item);
    try {
      const term = object(terms.get(String(orderId)));
      orders.push(readOrder(network, String(orderId) as Hex, order, term));
    } catch (error) {
      onRefused(String(orderId), error instanceof Error ? error.message : String(error));
    }
  }
  return {
    auctionId: String(data.auctionId) as Hex,
    orders,
    closesAtMs: Number(data.closesAtMs) - clockOffsetMs,
  };
}

function readOrder(
  network: SolverNetwork,
  orderId: Hex,
  json: unknown,
  term: Json,
): AuctionedOrder {
  const order = orderFromJson(json);
  if (hashOrder(order) !== orderId) throw new Unverified('the order does not hash to its id');
  const fault = orderFault(network, order);
  if (fault !== null) throw new Unverified(fault);
  const outputs = list(term.outputs).map(object);
  if (outputs.length !== order.outputs.length) throw new Unverified('outputs are missing');
  return {
    orderId,
    order,
    openBy: Number(term.openBy),
    fillDeadline: order.fillDeadline,
    inputs: order.origins.flatMap(({ chainId, inputs }) =>
      inputs.map(({ token, amount }) => ({
        chainId: Number(chainId),
        token: listed(network, Number(chainId), token),
        amount,
      })),
    ),
    outputs: order.outputs.map((output, i) => {
      const chainId = Number(output.chainId);
      const token = listed(network, chainId, `0x${output.token.slice(26)}`);
      const { priceWad, minimum, decimals } = outputs[i] ?? {};
      if (String(minimum) !== output.amount.toString() || Number(decimals) !== token.decimals) {
        throw new Unverified(`output ${i} is not the signed one`);
      }
      return { chainId, token, minimum: output.amount, priceWad: BigInt(String(priceWad)) };
    }),
  };
}

/** The first reason why no solver should serve the order, or null (PROTOCOL.md, rule 3). */
export function orderFault(network: SolverNetwork, order: PortfolioOrder): string | null {
  const fault = canonicalFault(order);
  if (fault !== null) return `${fault.pointer}: ${fault.message}`;
  for (const { chainId, settler, oracle, inputs } of order.origins) {
    const contracts = chainOf(network, Number(chainId))?.contracts;
    if (contracts === undefined) return `chain ${chainId} is not listed`;
    if (!same(settler, contracts.portfolioSettler)) return `settler ${settler} is not listed`;
    if (!same(oracle, contracts.layerZeroOracle)) return `oracle ${oracle} is not listed`;
    for (const { token } of inputs) {
      if (tokenOf(network, Number(chainId), token) === undefined) return `${token} is not listed`;
    }
  }
  for (const output of order.outputs) {
    const contracts = chainOf(network, Number(output.chainId))?.contracts;
    if (contracts === undefined) return `chain ${output.chainId} is not listed`;
    if (!same(output.settler, padded(contracts.outputSettler)))
      return 'an output settler is not listed';
    if (!same(output.oracle, padded(contracts.layerZeroOracle))) return 'an oracle is not listed';
    if (tokenOf(network, Number(output.chainId), `0x${output.token.slice(26)}`) === undefined) {
      return `${output.token} is not listed`;
    }
    if (output.callbackData !== '0x') return 'an output calls back, which this kit does not serve';
  }
  return null;
}

/** Reads `award`'s data as an award; throws Unverified where its parts contradict each other. */
export async function readAward(
  network: SolverNetwork,
  filler: Address,
  data: Json,
): Promise<WonAward> {
  const order = orderFromJson(data.order);
  const award = awardFromJson(data.award);
  const amounts = list(data.amounts).map((amount) => BigInt(String(amount)));
  const orderId = hashOrder(order);
  const awardId = hashAward(award);
  const refuse = (why: string): never => {
    throw new Unverified(why);
  };
  if (orderId !== data.orderId || award.orderId !== orderId) refuse('it is for another order');
  if (awardId !== data.awardId) refuse('it does not hash to its id');
  if (!same(award.filler, filler)) refuse(`it names ${award.filler} as filler`);
  if (award.fillDeadline !== order.fillDeadline) refuse('it has another fill deadline');
  if (award.openBy > order.openDeadline) refuse('it may open after the open deadline');
  if (amounts.length !== order.outputs.length) refuse('it has not one amount per output');
  if (amountsHash(amounts) !== award.amountsHash) refuse('its amounts are not the awarded ones');
  if (order.outputs.some((output, i) => (amounts[i] ?? 0n) < output.amount)) {
    refuse('an amount is below the signed minimum');
  }
  const fault = orderFault(network, order);
  if (fault !== null) refuse(fault);
  const signature = String(data.awardSignature) as Hex;
  const signer = await recoverAddress({ hash: awardDigest(award), signature }).catch(() => null);
  if (signer === null || !same(signer, order.auctioneer)) {
    refuse('it is not signed by the auctioneer that the owner named');
  }
  const kind = data.signatureKind ?? 'eip712';
  if (kind !== 'eip712' && kind !== 'permit2') refuse(`signature kind ${String(kind)} is unknown`);
  return {
    auctionId: String(data.auctionId) as Hex,
    orderId,
    order,
    ownerSignature: String(data.ownerSignature) as Hex,
    signatureKind: kind as WonAward['signatureKind'],
    award,
    awardId,
    amounts,
    awardSignature: signature,
  };
}

function listed(network: SolverNetwork, chainId: number, address: string) {
  const token = tokenOf(network, chainId, address);
  if (token === undefined) throw new Unverified(`${address} on chain ${chainId} is not listed`);
  return token;
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
const padded = (address: string) => `0x${address.slice(2).padStart(64, '0')}`;

function object(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Unverified('the service sent no object where one belongs');
  }
  return value as Json;
}
function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unverified('the service sent no list where one belongs');
  return value;
}
