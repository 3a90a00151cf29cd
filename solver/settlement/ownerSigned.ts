// Whether an order's owner signed it: the key of the account, or the contract wallet on every origin
// (ERC-1271), in the way the chain will ask. Says of a signature that fits nobody what went wrong, as
// far as that can be told. Reads chains at their head; admits nothing.

import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { Fault, type Refusal } from '../types/errors.ts';
import { chainId, type EvmAddress, evmAddress, type Hex, type OrderId } from '../types/ids.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { CallResult, Chain } from '../types/ports.ts';
import type { SubmitRefusalCode } from '../types/service.ts';
import type { SignatureKind } from '../types/store.ts';
import { digestOf, signatureForms } from './authority.ts';
import * as contracts from './contracts.ts';
import type { SettlementDeps } from './ports.ts';
import { isWellFormed, recoverSigner } from './signature.ts';

type SubmitRefusal = Refusal<SubmitRefusalCode>;
export type SigningDeps = Pick<SettlementDeps, 'store' | 'chains' | 'network'>;

/** An order with what was sent as its owner's signature. */
export interface Signing {
  readonly order: PortfolioOrder;
  readonly id: OrderId;
  readonly kind: SignatureKind;
  /** What the signature may mean, likeliest first. */
  readonly forms: readonly Hex[];
  readonly digest: Hex;
  /** The form in which the owner's own key made the signature. */
  readonly own: Hex | undefined;
}

/** Digest and key are worked out once: a recovery costs as much as the rest of an admission. */
export function signingOf(
  order: PortfolioOrder,
  id: OrderId,
  kind: SignatureKind,
  { signature, network }: { readonly signature: Hex; readonly network: NetworkConfig },
): Signing {
  const forms = signatureForms(signature, kind);
  const digest = digestOf(order, id, kind, network);
  const own = forms.find((form) => recoverSigner(digest, form) === order.owner);
  return { order, id, kind, forms, digest, own };
}

/**
 * The owner's key first, as the settlers ask, then ERC-1271 on every origin. Permit2 asks a key only
 * where the account has no code: a delegated account (EIP-7702) must take its key's signature itself.
 */
export async function signatureOf(
  deps: SigningDeps,
  signing: Signing,
): Promise<Hex | SubmitRefusal> {
  const { order, kind, forms, digest, own } = signing;
  if (own !== undefined && kind === 'eip712') return own;
  for (const form of own === undefined ? forms : [own]) {
    const taken = (result: CallResult | undefined) =>
      contracts.isMagic(result) || (own !== undefined && contracts.hasNoCode(result));
    const call = contracts.signatureCall(order.owner, digest, form);
    const answers = await Promise.all(
      order.origins.map(async (origin) => {
        const chain = chainAt(deps, origin.chainId);
        const [result] = await chain.read([call], await chain.block('latest'));
        return taken(result);
      }),
    );
    if (answers.every(Boolean)) return form;
  }
  return notSigned(deps, signing);
}

/** ecrecover names someone else, and no contract wallet took it: why, as far as can be told. */
async function notSigned(deps: SigningDeps, signing: Signing): Promise<SubmitRefusal> {
  const { order, forms, digest } = signing;
  const wellFormed = forms.find(isWellFormed);
  const signer = wellFormed === undefined ? null : recoverSigner(digest, wellFormed);
  if (signer === order.owner) {
    return refuse(
      'wrongSigner',
      `${order.owner} has code, so Permit2 asks it by ERC-1271, and it refuses this signature; ` +
        'sign as trimtab-portfolio-v1, where the account’s key is asked first',
      '/signature',
    );
  }
  if (signer === null) {
    const form = wellFormed === undefined ? 'not 65 bytes r, s, v' : 'it recovers to nobody';
    return refuse(
      'malformedSignature',
      `${form}; a wallet's signature is 65 bytes with low s and v 27 or 28, and a contract ` +
        'wallet must answer isValidSignature on every origin chain',
      '/signature',
    );
  }
  const other = await signedInstead(deps, signing);
  if (other !== null || !(await isUsedAccount(deps, order, signer))) {
    return {
      ...refuse(
        'signatureForAnotherOrder',
        other === null
          ? `the signature does not fit this order: it recovers to ${signer}, an account never ` +
              'used on its origin chains, so most likely other data was signed; sign this ' +
              "order's typed data exactly as the quote gave it"
          : `the owner signed order ${other}, not this one; sign this order's typed data`,
        '/signature',
      ),
      details: { owner: order.owner, recovered: signer, ...(other === null ? {} : { other }) },
    };
  }
  return {
    ...refuse(
      'wrongSigner',
      `signed by ${signer}, but the order's owner is ${order.owner}; sign with the owner's key`,
      '/signature',
    ),
    details: { owner: order.owner, recovered: signer },
  };
}

/** Another order of the owner that this signature does belong to. */
async function signedInstead(
  { store, network }: SigningDeps,
  { order, id, forms }: Signing,
): Promise<OrderId | null> {
  const others = await store.listOrders({ owner: evmAddress(order.owner), limit: 50 });
  const match = others.find((other) => {
    const digest = digestOf(
      orderFromJson(other.order),
      other.orderId,
      other.signatureKind,
      network,
    );
    return (
      other.orderId !== id && forms.some((form) => recoverSigner(digest, form) === order.owner)
    );
  });
  return match?.orderId ?? null;
}

/** Other data signed by the owner recovers to a random address, which no chain has ever seen. */
async function isUsedAccount(
  deps: SigningDeps,
  order: PortfolioOrder,
  account: EvmAddress,
): Promise<boolean> {
  const used = await Promise.all(
    order.origins.map(async (origin) => {
      const chain = chainAt(deps, origin.chainId);
      const at = await chain.block('latest');
      const [balance, nonce] = await Promise.all([
        chain.balance(account, at),
        chain.nonce(account, 'latest'),
      ]);
      return balance > 0n || nonce > 0n;
    }),
  );
  return used.some(Boolean);
}

/** orderFault has refused chains that are not listed. */
export function chainAt(deps: SigningDeps, id: bigint): Chain {
  const chain = deps.chains.get(chainId(Number(id)));
  if (chain === undefined) throw new Fault(`chain ${id} is not connected`, { code: 'chainDown' });
  return chain;
}

function refuse(refused: SubmitRefusalCode, message: string, pointer: string): SubmitRefusal {
  return { refused, message, pointer };
}
