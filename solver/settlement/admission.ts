// The door of settlement: a signed order becomes a row with its event and its two jobs, or is refused
// with a code, the field and the remedy, leaving nothing behind. It reads chains at their head, signs
// nothing and sends nothing. The same order again gets the same answer.

import { OrderJsonError, orderFromJson, orderToJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, orderDigest, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { Fault, type Refusal } from '../types/errors.ts';
import { chainId, type EvmAddress, evmAddress, type OrderId, orderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Chain } from '../types/ports.ts';
import type { SubmitRefusalCode, SubmitRequest, Submitted } from '../types/service.ts';
import type { StoredOrder, StoredQuote } from '../types/store.ts';
import * as contracts from './contracts.ts';
import type { SettlementDeps } from './ports.ts';
import { orderFault, timesFault } from './rules.ts';
import { GUARD_JOB, SERVE_JOB } from './serve.ts';
import { isWellFormed, recoverSigner } from './signature.ts';

export type SubmitRefusal = Refusal<SubmitRefusalCode>;

export interface AdmissionDeps
  extends Pick<SettlementDeps, 'store' | 'chains' | 'clock' | 'network'> {
  /** The account that signs our awards: the only auctioneer we serve. */
  readonly auctioneer: EvmAddress;
}

export interface Admission {
  /** Throws Fault when the store is down; a chain that is down is the refusal `chainDown`. */
  submit(request: SubmitRequest): Promise<Submitted | SubmitRefusal>;
}

/** ERC-1271 signatures longer than this are refused before anyone hashes them, hex characters. */
const SIGNATURE_CHARS_MAX = 2 + 2 * 4_096;

export function createAdmission(deps: AdmissionDeps): Admission {
  return {
    async submit(request) {
      const shape = shapeFault(request);
      if (shape !== null) return shape;
      const found = await findOrder(deps, request);
      if ('refused' in found) return found;
      const { order, quote } = found;
      const id = orderId(hashOrder(order));
      const known = await deps.store.getOrder(id);
      if (known !== null && known.ownerSignature === request.signature.toLowerCase()) {
        return { orderId: id, created: false, order: known };
      }
      const now = deps.clock.now();
      const fault =
        orderFault(order, deps.network) ??
        auctioneerFault(order, deps.auctioneer) ??
        quoteFault(quote, deps.clock.nowMs(), known !== null) ??
        (known === null ? timesFault(order, deps.network, now) : null) ??
        (await chainFaults(deps, order, id, request, known !== null));
      if (fault !== null) return fault;
      return admit(deps, order, id, request, quote);
    },
  };
}

function shapeFault(request: SubmitRequest): SubmitRefusal | null {
  if (request.originSignatures !== undefined) {
    return refuse(
      'unsupportedOriginSignatures',
      'one signature for the whole order is served today; leave originSignatures out',
      '/originSignatures',
    );
  }
  const { signature } = request;
  const isHex = /^0x([0-9a-fA-F]{2})+$/.test(signature);
  if (!isHex || signature.length > SIGNATURE_CHARS_MAX) {
    return refuse('malformedSignature', 'signature must be 0x and hex bytes', '/signature');
  }
  return null;
}

interface FoundOrder {
  readonly order: PortfolioOrder;
  readonly quote: StoredQuote | null;
}

async function findOrder(
  { store }: AdmissionDeps,
  request: SubmitRequest,
): Promise<FoundOrder | SubmitRefusal> {
  const given = request.order === undefined ? null : readOrder(request.order);
  if (given !== null && 'refused' in given) return given;
  if (request.quoteId === undefined) {
    if (given !== null) return { order: given, quote: await quoteOf(store, given) };
    return refuse('orderMalformed', 'give an order, a quoteId, or both', '/order');
  }
  const quote = await store.getQuote(request.quoteId);
  if (quote === null) {
    return refuse(
      'quoteNotFound',
      'no such quote, or it is long expired; ask for a new one',
      '/quoteId',
    );
  }
  const quoted = orderFromJson(quote.order);
  if (given !== null && hashOrder(given) !== hashOrder(quoted)) {
    return refuse(
      'orderNotQuoted',
      'the order differs from the one this quote offered; sign the quote as it was given, ' +
        'or leave quoteId out',
      '/order',
    );
  }
  return { order: quoted, quote };
}

/**
 * The quote that offered this very order: leaving its id out must not win time beyond the quote's, nor
 * hide the order from whoever asked for the quote (a standing policy asks for the next one after it).
 */
async function quoteOf(
  store: AdmissionDeps['store'],
  order: PortfolioOrder,
): Promise<StoredQuote | null> {
  const quote = await store.quoteOfOrder(evmAddress(order.owner), order.nonce.toString());
  if (quote === null) return null;
  return hashOrder(orderFromJson(quote.order)) === hashOrder(order) ? quote : null;
}

function readOrder(json: JsonObject): PortfolioOrder | SubmitRefusal {
  try {
    return orderFromJson(json);
  } catch (error) {
    if (!(error instanceof OrderJsonError)) throw error;
    return refuse('orderMalformed', error.message, `/order${error.pointer}`);
  }
}

function auctioneerFault(order: PortfolioOrder, ours: EvmAddress): SubmitRefusal | null {
  if (order.auctioneer === ours) return null;
  const message = `auctioneer ${order.auctioneer} is not ours (${ours}); ask for a quote here`;
  return refuse('unknownContract', message, '/order/auctioneer');
}

/** An order that was admitted in time stays admitted. */
function quoteFault(
  quote: StoredQuote | null,
  nowMs: number,
  known: boolean,
): SubmitRefusal | null {
  if (quote === null || known || nowMs <= quote.validUntilMs) return null;
  const late = Math.ceil((nowMs - quote.validUntilMs) / 1_000);
  return refuse('quoteExpired', `the quote expired ${late} s ago; ask for a new one`, '/quoteId');
}

/** Everything that needs the origins: signature by contract, nonce, balance, allowance. */
async function chainFaults(
  deps: AdmissionDeps,
  order: PortfolioOrder,
  id: OrderId,
  request: SubmitRequest,
  known: boolean,
): Promise<SubmitRefusal | null> {
  try {
    const digest = orderDigest(order);
    const signer = recoverSigner(digest, request.signature);
    if (signer !== order.owner) {
      const fault = await notSigned(deps, order, id, request, signer);
      if (fault !== null) return fault;
    }
    if (known) return null;
    const faults = await Promise.all(
      order.origins.map((_, index) => originFault(deps, order, index)),
    );
    return faults.find((fault) => fault !== null) ?? null;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return {
      refused: 'chainDown',
      message: `an origin chain does not answer (${error.message}); try again shortly`,
      details: { code: error.code },
    };
  }
}

/** ecrecover names someone else. Every origin must take the signature by ERC-1271, or nobody does. */
async function notSigned(
  deps: AdmissionDeps,
  order: PortfolioOrder,
  id: OrderId,
  request: SubmitRequest,
  signer: EvmAddress | null,
): Promise<SubmitRefusal | null> {
  const call = contracts.signatureCall(order.owner, orderDigest(order), request.signature);
  const answers = await Promise.all(
    order.origins.map(async (origin) => {
      const chain = chainAt(deps, origin.chainId);
      const [result] = await chain.read([call], await chain.block('latest'));
      return contracts.isMagic(result);
    }),
  );
  if (answers.every(Boolean)) return null;
  if (signer === null) {
    const form = isWellFormed(request.signature) ? 'it recovers to nobody' : 'not 65 bytes r, s, v';
    return refuse(
      'malformedSignature',
      `${form}; a wallet's signature is 65 bytes with low s and v 27 or 28, and a contract ` +
        'wallet must answer isValidSignature on every origin chain',
      '/signature',
    );
  }
  const other = await signedInstead(deps, order, id, request);
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
  { store }: AdmissionDeps,
  order: PortfolioOrder,
  id: OrderId,
  { signature }: SubmitRequest,
): Promise<OrderId | null> {
  const others = await store.listOrders({ owner: evmAddress(order.owner), limit: 50 });
  const match = others.find(
    (other) =>
      other.orderId !== id &&
      recoverSigner(orderDigest(orderFromJson(other.order)), signature) === order.owner,
  );
  return match?.orderId ?? null;
}

/** Other data signed by the owner recovers to a random address, which no chain has ever seen. */
async function isUsedAccount(
  deps: AdmissionDeps,
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

async function originFault(
  deps: AdmissionDeps,
  order: PortfolioOrder,
  index: number,
): Promise<SubmitRefusal | null> {
  const origin = order.origins[index];
  if (origin === undefined) return null;
  const chain = chainAt(deps, origin.chainId);
  const { inputs, settler } = origin;
  const results = await chain.read(
    [
      contracts.slotCall(origin, order.owner, order.nonce),
      ...inputs.map(({ token }) => contracts.balanceCall(token, order.owner)),
      ...inputs.map(({ token }) => contracts.allowanceCall(token, order.owner, settler)),
    ],
    await chain.block('latest'),
  );
  const status = contracts.decodeSlotStatus(results[0]);
  if (status !== 'none') return nonceFault(order, `it is ${status} on chain ${origin.chainId}`);
  for (const [i, { token, amount }] of inputs.entries()) {
    const balance = contracts.amountOf(results[1 + i]);
    const allowance = contracts.amountOf(results[1 + inputs.length + i]);
    const at = `/order/origins/${index}/inputs/${i}`;
    const name = tokenName(deps, origin.chainId, token);
    const details = { chainId: Number(origin.chainId), token, need: amount.toString() };
    if (balance < amount) {
      const message = `${name}: the owner holds ${balance} base units and the order takes ${amount}`;
      const have = balance.toString();
      return { ...refuse('insufficientBalance', message, at), details: { ...details, have } };
    }
    if (allowance < amount) {
      const message =
        `${name}: the owner allows ${allowance} base units and the order takes ${amount}; ` +
        `approve ${settler} for at least that`;
      const have = allowance.toString();
      return {
        ...refuse('insufficientAllowance', message, at),
        details: { ...details, have, spender: settler },
      };
    }
  }
  return null;
}

async function admit(
  deps: AdmissionDeps,
  order: PortfolioOrder,
  id: OrderId,
  request: SubmitRequest,
  quote: StoredQuote | null,
): Promise<Submitted | SubmitRefusal> {
  const runAtMs = deps.clock.nowMs();
  const row: Omit<StoredOrder, 'version' | 'createdAtMs' | 'updatedAtMs'> = {
    orderId: id,
    quoteId: quote?.quoteId ?? null,
    owner: evmAddress(order.owner),
    nonce: order.nonce.toString(),
    state: 'created',
    reason: null,
    order: { ...orderToJson(order) },
    ownerSignature: evmHex(request.signature),
    award: null,
    facts: {},
  };
  const created = {
    type: 'order.created',
    data: {
      owner: row.owner,
      quoteId: row.quoteId,
      openDeadline: order.openDeadline,
      fillDeadline: order.fillDeadline,
      expiry: order.expiry,
      inputs: order.origins.flatMap(({ chainId: chain, inputs }) =>
        inputs.map(({ token, amount }) => ({
          chain: Number(chain),
          token,
          amount: amount.toString(),
        })),
      ),
      outputs: order.outputs.map((output) => ({
        chain: Number(output.chainId),
        token: `0x${output.token.slice(26)}`,
        minimum: output.amount.toString(),
      })),
    },
  };
  const applied = await deps.store.admitOrder(
    row,
    [created],
    [SERVE_JOB, GUARD_JOB].map((kind) => ({ kind, key: id, runAtMs })),
  );
  if (applied === 'nonceUsed') return nonceFault(order, 'another order of yours has it');
  const stored = await deps.store.getOrder(id);
  if (stored === null) throw new Fault(`order ${id} was admitted and is not there`);
  return { orderId: id, created: applied === 'applied', order: stored };
}

function nonceFault(order: PortfolioOrder, why: string): SubmitRefusal {
  const message = `nonce ${order.nonce} is used: ${why}; ask for a new quote, which has a new nonce`;
  return refuse('nonceUsed', message, '/order/nonce');
}

function tokenName(deps: AdmissionDeps, id: bigint, token: string): string {
  const chain = deps.network.chains.find((c) => BigInt(c.chainId) === id);
  const symbol = chain?.tokens.find((t) => t.address === token)?.symbol ?? token;
  return `${symbol} on chain ${id}`;
}

/** orderFault has refused chains that are not listed. */
function chainAt(deps: AdmissionDeps, id: bigint): Chain {
  const chain = deps.chains.get(chainId(Number(id)));
  if (chain === undefined) throw new Fault(`chain ${id} is not connected`, { code: 'chainDown' });
  return chain;
}

const evmHex = (text: string) => text.toLowerCase() as `0x${string}`;

function refuse(refused: SubmitRefusalCode, message: string, pointer: string): SubmitRefusal {
  return { refused, message, pointer };
}
