// Trade → PortfolioOrder in canonical form, with PROTOCOL.md's times, an unused nonce and the signed
// minimums. Pure over its arguments; randomness comes in through Rng.

import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalFault } from '../../contracts-abi/orderJson.ts';
import type { MandateOutput, Origin, PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { canonicalJson } from '../market/jsonText.ts';
import { keccakOf } from '../market/keccak.ts';
import { mulDivDown, type UnixSeconds } from '../types/amounts.ts';
import { assert } from '../types/assert.ts';
import type { FillTime, FillTimes } from '../types/fillTimes.ts';
import { type EvmAddress, type Hex, toBytes32Address } from '../types/ids.ts';
import type { ChainConfig, NetworkConfig } from '../types/network.ts';
import type { Rng } from '../types/ports.ts';
import type { QuotePolicy } from './policy.ts';
import { type QuoteRefusal, refuse, type ScopeTarget } from './scope.ts';
import type { Flow, Trade } from './trade.ts';

export interface OrderTerms {
  readonly owner: EvmAddress;
  readonly auctioneer: EvmAddress;
  readonly targets: readonly ScopeTarget[];
  readonly slippageBps: number;
  readonly validUntil: UnixSeconds;
  /** Who receives the outputs; default: the owner. */
  readonly recipient?: EvmAddress;
  /** Signs exactly these per output, base units, at most what is quoted; default: by slippage. */
  readonly minimums?: readonly bigint[];
}
export interface BuiltOrder {
  readonly order: PortfolioOrder;
  /** Per order output, at least its signed amount. */
  readonly quotedAmounts: readonly bigint[];
}
/** Refuses `tooManyLegs` when the trade does not fit in one order. */
export function buildOrder(
  trade: Trade,
  terms: OrderTerms,
  network: NetworkConfig,
  policy: QuotePolicy,
  rng: Rng,
): BuiltOrder | QuoteRefusal {
  const openDeadline = terms.validUntil + policy.openWindowSeconds;
  const openedFinal = Math.max(...chainsOf(trade.inputs).map(finalitySeconds));
  const fillDeadline = openDeadline + openedFinal + policy.fillWindowSeconds;
  const expiry = fillDeadline + network.minProofWindowSeconds + policy.expirySlackSeconds;
  const recipient = terms.recipient ?? terms.owner;
  const outputs = trade.outputs.map(({ token, amount }, i) => {
    const signed = terms.minimums?.[i] ?? minimum(amount, terms.slippageBps);
    return mandate(token.chain, token.token.address, recipient, signed);
  });
  const order: PortfolioOrder = {
    owner: terms.owner,
    nonce: randomNonce(rng),
    openDeadline,
    fillDeadline,
    expiry,
    auctioneer: terms.auctioneer,
    targets: targetsHash(terms.targets),
    origins: originsOf(trade.inputs),
    outputs,
  };
  const fault = canonicalFault(order);
  if (fault !== null) {
    return refuse('tooManyLegs', `the trade does not fit in one order: ${fault.message}`);
  }
  const quotedAmounts = trade.outputs.map(({ amount }) => amount);
  assert(
    outputs.every(({ amount }, i) => amount <= (quotedAmounts[i] ?? 0n)),
    'quoted amounts are at least the signed ones',
  );
  return { order, quotedAmounts };
}

/** Blocks until a transaction sent now is final: two to be included, then the confirmations. */
export const finalitySeconds = ({ blockSeconds, confirmations }: ChainConfig): number =>
  Math.ceil(blockSeconds * (confirmations + 2));

/**
 * From admission to release, as orders on these chains took it. While those are too few (samples 0):
 * open, fill, verify and deliver the proofs, release; all at finality.
 */
export function etaOf(trade: Trade, fillTimes?: FillTimes): FillTime {
  const ids = (flows: readonly Flow[]) => chainsOf(flows).map(({ chainId }) => chainId);
  const seen = fillTimes?.of(ids(trade.inputs), ids(trade.outputs)) ?? null;
  if (seen !== null) return seen;
  const origin = Math.max(...chainsOf(trade.inputs).map(finalitySeconds));
  const destination = Math.max(...chainsOf(trade.outputs).map(finalitySeconds));
  // Proof and release each take a destination's and an origin's finality once more.
  const p50Seconds = 2 * origin + 2 * destination;
  return { p50Seconds, p90Seconds: 2 * p50Seconds, samples: 0 };
}

/** keccak256 of the targets' canonical JSON: explains the order, binds nothing. */
export function targetsHash(targets: readonly ScopeTarget[]): Hex {
  const list = targets.map(({ asset, chain, weightBps }) => ({ asset, chain, weightBps }));
  return keccakOf(canonicalJson(list));
}

export const minimum = (amount: bigint, slippageBps: number): bigint =>
  mulDivDown(amount, BigInt(10_000 - slippageBps), 10_000n);

/** 256 random bits: no two orders meet, so a fresh nonce is an unused one. */
const randomNonce = (rng: Rng): bigint => BigInt(`0x${bytesToHex(rng.bytes(32))}`);

function chainsOf(flows: readonly Flow[]): readonly ChainConfig[] {
  return [...new Set(flows.map(({ token }) => token.chain))];
}

function originsOf(inputs: readonly Flow[]): readonly Origin[] {
  return chainsOf(inputs).map((chain) => ({
    chainId: BigInt(chain.chainId),
    settler: chain.contracts.portfolioSettler,
    oracle: chain.contracts.layerZeroOracle,
    inputs: inputs
      .filter(({ token }) => token.chain === chain)
      .map(({ token, amount }) => ({ token: token.token.address, amount })),
  }));
}

function mandate(
  chain: ChainConfig,
  token: EvmAddress,
  recipient: EvmAddress,
  amount: bigint,
): MandateOutput {
  return {
    oracle: toBytes32Address(chain.contracts.layerZeroOracle),
    settler: toBytes32Address(chain.contracts.outputSettler),
    chainId: BigInt(chain.chainId),
    token: toBytes32Address(token),
    amount,
    recipient: toBytes32Address(recipient),
    callbackData: '0x',
    context: '0x',
  };
}
