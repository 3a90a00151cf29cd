// Standing policies: what one would do, arming and ending it, reading it, and the order it proposes. The
// document is hashed here; the service's payload is never signed.

import { type Account, type Client, type Hex, keccak256, toHex } from 'viem';
import { signTypedData } from 'viem/actions';
import {
  hashPolicy,
  policyPayload,
  readPolicyPayload,
  resumePolicyPayload,
  revokePolicyPayload,
} from '../../contracts-abi/policyTypedData.ts';
import { canonicalJson } from '../../solver/market/jsonText.ts';
import { TrimtabError } from './errors.ts';
import { type FollowOptions, followLog, type LogEvent } from './events.ts';
import { checkQuote, type Offer } from './quotes.ts';
import type { SigningRules } from './rebuildRules.ts';
import type { Api } from './transport.ts';
import type {
  Policy,
  PolicyArmed,
  PolicyDrift,
  PolicyDryRun,
  PolicyDryRunAnswer,
  PolicyLog,
  PolicyPortfolio,
  ProposalList,
  Quote,
} from './types.ts';

type Signer = Client & { readonly account?: Account | undefined };
interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}
/** `reader`: what signReader answered, for a private policy. */
interface Reading extends Cancellable {
  readonly policyId: string;
  readonly reader?: string | undefined;
}
type Document = PolicyDryRun['document'];

const pathOf = (policyId: string): string => `/v1/policies/${encodeURIComponent(policyId)}`;
const readerHeader = ({ reader }: Reading): Record<string, string> =>
  reader === undefined ? {} : { 'trimtab-reader': reader };

/** What the policy would do now, and why; writes nothing. */
export const dryRunPolicy = (
  api: Api,
  { signal, ...body }: PolicyDryRun & Cancellable,
): Promise<PolicyDryRunAnswer> =>
  api.request('/v1/policies/dry-run', { method: 'POST', body, safe: true, signal });

/** How far a portfolio stands from a policy's targets. */
export const getDrift = (
  api: Api,
  { signal, ...body }: PolicyDrift & Cancellable,
): Promise<PolicyPortfolio> =>
  api.request('/v1/policies/drift', { method: 'POST', body, safe: true, signal });

/**
 * Signs a policy and has it watched; the same again is the same policy. `nonce`: one policy per owner
 * and nonce, default made of the document. `expires`: Unix seconds, default never.
 */
export async function armPolicy(
  api: Api,
  wallet: Signer,
  {
    document,
    nonce,
    expires = 0,
    signal,
  }: {
    readonly document: Document;
    readonly nonce?: bigint;
    readonly expires?: number;
  } & Cancellable,
): Promise<PolicyArmed> {
  const owner = accountOf(wallet).address;
  const text = canonicalJson(document);
  const number = nonce ?? BigInt(keccak256(toHex(`${text} until ${expires}`)).slice(0, 34));
  const policy = { owner, document: keccak256(toHex(text)), nonce: number, expires };
  const signature = await sign(wallet, policyPayload(policy));
  const answer = await api.request<PolicyArmed>('/v1/policies', {
    method: 'POST',
    body: { document, owner, nonce: number.toString(), expires, signature },
    // The very same policy again is the same policy.
    safe: true,
    signal,
  });
  if (answer.policyId === hashPolicy(policy)) return answer;
  const message = `the service calls the policy ${answer.policyId}, which is not what was signed`;
  throw new TrimtabError('mismatch', message, { pointer: '/policyId' });
}

/** A word of the owner that a private policy may be read, for `seconds`; at most a day. */
export async function signReader(
  wallet: Signer,
  { policyId, seconds = 600 }: { readonly policyId: Hex; readonly seconds?: number },
): Promise<string> {
  const validUntil = Math.floor(Date.now() / 1000) + seconds;
  return `${validUntil};${await sign(wallet, readPolicyPayload(policyId, validUntil))}`;
}

export const getPolicy = (api: Api, reading: Reading): Promise<Policy> =>
  api.request(pathOf(reading.policyId), {
    headers: readerHeader(reading),
    signal: reading.signal,
  });

export const listPolicies = (
  api: Api,
  { owner, limit, signal }: { readonly owner: string; readonly limit?: number } & Cancellable,
): Promise<{ readonly policies: readonly Policy[] }> =>
  api.request('/v1/policies', { query: { owner, limit }, signal });

/** One page of the log; `next` of it is `after` of the next one, null at the end. */
export const getPolicyLog = (
  api: Api,
  { after, limit, ...reading }: Reading & { readonly after?: number; readonly limit?: number },
): Promise<PolicyLog> =>
  api.request(`${pathOf(reading.policyId)}/decisions`, {
    query: { after, limit },
    headers: readerHeader(reading),
    signal: reading.signal,
  });

const isLast = ({ type }: LogEvent): boolean => /^policy\.(revoked|expired)$/.test(type);

/** Its log as it grows, until it has ended. */
export const watchPolicy = (
  api: Api,
  { afterSeq, ...reading }: Reading & Pick<FollowOptions, 'afterSeq'>,
): AsyncGenerator<LogEvent, void, void> =>
  followLog(api, `${pathOf(reading.policyId)}/events`, isLast, {
    afterSeq,
    headers: readerHeader(reading),
    signal: reading.signal,
  });

/**
 * The order that waits for the owner's signature, as an offer to approve and sign; null if none. The
 * policy asked for it, so that amounts are held to the preview, the owner and `rules` alone.
 */
export async function getProposal(
  api: Api,
  {
    owner,
    rules = {},
    ...reading
  }: Reading & { readonly owner: string; readonly rules?: SigningRules },
): Promise<Offer | null> {
  const [{ proposals }, network] = await Promise.all([
    api.request<ProposalList>(`${pathOf(reading.policyId)}/proposals`, {
      headers: readerHeader(reading),
      signal: reading.signal,
    }),
    api.network(reading.signal),
  ]);
  const [live] = proposals;
  if (live === undefined) return null;
  return checkQuote({ owner, intent: null }, live.response as unknown as Quote, network, rules);
}

/** Ends a policy for good. */
export async function revokePolicy(
  api: Api,
  wallet: Signer,
  { policyId, signal }: { readonly policyId: Hex } & Cancellable,
): Promise<Policy> {
  const signature = await sign(wallet, revokePolicyPayload(policyId));
  const body = { signature };
  return api.request(pathOf(policyId), { method: 'DELETE', body, safe: true, signal });
}

/** Lets a halted policy go on, from the halt it stands in now. */
export async function resumePolicy(
  api: Api,
  wallet: Signer,
  { policyId, signal }: { readonly policyId: Hex } & Cancellable,
): Promise<Policy> {
  const reader = await signReader(wallet, { policyId });
  const { haltedEvent, state } = await getPolicy(api, { policyId, reader, signal });
  if (haltedEvent === null) {
    throw new TrimtabError('notHalted', `the policy is ${state}: there is nothing to resume`);
  }
  const signature = await sign(wallet, resumePolicyPayload(policyId, haltedEvent));
  const body = { signature };
  return api.request(`${pathOf(policyId)}/resume`, { method: 'POST', body, safe: true, signal });
}

function accountOf({ account }: Signer): Account {
  if (account !== undefined) return account;
  throw new TrimtabError('walletFault', 'the client has no account');
}

const sign = (wallet: Signer, payload: object): Promise<Hex> =>
  signTypedData(wallet, { account: accountOf(wallet), ...payload } as Parameters<
    typeof signTypedData
  >[1]);
