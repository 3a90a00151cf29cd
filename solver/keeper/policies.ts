// The service of standing policies behind the API: arming, revoking, resuming, reading. Owns who
// may do and see what; what a policy then does is the keep job's business. The same request again
// gets the same answer.

import {
  hashPolicy,
  policyDigest,
  readPolicyDigest,
  resumePolicyDigest,
  revokePolicyDigest,
} from '../../contracts-abi/policyTypedData.ts';
import { CALM } from '../policy/guards/breakers.ts';
import { resumed } from '../policy/guards/judgeBreakers.ts';
import type { Policy } from '../policy/types.ts';
import { MAX_UINT256 } from '../types/amounts.ts';
import { Fault, InvalidInput, isRefusal } from '../types/errors.ts';
import { type ChainId, type EvmAddress, type Hex, type PolicyId, policyId } from '../types/ids.ts';
import type {
  Armed,
  ArmRequest,
  PolicyReader,
  PolicyRefusal,
  PolicyRefusalCode,
  PolicyService,
  PolicyView,
} from '../types/policyService.ts';
import type { PolicyStep, StoredPolicy, StoredProposal } from '../types/policyStore.ts';
import { drift, dryRun } from './dryRun.ts';
import { isEnded, isRow, KEEP_JOB, KEEPER_STATES, step } from './lifecycle.ts';
import { freshMemory, memoryOf, memoryToJson } from './memory.ts';
import { chainsOf } from './observe.ts';
import { commitmentOf, policyOf } from './policyOf.ts';
import type { PolicyServiceDeps } from './ports.ts';
import { eventView, policyView, proposalView } from './view.ts';

/** A ReadPolicy signature may be valid for this long at most. */
const READ_SECONDS_MAX = 86_400;
/** Tries of a write that races with the keeper's. */
const TRIES_MAX = 8;
const LIVE_STATUSES = KEEPER_STATES.filter(isRow).filter((status) => !isEnded(status));

export function createPolicies(deps: PolicyServiceDeps): PolicyService {
  const { store } = deps;
  /** The row and whether the caller may see all of it. */
  const open = async (
    id: PolicyId,
    reader: PolicyReader | undefined,
  ): Promise<{ row: StoredPolicy; privacy: Policy['privacy']; shown: boolean } | PolicyRefusal> => {
    const row = await store.getPolicy(id);
    if (row === null) return notFound();
    const privacy = privacyOf(row);
    if (privacy === 'public') return { row, privacy, shown: true };
    if (reader === undefined) return { row, privacy, shown: false };
    const fault = await readerFault(deps, row, reader);
    return fault ?? { row, privacy, shown: true };
  };
  return {
    arm: (request) => arm(deps, request),
    revoke: (id, signature) => revoke(deps, id, signature),
    resume: (id, signature) => resume(deps, id, signature),
    async get(id, reader) {
      const opened = await open(id, reader);
      if (isRefusal(opened)) return opened;
      return policyView(opened.row, opened.privacy, await live(deps, id), opened.shown);
    },
    async list(owner, limit) {
      const rows = await store.listPolicies({ owner, limit });
      return Promise.all(rows.map((row) => viewOf(deps, row)));
    },
    async decisions(id, afterSeq, limit, reader) {
      const opened = await open(id, reader);
      if (isRefusal(opened)) return opened;
      const events = await store.policyEvents(id, afterSeq, limit);
      return events.map((event) => eventView(event, opened.shown));
    },
    async proposals(id, reader) {
      const opened = await open(id, reader);
      if (isRefusal(opened)) return opened;
      if (!opened.shown) {
        return refuse('ownerOnly', 'the policy is private: add the owner’s ReadPolicy signature');
      }
      const proposal = await live(deps, id);
      return proposal === null ? [] : [proposalView(proposal)];
    },
    dryRun: (request) => dryRun(deps, request),
    drift: (request) => drift(deps, request),
    subscribe: (id, listener) =>
      store.onPolicyEvents((changed) => {
        if (changed === id) listener();
      }),
  };
}

async function arm(deps: PolicyServiceDeps, request: ArmRequest): Promise<Armed | PolicyRefusal> {
  const { document, owner, signature, expires = 0 } = request;
  const nonce = readNonce(request.nonce);
  const policy = policyOf(document, deps.network, '/document');
  const documentHash = commitmentOf(document);
  const signed = { owner, document: documentHash, nonce, expires };
  const id = policyId(hashPolicy(signed));
  const known = await deps.store.getPolicy(id);
  if (known === null) {
    const fault = unsupported(policy) ?? expiryFault(deps, policy, expires);
    if (fault !== null) return fault;
  }
  const chains = chainsOf(policy, deps).map(({ chainId }) => chainId);
  const forged = await signatureFault(deps, chains, owner, policyDigest(signed), signature);
  if (forged !== null) return forged;
  if (known !== null)
    return { policyId: id, created: false, policy: await viewOf(deps, known, true) };
  const { policiesMax } = deps;
  const others = await deps.store.listPolicies({
    owner,
    statuses: LIVE_STATUSES,
    limit: policiesMax,
  });
  if (others.length >= policiesMax) {
    return refuse('tooManyPolicies', `an owner may have ${policiesMax} policies; revoke one first`);
  }
  const memory = memoryToJson(freshMemory(deps.clock.now()));
  const applied = await deps.store.arm(
    {
      policyId: id,
      owner,
      nonce: nonce.toString(),
      document,
      documentHash,
      expires,
      signature: signature.toLowerCase() as Hex,
      status: 'armed',
      memory,
    },
    [
      {
        type: 'policy.armed',
        data: { from: 'draft', to: 'armed', code: 'armed', why: 'signed by its owner', owner },
      },
    ],
    [{ kind: KEEP_JOB, key: id, runAtMs: deps.clock.nowMs() }],
  );
  if (applied === 'nonceUsed') {
    const message = `nonce ${nonce} armed another document of yours; take another nonce`;
    return refuse('nonceUsed', message, '/nonce');
  }
  const row = await deps.store.getPolicy(id);
  if (row === null) throw new Fault(`policy ${id} was armed and is not there`);
  return { policyId: id, created: applied === 'applied', policy: await viewOf(deps, row, true) };
}

async function revoke(
  deps: PolicyServiceDeps,
  id: PolicyId,
  signature: Hex,
): Promise<PolicyView | PolicyRefusal> {
  return changing(deps, id, async (row, proposal) => {
    const digest = revokePolicyDigest(id);
    const forged = await signatureFault(deps, signedOn(deps, row), row.owner, digest, signature);
    if (forged !== null) return forged;
    if (row.status === 'revoked') return null;
    if (isEnded(row.status)) return refuse('alreadyEnded', `the policy is ${row.status} already`);
    return step(row, ['revoked'], {
      because: { revoked: { code: 'revoked', why: 'the owner signed RevokePolicy' } },
      jobs: [{ kind: KEEP_JOB, key: id, runAtMs: deps.clock.nowMs() }],
      ...(proposal === null
        ? {}
        : { close: { quoteId: proposal.quoteId, outcome: 'withdrawn' as const, orderId: null } }),
    });
  });
}

async function resume(
  deps: PolicyServiceDeps,
  id: PolicyId,
  signature: Hex,
): Promise<PolicyView | PolicyRefusal> {
  return changing(deps, id, async (row) => {
    const memory = memoryOf(row.memory);
    const stands = row.status === 'halted' || row.status === 'reduceOnly';
    const halt = stands ? memory.haltedEvent : memory.resumedEvent;
    if (halt === null) {
      return refuse('notHalted', `the policy is ${row.status}: there is nothing to resume`);
    }
    const digest = resumePolicyDigest(id, halt);
    const forged = await signatureFault(deps, signedOn(deps, row), row.owner, digest, signature);
    if (forged !== null) {
      const message = `${forged.message}; the halt to name is haltedEvent ${halt}`;
      return { ...forged, message };
    }
    if (!stands) return null;
    const { consecutiveFailures, tripped } = resumed({
      ...CALM,
      worth: memory.worth,
      consecutiveFailures: memory.consecutiveFailures,
      tripped: memory.tripped,
    });
    return step(row, ['armed'], {
      because: { armed: { code: 'resumed', why: 'the owner resumed it' } },
      data: { armed: { haltedEvent: halt } },
      memory: memoryToJson({
        ...memory,
        consecutiveFailures,
        tripped,
        // A drawdown is measured from here on: the peak before it was seen by the owner.
        worth: [],
        haltedEvent: null,
        resumedEvent: halt,
        pausedUntilMs: 0,
        loggedKey: '',
      }),
      jobs: [{ kind: KEEP_JOB, key: id, runAtMs: deps.clock.nowMs() }],
    });
  });
}

/** Reads, decides, writes; again when the keeper wrote in between. null: it stands as wanted. */
async function changing(
  deps: PolicyServiceDeps,
  id: PolicyId,
  change: (
    row: StoredPolicy,
    live: StoredProposal | null,
  ) => Promise<PolicyStep | PolicyRefusal | null>,
): Promise<PolicyView | PolicyRefusal> {
  for (let tries = 1; ; tries += 1) {
    const row = await deps.store.getPolicy(id);
    if (row === null) return notFound();
    const made = await change(row, await live(deps, id));
    if (made === null) return viewOf(deps, row, true);
    if (isRefusal(made)) return made;
    try {
      await deps.store.applyStep(made, null);
      const after = await deps.store.getPolicy(id);
      return viewOf(deps, after ?? row, true);
    } catch (error) {
      const raced = error instanceof Fault && error.code === 'stateConflict';
      if (!raced || tries === TRIES_MAX) throw error;
    }
  }
}

async function live({ store }: PolicyServiceDeps, id: PolicyId): Promise<StoredProposal | null> {
  const [newest] = await store.proposals(id, 1);
  return newest?.outcome === null ? newest : null;
}

/** `signed`: whoever asks has just signed for it. */
async function viewOf(
  deps: PolicyServiceDeps,
  row: StoredPolicy,
  signed = false,
): Promise<PolicyView> {
  const privacy = privacyOf(row);
  const shown = signed || privacy === 'public';
  return policyView(row, privacy, shown ? await live(deps, row.policyId) : null, shown);
}

async function readerFault(
  deps: PolicyServiceDeps,
  row: StoredPolicy,
  { validUntil, signature }: PolicyReader,
): Promise<PolicyRefusal | null> {
  const now = deps.clock.now();
  if (validUntil < now || validUntil > now + READ_SECONDS_MAX) {
    const message = `validUntil must lie between now (${now}) and a day ahead; sign it anew`;
    return refuse('readExpired', message, '/validUntil');
  }
  const digest = readPolicyDigest(row.policyId, validUntil);
  return signatureFault(deps, signedOn(deps, row), row.owner, digest, signature);
}

// Reading, revoking and resuming never parse the document: an asset or a chain that has left the network
// since must not lock its owner out, nor name itself to the public.

/** What is not plainly public is private. */
const privacyOf = ({ document: { privacy } }: StoredPolicy): Policy['privacy'] =>
  privacy === undefined || privacy === 'public' ? 'public' : 'commitment';

/** The chains a contract wallet must answer on: the policy's that are still served, else all. */
function signedOn({ network }: PolicyServiceDeps, { document }: StoredPolicy): readonly ChainId[] {
  const served = network.chains.map(({ chainId }) => chainId);
  const named: readonly unknown[] = Array.isArray(document.chains) ? document.chains : served;
  const both = served.filter((id) => named.includes(id));
  return both.length > 0 ? both : served;
}

async function signatureFault(
  deps: PolicyServiceDeps,
  chains: readonly ChainId[],
  owner: EvmAddress,
  digest: Hex,
  signature: Hex,
): Promise<PolicyRefusal | null> {
  const answer = await deps.checkOwner(owner, digest, signature, chains);
  switch (answer) {
    case 'ok':
      return null;
    case 'malformed':
      return refuse(
        'malformedSignature',
        'a wallet’s signature is 65 bytes with low s and v 27 or 28; a contract wallet must ' +
          'answer isValidSignature on every chain of the policy',
        '/signature',
      );
    case 'otherSigner':
      return refuse(
        'wrongSigner',
        `the signature is not the owner’s (${owner}) for this data; sign the typed data as given`,
        '/signature',
      );
    case 'chainDown':
      return refuse(
        'chainDown',
        'a chain that must check the signature does not answer; try again',
      );
  }
}

function readNonce(text: string): bigint {
  const valid = /^(0|[1-9][0-9]{0,77})$/.test(text) && BigInt(text) <= MAX_UINT256;
  if (valid) return BigInt(text);
  throw new InvalidInput('nonce must be a decimal uint256', { pointer: '/nonce' });
}

function unsupported({ leverage, hedge }: Policy): PolicyRefusal | null {
  if (leverage !== null) {
    const message = 'no lending venue is connected, so leverage cannot be kept here; leave it out';
    return refuse('unsupportedPolicy', message, '/document/leverage');
  }
  if (hedge !== null) {
    const message = 'no option venue is connected, so nothing can be hedged here; leave hedge out';
    return refuse('unsupportedPolicy', message, '/document/hedge');
  }
  return null;
}

function expiryFault(
  { clock }: PolicyServiceDeps,
  policy: Policy,
  expires: number,
): PolicyRefusal | null {
  const now = clock.now();
  if (!Number.isInteger(expires) || expires < 0 || expires > 0xffffffff) {
    throw new InvalidInput('expires must be Unix seconds (uint32); 0 or absent: never', {
      pointer: '/expires',
    });
  }
  if (expires !== 0 && expires <= now) {
    return refuse('policyExpired', `expires lies ${now - expires} s back`, '/expires');
  }
  if (policy.expires !== null && policy.expires <= now) {
    return refuse('policyExpired', 'the document’s own expiry is over', '/document/expires');
  }
  return null;
}

const notFound = (): PolicyRefusal => refuse('policyNotFound', 'no such policy');

export function refuse(
  refused: PolicyRefusalCode,
  message: string,
  pointer?: string,
): PolicyRefusal {
  return { refused, message, ...(pointer === undefined ? {} : { pointer }) };
}
