// How an owner's word for an order may arrive: as the order's own EIP-712 signature, or as a Permit2
// transfer whose witness is the order. Knows the forms a signature is written in and what each kind
// asks of the order; asks no chain and recovers nobody.

import { permit2Digest, permit2Payload } from '../../contracts-abi/permit2.ts';
import { type Origin, orderDigestOf, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { present } from '../types/assert.ts';
import type { Refusal } from '../types/errors.ts';
import { type EvmAddress, evmAddress, type Hex } from '../types/ids.ts';
import type { Json, JsonObject } from '../types/json.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { SubmitRefusalCode } from '../types/service.ts';
import type { SignatureKind } from '../types/store.ts';

/**
 * The signature in every form it may mean, the likeliest first, lower case. OIF prefixes Permit2's with
 * 0x00; 64 bytes are EIP-2098's compact form of 65.
 */
export function signatureForms(signature: Hex, kind: SignatureKind): readonly Hex[] {
  const given = signature.toLowerCase() as Hex;
  const bare: Hex | null =
    kind === 'permit2' && given.startsWith('0x00') && given.length > 4
      ? `0x${given.slice(4)}`
      : null;
  // 66 bytes of which the first is 00 are a prefixed key's signature; other lengths are a wallet's own.
  const written = bare === null ? [given] : given.length === 134 ? [bare, given] : [given, bare];
  return written.flatMap((form) => {
    const expanded = expand(form);
    return expanded === null ? [form] : [expanded, form];
  });
}

/** EIP-2098: the recovery bit stands in the highest bit of s. */
function expand(signature: Hex): Hex | null {
  if (signature.length !== 130) return null;
  const vs = BigInt(`0x${signature.slice(66)}`);
  const s = vs & ((1n << 255n) - 1n);
  return `${signature.slice(0, 66) as Hex}${s.toString(16).padStart(64, '0')}${vs >> 255n === 0n ? '1b' : '1c'}`;
}

/** What the owner signed. `permit2Fault` must have passed for kind permit2. `id` is the order's hash. */
export function digestOf(
  order: PortfolioOrder,
  id: Hex,
  kind: SignatureKind,
  network: NetworkConfig,
): Hex {
  if (kind === 'eip712') return orderDigestOf(id);
  const origin = present(order.origins[0], 'an origin');
  return permit2Digest(order, origin.chainId, present(permit2On(network, origin), 'Permit2'));
}

/** Who must be allowed to take the origin's inputs. */
export function spenderOf(origin: Origin, kind: SignatureKind, network: NetworkConfig): EvmAddress {
  if (kind === 'eip712') return evmAddress(origin.settler);
  return present(permit2On(network, origin), 'Permit2');
}

export const permit2On = (network: NetworkConfig, { chainId }: Origin): EvmAddress | undefined =>
  network.chains.find((chain) => BigInt(chain.chainId) === chainId)?.contracts.permit2;

/**
 * Why this order cannot be signed through Permit2, or `signed` (domain and message of the typed data
 * as sent, where it was) is not the transfer that the order makes; null: it can, and is. Pointers are
 * below `/permit2`. The order is in canonical form and of listed chains.
 */
export function permit2Fault(
  order: PortfolioOrder,
  network: NetworkConfig,
  signed?: JsonObject,
): Refusal<SubmitRefusalCode> | null {
  const [origin, another] = order.origins;
  if (origin === undefined || another !== undefined) {
    const message =
      `a Permit2 signature covers one origin chain, the order has ${order.origins.length}; ` +
      'sign it as trimtab-portfolio-v1';
    return { refused: 'orderMalformed', message, pointer: '/order/origins' };
  }
  const permit2 = permit2On(network, origin);
  if (permit2 === undefined) {
    const message = `there is no Permit2 on chain ${origin.chainId}; sign as trimtab-portfolio-v1`;
    return { refused: 'unknownContract', message, pointer: '/order/origins/0/chainId' };
  }
  if (signed === undefined) return null;
  const { domain, message } = permit2Payload(order, origin.chainId, permit2);
  const { witness: _, ...transfer } = message;
  const at = difference({ domain, message: transfer }, signed, '/permit2');
  if (at === null) return null;
  const text =
    'the Permit2 transfer is not the one this order makes: permitted = its inputs, spender = its ' +
    'settler, nonce = its nonce, deadline = its openDeadline, in the domain of the origin chain’s ' +
    `Permit2 (${permit2}), which has no version; sign the quote as it was given`;
  return { refused: 'orderMalformed', message: text, pointer: at };
}

/** Pointer of the first place where the two differ; hex and integers compare as what they say. */
function difference(wanted: unknown, given: Json | undefined, at: string): string | null {
  if (typeof wanted !== 'object' || wanted === null) {
    return plain(wanted) === plain(given) ? null : at;
  }
  if (typeof given !== 'object' || given === null) return at;
  const theirs = new Map(Object.entries(given as JsonObject));
  const ours = Object.entries(wanted);
  for (const [key, value] of ours) {
    const found = difference(value, theirs.get(key), `${at}/${key}`);
    if (found !== null) return found;
  }
  const extra = [...theirs.keys()].find((key) => !ours.some(([known]) => known === key));
  return extra === undefined ? null : `${at}/${extra}`;
}

/** Wallets' libraries write the same integer as a number or a decimal string, and hex in any case. */
function plain(value: unknown): string | null {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' ? value.toLowerCase() : null;
}
