// The TxSender port: each (scope, purpose) becomes at most one transaction, for ever. Signed bytes are
// committed before they are broadcast, so a crash in between re-sends the same bytes; a nonce is
// given out only under the row lock of its account, so any number of processes may share one; a
// receipt is believed only in a canonical block at finality depth. Refuses to sign for an account
// whose nonces something else has used, and on a chain that has forgotten final transactions.

import { assert, present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { ChainId, EvmAddress } from '../types/ids.ts';
import { type Chain, type Clock, type GasFees, Reverted, type Signer } from '../types/ports.ts';
import type { JobLease, StoredTx, TxIntent, TxSender, TxStatus } from '../types/store.ts';
import { type Database, violatedUnique } from './postgres.ts';
import {
  findById,
  findByPurpose,
  findByScope,
  findPendingBelow,
  insertReplacement,
  insertTx,
  lockSender,
  type NonceRecord,
  newest,
  type SignedForm,
  setNonceFloor,
  settleTx,
  storedTx,
  type TxRow,
} from './txRows.ts';

export interface TxSenderPolicy {
  /** No transaction gets more gas; an estimate above it is refused. Default 15,000,000. */
  readonly gasMax?: bigint;
  /** Wei per gas; neither first fees nor replacements exceed it. Default 10^12 (1,000 gwei). */
  readonly maxFeePerGasMax?: bigint;
  /** Blocks a transaction whose turn it is may stay out before its fees are raised. Default 12. */
  readonly stuckBlocks?: bigint;
  /** Fee raises per transaction; default 5, each by an eighth at least. */
  readonly replacementsMax?: number;
  /** The same bytes are not sent again within this time; default 1,000. */
  readonly resendMs?: number;
}

export interface TxSenderOptions {
  readonly database: Database;
  readonly chains: readonly Chain[];
  readonly signers: readonly Signer[];
  readonly clock: Clock;
  readonly policy?: TxSenderPolicy;
}

export interface PostgresTxSender extends TxSender {
  /** Accepts that nonces were used elsewhere: signing goes on above what the chain counts now. */
  acknowledgeForeignNonces(chainId: ChainId, sender: EvmAddress): Promise<void>;
}

const DEFAULTS = {
  gasMax: 15_000_000n,
  maxFeePerGasMax: 10n ** 12n,
  stuckBlocks: 12n,
  replacementsMax: 5,
  resendMs: 1_000,
} as const satisfies Required<TxSenderPolicy>;
/** Lower nonces re-sent along with one that waits for them. */
const PREDECESSORS_MAX = 32;
/** Remembered sending times; forgetting one costs one more broadcast. */
const SENT_MAX = 10_000;

/**
 * `ensure` throws Fault: `insufficientFunds`, `gasTooHigh`, `foreignNonce` and `chainReset` before
 * anything is stored; `nonceTaken` when another transaction was mined under a stored nonce; whatever
 * the chain or the database throws. Throws LeaseLost instead of writing for a lease that was lost.
 * A purpose that ended `reverted` stays so: trying again is a new purpose.
 */
export function createTxSender(options: TxSenderOptions): PostgresTxSender {
  const { database, clock } = options;
  const policy = { ...DEFAULTS, ...options.policy };
  const chains = new Map(options.chains.map((chain) => [chain.chainId, chain]));
  const signers = new Map(options.signers.map((signer) => [signer.address, signer]));
  const chainOf = (id: ChainId) => present(chains.get(id), `chain ${id}`);
  const signerOf = (of: EvmAddress) => present(signers.get(of), `signer ${of}`);
  const oneByOne = createLanes();
  const sentAt = new Map<string, number>();

  /** Estimates, signs and stores. The bytes are durable when this returns, and not yet sent. */
  const prepare = async (intent: TxIntent, gas: bigint, fees: GasFees, lease: JobLease | null) => {
    const { chainId, sender, scope, purpose } = intent;
    const chain = chainOf(chainId);
    const signer = signerOf(sender);
    const head = await chain.block('latest');
    const cost = intent.value + gas * fees.maxFeePerGas;
    const balance = await chain.balance(sender, head);
    if (balance < cost) throw insufficientFunds(intent, balance, cost);
    return database.transaction(async (tx) => {
      const record = await lockSender(database, tx, chainId, sender);
      const existing = await findByPurpose(database, scope, purpose, tx);
      if (existing !== null) return existing;
      const nonce = await nextNonce(chain, sender, record);
      if (record.next === null) await setNonceFloor(database, tx, chainId, sender, nonce);
      const signed = await signer.signTransaction({ ...intent, nonce, gas, fees });
      const form: SignedForm = { ...signed, fees, signedAtBlock: head.number, version: 1 };
      const id = await insertTx(database, tx, intent, { nonce, gas, form }, lease);
      return findById(database, id, tx);
    });
  };

  /** Hands the newest form to the node. A refusal that the next look will explain is no failure. */
  const send = async (row: TxRow): Promise<void> => {
    const form = newest(row);
    if (sentAt.size >= SENT_MAX) sentAt.clear();
    sentAt.set(form.hash, clock.nowMs());
    try {
      await chainOf(row.chainId).broadcast(form.raw);
    } catch (error) {
      const code = error instanceof Fault ? error.code : null;
      // Mined meanwhile, or priced out for now: receipts and the fee policy decide what follows.
      if (code === 'nonceTooLow' || code === 'underpriced') return;
      sentAt.delete(form.hash);
      throw error;
    }
  };

  const replace = async (row: TxRow, head: bigint, lease: JobLease | null): Promise<TxRow> => {
    const old = newest(row);
    const fees = raisedFees(old.fees, await chainOf(row.chainId).fees(), policy.maxFeePerGasMax);
    if (fees === null) return row;
    const signed = await signerOf(row.sender).signTransaction({ ...row, fees });
    const form: SignedForm = { ...signed, fees, signedAtBlock: head, version: old.version + 1 };
    return database.transaction(async (tx) => {
      await lockSender(database, tx, row.chainId, row.sender);
      const now = await findById(database, row.id, tx);
      if (now.status !== 'pending' || newest(now).version !== old.version) return now;
      await insertReplacement(database, tx, row.id, form, lease);
      return findById(database, row.id, tx);
    });
  };

  /** No form has a canonical receipt: make sure that the node still knows the bytes. */
  const resend = async (row: TxRow, head: bigint, lease: JobLease | null): Promise<TxStatus> => {
    const form = newest(row);
    const pending: TxStatus = { state: 'pending', hash: form.hash };
    const last = sentAt.get(form.hash);
    if (last !== undefined && clock.nowMs() - last < policy.resendMs) return pending;
    const count = await chainOf(row.chainId).nonce(row.sender, 'latest');
    if (count > row.nonce) {
      // It may have been mined since we looked.
      const receipt = await findReceipt(chainOf(row.chainId), row);
      if (receipt === null) throw nonceTaken(row);
      return pending;
    }
    if (count < row.nonce) {
      // A crash may have left earlier nonces stored and never sent; this one waits for them.
      const earlier = await findPendingBelow(database, row, PREDECESSORS_MAX);
      for (const one of earlier) await send(one);
    }
    const stuck = count === row.nonce && head >= form.signedAtBlock + policy.stuckBlocks;
    const current =
      stuck && form.version <= policy.replacementsMax ? await replace(row, head, lease) : row;
    await send(current);
    return { state: 'pending', hash: newest(current).hash };
  };

  const follow = async (row: TxRow, lease: JobLease | null): Promise<TxStatus> => {
    if (row.receipt !== null) return outcome(row.receipt);
    const chain = chainOf(row.chainId);
    const head = await chain.block('latest');
    const receipt = await findReceipt(chain, row);
    if (receipt === null) return resend(row, head.number, lease);
    if (head.number < receipt.blockNumber + BigInt(chain.confirmations)) {
      return { state: 'pending', hash: receipt.transactionHash };
    }
    await settleTx(database, row.id, receipt, lease);
    return outcome(receipt);
  };

  return {
    async ensure(intent, lease) {
      const known = await findByPurpose(database, intent.scope, intent.purpose);
      if (known !== null) return follow(sameAccount(known, intent), lease);
      const chain = chainOf(intent.chainId);
      let estimate: bigint;
      try {
        estimate = await chain.estimateGas({ ...intent, from: intent.sender });
      } catch (error) {
        if (!(error instanceof Reverted)) throw error;
        return { state: 'wouldRevert', data: error.data, message: error.message };
      }
      const gas = gasLimit(estimate, policy.gasMax, intent);
      const fees = cappedFees(await chain.fees(), policy.maxFeePerGasMax);
      const lane = `${intent.chainId}:${intent.sender}`;
      let row: TxRow;
      try {
        row = await oneByOne(lane, () => prepare(intent, gas, fees, lease));
      } catch (error) {
        // The same purpose was stored for another account in the same moment.
        if (violatedUnique(error) !== 'chain_tx_purpose') throw error;
        const twin = await findByPurpose(database, intent.scope, intent.purpose);
        row = present(twin, `the transaction that took purpose ${intent.purpose}`);
      }
      await send(sameAccount(row, intent));
      return { state: 'pending', hash: newest(row).hash };
    },
    async list(scope): Promise<readonly StoredTx[]> {
      return (await findByScope(database, scope)).map(storedTx);
    },
    async acknowledgeForeignNonces(chainId, sender) {
      const chain = chainOf(chainId);
      await database.transaction(async (tx) => {
        await lockSender(database, tx, chainId, sender);
        const count = await chain.nonce(sender, 'pending');
        await setNonceFloor(database, tx, chainId, sender, count);
      });
    },
  };
}

const outcome = (receipt: NonNullable<TxRow['receipt']>): TxStatus => ({
  state: receipt.success ? 'final' : 'reverted',
  hash: receipt.transactionHash,
  receipt,
});

/** Any signed form may be the one that was mined. */
async function findReceipt(chain: Chain, row: TxRow) {
  for (const form of row.forms) {
    const receipt = await chain.receipt(form.hash);
    if (receipt !== null) return receipt;
  }
  return null;
}

/**
 * The nonce to sign with, from what we stored and what the chain counts. Without stored
 * transactions the chain decides; after that every used nonce must be one of ours.
 */
async function nextNonce(chain: Chain, sender: EvmAddress, known: NonceRecord): Promise<bigint> {
  const [latest, pending] = await Promise.all([
    chain.nonce(sender, 'latest'),
    chain.nonce(sender, 'pending'),
  ]);
  const count = larger(pending, latest);
  if (known.next === null) return count;
  const at = `account ${sender} on chain ${chain.chainId}`;
  if (latest < known.settled) {
    throw new Fault(
      `${at}: the chain counts ${latest} transactions, ${known.settled} were final: ` +
        'it was reset, or the node is far behind; a reset chain needs a fresh database',
      { code: 'chainReset', retryable: false },
    );
  }
  const next = larger(known.floor, known.next);
  if (count > next) {
    throw new Fault(
      `${at}: nonces ${next} to ${count - 1n} were used outside this service: find out by whom, ` +
        'then acknowledge them or change the key',
      { code: 'foreignNonce', retryable: false },
    );
  }
  return next;
}

/** A quarter above the estimate: state may change between now and the block. */
function gasLimit(estimate: bigint, max: bigint, { scope, purpose }: TxIntent): bigint {
  if (estimate > max) {
    const message = `${scope}/${purpose} needs ${estimate} gas, more than the allowed ${max}`;
    throw new Fault(message, { code: 'gasTooHigh', retryable: false });
  }
  const wanted = (estimate * 5n) / 4n;
  return smaller(wanted, max);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function cappedFees(fees: GasFees, max: bigint): GasFees {
  const maxFeePerGas = smaller(fees.maxFeePerGas, max);
  return {
    maxFeePerGas,
    maxPriorityFeePerGas: smaller(fees.maxPriorityFeePerGas, maxFeePerGas),
  };
}

/** Nodes take a replacement from 10 % more in both fees; null when the cap leaves no room. */
function raisedFees(old: GasFees, market: GasFees, max: bigint): GasFees | null {
  const raised = (fee: bigint) => (fee * 9n + 7n) / 8n + 1n;
  const maxFeePerGas = larger(raised(old.maxFeePerGas), market.maxFeePerGas);
  const tip = larger(raised(old.maxPriorityFeePerGas), market.maxPriorityFeePerGas);
  if (maxFeePerGas > max) return null;
  return { maxFeePerGas, maxPriorityFeePerGas: smaller(tip, maxFeePerGas) };
}

function sameAccount(row: TxRow, intent: TxIntent): TxRow {
  const same = row.chainId === intent.chainId && row.sender === intent.sender;
  assert(same, `${intent.scope}/${intent.purpose} belongs to ${row.sender} on ${row.chainId}`);
  return row;
}

function insufficientFunds({ chainId, sender }: TxIntent, balance: bigint, cost: bigint): Fault {
  const message = `${sender} on chain ${chainId} holds ${balance} wei and may need ${cost}`;
  return new Fault(message, { code: 'insufficientFunds' });
}

function nonceTaken(row: TxRow): Fault {
  return new Fault(
    `${row.scope}/${row.purpose}: nonce ${row.nonce} of ${row.sender} on chain ${row.chainId} was ` +
      'used by a transaction that is not ours: the key is in use elsewhere',
    { code: 'nonceTaken' },
  );
}

/** Runs tasks of one name one after the other, so that one account waits on one connection only. */
function createLanes() {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(name: string, task: () => Promise<T>): Promise<T> => {
    const before = last.get(name) ?? Promise.resolve();
    const mine = before.then(task, task);
    last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (last.get(name) === mine) last.delete(name);
    }
  };
}
