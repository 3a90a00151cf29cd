// The door of settlement: a signed order becomes a row with its event and its two jobs, or is refused
// with a code, the field and the remedy, leaving nothing behind. It reads chains at their head, signs
// nothing and sends nothing. The same order again gets the same answer.

import { OrderJsonError, orderFromJson, orderToJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { present } from '../types/assert.ts';
import { Fault, type Refusal } from '../types/errors.ts';
import { type EvmAddress, evmAddress, type Hex, type OrderId, orderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { SubmitRefusalCode, SubmitRequest, Submitted } from '../types/service.ts';
import type { NewOrder, QuoteTerms, SignatureKind, StoredOrder } from '../types/store.ts';
import { permit2Fault, signatureForms, spenderOf } from './authority.ts';
import * as contracts from './contracts.ts';
import { createHeadReader, type ReadAtHead } from './headReader.ts';
import { GUARD_JOB, SERVE_JOB } from './kinds.ts';
import { chainAt, type Signing, signatureOf, signingOf } from './ownerSigned.ts';
import type { SettlementDeps } from './ports.ts';
import { orderFault, timesFault } from './rules.ts';

export type SubmitRefusal = Refusal<SubmitRefusalCode>;

export interface AdmissionDeps
  extends Pick<SettlementDeps, 'store' | 'chains' | 'clock' | 'network'> {
  /** The account that signs our awards: the only auctioneer we serve. */
  readonly auctioneer: EvmAddress;
}

interface Deps extends AdmissionDeps {
  readonly readAtHead: ReadAtHead;
}

export interface Admission {
  /** Throws Fault when the store is down; a chain that is down is the refusal `chainDown`. */
  submit(request: SubmitRequest): Promise<Submitted | SubmitRefusal>;
}

/** ERC-1271 signatures longer than this are refused before anyone hashes them, hex characters. */
const SIGNATURE_CHARS_MAX = 2 + 2 * 4_096;

export function createAdmission(ports: AdmissionDeps): Admission {
  const deps: Deps = { ...ports, readAtHead: createHeadReader() };
  return {
    async submit(request) {
      const shape = shapeFault(request);
      if (shape !== null) return shape;
      const found = await findOrder(deps, request);
      if ('refused' in found) return found;
      const { order, id, quote, known } = found;
      if (known !== null && isSignatureOf(known, request)) {
        return { orderId: id, created: false, order: known };
      }
      const now = deps.clock.now();
      const fault =
        orderFault(order, deps.network) ??
        (request.signatureKind === 'permit2'
          ? permit2Fault(order, deps.network, request.permit2)
          : null) ??
        auctioneerFault(order, deps.auctioneer) ??
        quoteFault(quote, deps.clock.nowMs(), known !== null) ??
        (known === null ? timesFault(order, deps.network, now) : null);
      if (fault !== null) return fault;
      const signings = signingsOf(order, id, request, deps);
      const signed = await signedOnChains(deps, signings, known !== null);
      if ('refused' in signed) return signed;
      return admit(deps, order, id, signed, quote);
    },
  };
}

/** The very signature the order was admitted with, in any of its forms. */
function isSignatureOf(known: StoredOrder, { signature, signatureKind }: SubmitRequest): boolean {
  const kind = known.signatureKind;
  if (signatureKind !== undefined && signatureKind !== kind) return false;
  return signatureForms(signature, kind).includes(known.ownerSignature);
}

/**
 * What the signature may be, the likeliest first. A quote's id alone does not say whether its order or
 * a Permit2 transfer witnessed by it was signed: whichever the signature fits is meant.
 */
function signingsOf(
  order: PortfolioOrder,
  id: OrderId,
  { signature, signatureKind }: SubmitRequest,
  { network }: AdmissionDeps,
): readonly Signing[] {
  const kinds: readonly SignatureKind[] =
    signatureKind !== undefined
      ? [signatureKind]
      : permit2Fault(order, network) === null
        ? ['eip712', 'permit2']
        : ['eip712'];
  const signings: Signing[] = [];
  for (const kind of kinds) {
    const signing = signingOf(order, id, kind, { signature, network });
    if (signing.own !== undefined) return [signing];
    signings.push(signing);
  }
  return signings;
}

/** The refusals of a signature, not of what it signs. */
const UNSIGNED: ReadonlySet<string> = new Set([
  'malformedSignature',
  'wrongSigner',
  'signatureForAnotherOrder',
]);

async function signedOnChains(
  deps: Deps,
  signings: readonly Signing[],
  known: boolean,
): Promise<Signed | SubmitRefusal> {
  let first: SubmitRefusal | null = null;
  for (const signing of signings) {
    const signed = await onChains(deps, signing, known);
    if (!('refused' in signed) || !UNSIGNED.has(signed.refused)) return signed;
    first ??= signed;
  }
  return present(first, 'a refusal of every kind');
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
  readonly id: OrderId;
  readonly quote: QuoteTerms | null;
  /** The order's row, if it was admitted before. */
  readonly known: StoredOrder | null;
}

/** One question to the store. */
async function findOrder(
  { store }: AdmissionDeps,
  request: SubmitRequest,
): Promise<FoundOrder | SubmitRefusal> {
  const given = request.order === undefined ? null : readOrder(request.order);
  if (given !== null && 'refused' in given) return given;
  if (request.quoteId === undefined) {
    if (given === null) {
      return refuse('orderMalformed', 'give an order, a quoteId, or both', '/order');
    }
    const id = orderId(hashOrder(given));
    const [quote, known] = await Promise.all([quoteOf(store, given, id), store.getOrder(id)]);
    return { order: given, id, quote, known };
  }
  const found = await store.quoteToAdmit(request.quoteId);
  if (found === null) {
    return quoteGone();
  }
  const order = orderFromJson(found.terms.order);
  const id = orderId(hashOrder(order));
  if (given !== null && hashOrder(given) !== id) {
    return refuse(
      'orderNotQuoted',
      'the order differs from the one this quote offered; sign the quote as it was given, ' +
        'or leave quoteId out',
      '/order',
    );
  }
  const known = found.order?.orderId === id ? found.order : null;
  return { order, id, quote: found.terms, known };
}

/**
 * The quote that offered this very order: leaving its id out must not win time beyond the quote's, nor
 * hide the order from whoever asked for the quote (a standing policy asks for the next one after it).
 */
async function quoteOf(
  store: AdmissionDeps['store'],
  order: PortfolioOrder,
  id: OrderId,
): Promise<QuoteTerms | null> {
  const quote = await store.quoteOfOrder(evmAddress(order.owner), order.nonce.toString());
  if (quote === null) return null;
  return hashOrder(orderFromJson(quote.order)) === id ? quote : null;
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
function quoteFault(quote: QuoteTerms | null, nowMs: number, known: boolean): SubmitRefusal | null {
  if (quote === null || known || nowMs <= quote.validUntilMs) return null;
  const late = Math.ceil((nowMs - quote.validUntilMs) / 1_000);
  return refuse('quoteExpired', `the quote expired ${late} s ago; ask for a new one`, '/quoteId');
}

/** The form the chains will take. */
interface Signed {
  readonly kind: SignatureKind;
  readonly signature: Hex;
}

/** Everything that needs the origins: signature by contract, nonce, balance, allowance. */
async function onChains(
  deps: Deps,
  signing: Signing,
  known: boolean,
): Promise<Signed | SubmitRefusal> {
  const { order, kind } = signing;
  try {
    const signature = await signatureOf(deps, signing);
    if (typeof signature !== 'string') return signature;
    if (known) return { kind, signature };
    const faults = await Promise.all(
      order.origins.map((_, index) => originFault(deps, signing, index)),
    );
    return faults.find((fault) => fault !== null) ?? { kind, signature };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return {
      refused: 'chainDown',
      message: `an origin chain does not answer (${error.message}); try again shortly`,
      details: { code: error.code },
    };
  }
}

async function originFault(
  deps: Deps,
  { order, kind }: Signing,
  index: number,
): Promise<SubmitRefusal | null> {
  const origin = order.origins[index];
  if (origin === undefined) return null;
  const chain = chainAt(deps, origin.chainId);
  const { inputs } = origin;
  const spender = spenderOf(origin, kind, deps.network);
  const results = await deps.readAtHead(chain, [
    contracts.slotCall(origin, order.owner, order.nonce),
    ...inputs.map(({ token }) => contracts.balanceCall(token, order.owner)),
    ...inputs.map(({ token }) => contracts.allowanceCall(token, order.owner, spender)),
    ...(kind === 'permit2' ? [contracts.permit2NoncesCall(spender, order.owner, order.nonce)] : []),
  ]);
  const status = contracts.decodeSlotStatus(results[0]);
  if (status !== 'none') return nonceFault(order, `it is ${status} on chain ${origin.chainId}`);
  const spent = contracts.amountOf(results[1 + 2 * inputs.length]);
  if (kind === 'permit2' && (spent >> (order.nonce & 0xffn)) % 2n === 1n) {
    return nonceFault(order, `Permit2 on chain ${origin.chainId} has spent it`);
  }
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
        `approve ${spender} for at least that`;
      const have = allowance.toString();
      return {
        ...refuse('insufficientAllowance', message, at),
        details: { ...details, have, spender },
      };
    }
  }
  return null;
}

async function admit(
  deps: AdmissionDeps,
  order: PortfolioOrder,
  id: OrderId,
  { kind, signature }: Signed,
  quote: QuoteTerms | null,
): Promise<Submitted | SubmitRefusal> {
  const runAtMs = deps.clock.nowMs();
  const row: NewOrder = {
    orderId: id,
    quoteId: quote?.quoteId ?? null,
    owner: evmAddress(order.owner),
    nonce: order.nonce.toString(),
    state: 'created',
    reason: null,
    order: { ...orderToJson(order) },
    ownerSignature: signature,
    signatureKind: kind,
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
  const admitted = await deps.store.admitOrder(
    row,
    [created],
    [SERVE_JOB, GUARD_JOB].map((kind) => ({ kind, key: id, runAtMs })),
  );
  if (admitted.outcome === 'quoteGone') return quoteGone();
  if (admitted.outcome === 'nonceUsed') return nonceFault(order, 'another order of yours has it');
  return { orderId: id, created: admitted.outcome === 'applied', order: admitted.order };
}

const quoteGone = () =>
  refuse(
    'quoteNotFound',
    'no such quote: long expired, or forgotten in a crash of the database; ask for a new one',
    '/quoteId',
  );

function nonceFault(order: PortfolioOrder, why: string): SubmitRefusal {
  const message = `nonce ${order.nonce} is used: ${why}; ask for a new quote, which has a new nonce`;
  return refuse('nonceUsed', message, '/order/nonce');
}

function tokenName(deps: AdmissionDeps, id: bigint, token: string): string {
  const chain = deps.network.chains.find((c) => BigInt(c.chainId) === id);
  const symbol = chain?.tokens.find((t) => t.address === token)?.symbol ?? token;
  return `${symbol} on chain ${id}`;
}

function refuse(refused: SubmitRefusalCode, message: string, pointer: string): SubmitRefusal {
  return { refused, message, pointer };
}
