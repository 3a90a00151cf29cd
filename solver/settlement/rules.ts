// What must hold of an order before anything is signed, opened or filled for it: PROTOCOL.md's rule 3
// and the times of rule 1, as far as the order alone shows them. Pure. Admission refuses with these
// answers; the filler's workflow asks again before its first fill.

import { canonicalFault } from '../../contracts-abi/orderJson.ts';
import type { MandateOutput, Origin, PortfolioOrder } from '../../contracts-abi/typedData.ts';
import type { Refusal } from '../types/errors.ts';
import { fromBytes32Address } from '../types/ids.ts';
import type { ChainConfig, NetworkConfig } from '../types/network.ts';
import type { SubmitRefusalCode } from '../types/service.ts';

/** PortfolioSettler.MAX_LIFE: open to expiry, seconds. */
const MAX_LIFE_SECONDS = 30 * 24 * 3_600;

export type RuleFault = Refusal<SubmitRefusalCode>;

/** The first rule the order breaks by itself, or null. */
export function orderFault(order: PortfolioOrder, network: NetworkConfig): RuleFault | null {
  const canonical = canonicalFault(order);
  if (canonical !== null) {
    return refuse('orderMalformed', canonical.message, `/order${canonical.pointer}`);
  }
  for (const [i, origin] of order.origins.entries()) {
    const fault = originFault(origin, `/order/origins/${i}`, network);
    if (fault !== null) return fault;
  }
  for (const [i, output] of order.outputs.entries()) {
    const fault = outputFault(output, `/order/outputs/${i}`, network);
    if (fault !== null) return fault;
  }
  return null;
}

/** Whether the order's times still allow it to be opened, filled and proven. */
export function timesFault(
  order: PortfolioOrder,
  network: NetworkConfig,
  now: number,
): RuleFault | null {
  if (now > order.openDeadline) {
    return refuse(
      'orderExpired',
      `openDeadline was ${now - order.openDeadline} s ago; ask for a new quote`,
      '/order/openDeadline',
    );
  }
  const window = order.expiry - order.fillDeadline;
  if (window < network.minProofWindowSeconds) {
    return refuse(
      'orderMalformed',
      `expiry is ${window} s after fillDeadline; the settlers demand at least ` +
        `${network.minProofWindowSeconds} s`,
      '/order/expiry',
    );
  }
  if (order.expiry > now + MAX_LIFE_SECONDS) {
    return refuse('orderMalformed', 'expiry is more than 30 days ahead', '/order/expiry');
  }
  return null;
}

/** Seconds until a transaction sent now is final: two blocks to be included, then its depth. */
const finalitySeconds = ({ blockSeconds, confirmations }: ChainConfig): number =>
  Math.ceil(blockSeconds * (confirmations + 2));

/**
 * Seconds that must be left to the fill deadline before the first fill is sent. With several
 * destinations the first fill must be final before the others begin, and those must still be in time.
 */
export function fillTimeNeeded(
  outputs: readonly MandateOutput[],
  network: NetworkConfig,
  minFillSeconds: number,
): number {
  const ids = new Set(outputs.map((output) => output.chainId));
  return minFillSeconds + (ids.size > 1 ? slowest(ids, network) : 0);
}

/** The same before anything is opened: every origin must become final first. */
export function openTimeNeeded(
  { origins, outputs }: Pick<PortfolioOrder, 'origins' | 'outputs'>,
  network: NetworkConfig,
  minFillSeconds: number,
): number {
  const ids = new Set(origins.map((origin) => origin.chainId));
  return fillTimeNeeded(outputs, network, minFillSeconds) + slowest(ids, network);
}

function slowest(ids: Iterable<bigint>, network: NetworkConfig): number {
  const seconds = [...ids].map((id) => {
    const chain = chainConfig(network, id);
    return chain === null ? 0 : finalitySeconds(chain);
  });
  return Math.max(0, ...seconds);
}

function originFault(origin: Origin, at: string, network: NetworkConfig): RuleFault | null {
  const chain = chainConfig(network, origin.chainId);
  if (chain === null) return unknownChain(origin.chainId, `${at}/chainId`, network);
  if (origin.settler !== chain.contracts.portfolioSettler) {
    return unlisted('settler', origin.settler, chain, `${at}/settler`);
  }
  if (origin.oracle !== chain.contracts.layerZeroOracle) {
    return unlisted('oracle', origin.oracle, chain, `${at}/oracle`);
  }
  for (const [j, input] of origin.inputs.entries()) {
    const fault = tokenFault(input.token, chain, `${at}/inputs/${j}/token`);
    if (fault !== null) return fault;
  }
  return null;
}

function outputFault(output: MandateOutput, at: string, network: NetworkConfig): RuleFault | null {
  const chain = chainConfig(network, output.chainId);
  if (chain === null) return unknownChain(output.chainId, `${at}/chainId`, network);
  const { outputSettler, layerZeroOracle } = chain.contracts;
  // canonicalFault has refused dirty upper bytes.
  if (fromBytes32Address(output.settler) !== outputSettler) {
    return unlisted('settler', output.settler, chain, `${at}/settler`);
  }
  if (fromBytes32Address(output.oracle) !== layerZeroOracle) {
    return unlisted('oracle', output.oracle, chain, `${at}/oracle`);
  }
  if (output.callbackData !== '0x') {
    return refuse('orderMalformed', 'no callbacks are served yet', `${at}/callbackData`);
  }
  return tokenFault(fromBytes32Address(output.token), chain, `${at}/token`);
}

function tokenFault(token: string, chain: ChainConfig, at: string): RuleFault | null {
  if (chain.tokens.some((listed) => listed.address === token)) return null;
  return refuse(
    'unknownAsset',
    `token ${token} is not listed on chain ${chain.chainId}; GET /v1/assets lists what is`,
    at,
  );
}

export function chainConfig(network: NetworkConfig, id: bigint | number): ChainConfig | null {
  return network.chains.find((chain) => BigInt(chain.chainId) === BigInt(id)) ?? null;
}

function unknownChain(id: bigint, at: string, network: NetworkConfig): RuleFault {
  const known = network.chains.map((chain) => chain.chainId).join(', ');
  return refuse('unknownChain', `chain ${id} is not served; served are ${known}`, at);
}

function unlisted(what: string, address: string, chain: ChainConfig, at: string): RuleFault {
  return refuse(
    'unknownContract',
    `${what} ${address} is not the listed one of chain ${chain.chainId}: an order is served only ` +
      'with contracts we know; ask for a quote and sign that order',
    at,
  );
}

function refuse(refused: SubmitRefusalCode, message: string, pointer: string): RuleFault {
  return { refused, message, pointer };
}
