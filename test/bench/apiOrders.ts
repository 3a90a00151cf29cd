// Signed orders for `npm run bench -- api`: real typed data, real signatures, of owners who hold what
// they sell.

import { signRecoverable } from 'tiny-secp256k1';
import { bytesToHex, hexToBytes } from 'viem';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { orderDigest, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { systemRng } from '../../solver/adapters/rng.ts';
import { present } from '../../solver/types/assert.ts';
import { type EvmAddress, evmAddress, type Hex, toBytes32Address } from '../../solver/types/ids.ts';
import type { ChainConfig } from '../../solver/types/network.ts';
import { heldBy, keyOf, network, ownerOf } from './apiWorld.ts';

const OWNERS = 64;

/** An order of some owner over a token it holds, with a fresh nonce; `now` in Unix seconds. */
export function signedOrder(k: number, auctioneer: EvmAddress, now: number) {
  for (let owner = k % OWNERS; ; owner++) {
    const held = holding(owner);
    if (held === null) continue;
    const order = orderOf(held, auctioneer, now);
    const { signature, recoveryId } = signRecoverable(
      hexToBytes(orderDigest(order)),
      hexToBytes(keyOf(owner)),
    );
    const text: Hex = `${bytesToHex(signature)}${recoveryId === 0 ? '1b' : '1c'}`;
    const { nonce } = order;
    return { order: { ...orderToJson(order) }, nonce, signature: text };
  }
}

interface Holding {
  readonly owner: EvmAddress;
  readonly chain: ChainConfig;
  readonly token: EvmAddress;
}

const addresses = new Map<number, EvmAddress>();
function holding(k: number): Holding | null {
  const owner = addresses.get(k) ?? evmAddress(ownerOf(k).address);
  addresses.set(k, owner);
  for (const chain of network.chains) {
    for (const { address } of chain.tokens) {
      if (heldBy(owner, chain.chainId, address) > 0n) return { owner, chain, token: address };
    }
  }
  return null;
}

function orderOf({ owner, chain, token }: Holding, auctioneer: EvmAddress, now: number) {
  const to = present(
    network.chains.find((other) => other !== chain),
    'another chain',
  );
  const order: PortfolioOrder = {
    owner,
    nonce: BigInt(bytesToHex(systemRng.bytes(32))),
    openDeadline: now + 900,
    fillDeadline: now + 1_200,
    expiry: now + 1_800,
    auctioneer,
    targets: `0x${'44'.repeat(32)}`,
    origins: [
      {
        chainId: BigInt(chain.chainId),
        settler: chain.contracts.portfolioSettler,
        oracle: chain.contracts.layerZeroOracle,
        inputs: [{ token, amount: 1_000n }],
      },
    ],
    outputs: [
      {
        oracle: toBytes32Address(to.contracts.layerZeroOracle),
        settler: toBytes32Address(to.contracts.outputSettler),
        chainId: BigInt(to.chainId),
        token: toBytes32Address(present(to.tokens[0], 'token').address),
        amount: 900n,
        recipient: toBytes32Address(owner),
        callbackData: '0x',
        context: '0x',
      },
    ],
  };
  return order;
}
