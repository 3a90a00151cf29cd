// The rows behind txSender: transactions, every signed form of each, and the lock on (chain, sender)
// under which nonces are given out. SQL and decoding only; what to do with them is txSender's.

import { sql } from 'kysely';
import { assert, present } from '../types/assert.ts';
import type { ChainId, EvmAddress, Hash32, Hex } from '../types/ids.ts';
import type { Json, JsonObject } from '../types/json.ts';
import type { ChainLog, GasFees, Receipt } from '../types/ports.ts';
import { type JobLease, LeaseLost, type StoredTx, type TxIntent } from '../types/store.ts';
import type { Database, Executor } from './postgres.ts';
import { heldLease } from './postgresJobs.ts';

/** One signed form. Version 1 is the first, each replacement one more. */
export interface SignedForm {
  readonly hash: Hash32;
  readonly raw: Hex;
  readonly fees: GasFees;
  readonly signedAtBlock: bigint;
  readonly version: number;
}

export interface TxRow {
  readonly id: string;
  readonly chainId: ChainId;
  readonly sender: EvmAddress;
  readonly nonce: bigint;
  readonly scope: string;
  readonly purpose: string;
  readonly to: EvmAddress;
  readonly data: Hex;
  readonly value: bigint;
  readonly gas: bigint;
  readonly status: StoredTx['status'];
  readonly receipt: Receipt | null;
  /** Newest first, never empty. */
  readonly forms: readonly SignedForm[];
}

/** What the store knows of an account's nonces. */
export interface NonceRecord {
  /** Set when the account was first used, or foreign nonces were acknowledged. */
  readonly floor: bigint;
  /** One above the highest stored nonce; null when none was stored. */
  readonly next: bigint | null;
  /** One above the highest nonce whose transaction reached finality; 0 when none did. */
  readonly settled: bigint;
}

const LIST_MAX = 1_000;

export function findByPurpose(database: Database, scope: string, purpose: string, on?: Executor) {
  return findOne(database, sql`scope = ${scope} AND purpose = ${purpose}`, on);
}

export async function findById(database: Database, id: string, on?: Executor): Promise<TxRow> {
  return present(await findOne(database, sql`id = ${id}`, on), `chain_tx ${id}`);
}

/** Pending transactions of the account with a lower nonce, which this one waits for. */
export async function findPendingBelow(database: Database, row: TxRow, limit: number) {
  const where = sql`chain_id = ${row.chainId} AND sender = ${row.sender}
    AND nonce < ${row.nonce.toString()} AND status = 'pending'`;
  return find(database, where, sql`nonce LIMIT ${limit}`);
}

export const findByScope = (database: Database, scope: string) =>
  find(database, sql`scope = ${scope}`, sql`id LIMIT ${LIST_MAX}`);

/**
 * Takes the account for the rest of the transaction: until it ends no other process gives out one
 * of its nonces or replaces one of its transactions.
 */
export async function lockSender(
  database: Database,
  tx: Executor,
  chainId: ChainId,
  sender: EvmAddress,
): Promise<NonceRecord> {
  await database.rows(
    sql`INSERT INTO chain_sender (chain_id, sender, nonce_floor)
        VALUES (${chainId}, ${sender}, 0) ON CONFLICT DO NOTHING`,
    tx,
  );
  const [lock] = await database.rows(
    sql<{ nonce_floor: string }>`SELECT nonce_floor FROM chain_sender
        WHERE chain_id = ${chainId} AND sender = ${sender} FOR UPDATE`,
    tx,
  );
  // A statement of its own, so that it sees what the lock's last holder committed.
  const [known] = await database.rows(
    sql<{ next: string | null; settled: string }>`
        SELECT max(nonce) + 1 AS next,
               coalesce(max(nonce) FILTER (WHERE status <> 'pending') + 1, 0) AS settled
        FROM chain_tx WHERE chain_id = ${chainId} AND sender = ${sender}`,
    tx,
  );
  return {
    floor: BigInt(present(lock, 'chain_sender row').nonce_floor),
    next: known?.next == null ? null : BigInt(known.next),
    settled: BigInt(known?.settled ?? 0),
  };
}

export async function setNonceFloor(
  database: Database,
  tx: Executor,
  chainId: ChainId,
  sender: EvmAddress,
  floor: bigint,
): Promise<void> {
  await database.rows(
    sql`UPDATE chain_sender SET nonce_floor = ${floor.toString()}
        WHERE chain_id = ${chainId} AND sender = ${sender}`,
    tx,
  );
}

export async function insertTx(
  database: Database,
  tx: Executor,
  intent: TxIntent,
  { nonce, gas, form }: { nonce: bigint; gas: bigint; form: SignedForm },
  lease: JobLease | null,
): Promise<string> {
  await holdLease(database, tx, lease);
  const [row] = await database.rows(
    sql<{ id: string }>`
      INSERT INTO chain_tx (chain_id, sender, nonce, scope, purpose, to_address, data, value, gas,
                            status, created_at_ms)
      VALUES (${intent.chainId}, ${intent.sender}, ${nonce.toString()}, ${intent.scope},
              ${intent.purpose}, ${intent.to}, ${intent.data}, ${intent.value.toString()},
              ${gas.toString()}, 'pending', now_ms())
      RETURNING id`,
    tx,
  );
  const { id } = present(row, 'inserted chain_tx');
  await insertForm(database, tx, id, form);
  return id;
}

export async function insertReplacement(
  database: Database,
  tx: Executor,
  id: string,
  form: SignedForm,
  lease: JobLease | null,
): Promise<void> {
  await holdLease(database, tx, lease);
  await insertForm(database, tx, id, form);
}

async function insertForm(database: Database, tx: Executor, id: string, form: SignedForm) {
  await database.rows(
    sql`INSERT INTO chain_tx_raw (hash, tx_id, raw, max_fee, max_priority_fee, signed_at_block,
                                  version)
        VALUES (${form.hash}, ${id}, ${form.raw}, ${form.fees.maxFeePerGas.toString()},
                ${form.fees.maxPriorityFeePerGas.toString()}, ${form.signedAtBlock.toString()},
                ${form.version})`,
    tx,
  );
}

/** A second call with the same receipt changes nothing; so does one for a settled transaction. */
export async function settleTx(
  database: Database,
  id: string,
  receipt: Receipt,
  lease: JobLease | null,
): Promise<void> {
  const status = receipt.success ? 'final' : 'reverted';
  const [row] = await database.rows(sql<{ held: boolean }>`
    WITH held AS MATERIALIZED (${heldLease(lease)}),
    settled AS (
      UPDATE chain_tx SET status = ${status}, receipt = ${JSON.stringify(encodeReceipt(receipt))}
      WHERE id = ${id} AND status = 'pending' AND EXISTS (SELECT 1 FROM held))
    SELECT EXISTS (SELECT 1 FROM held) AS held`);
  if (row?.held !== true) throw lost(lease);
}

/** Locks the job's row to the end of the transaction, or throws LeaseLost. */
async function holdLease(database: Database, tx: Executor, lease: JobLease | null): Promise<void> {
  const [held] = await database.rows(heldLease(lease), tx);
  if (held === undefined) throw lost(lease);
}

function lost(lease: JobLease | null): Error {
  assert(lease !== null, 'a write without a lease cannot lose it');
  return new LeaseLost(`lease ${lease.fence} of job ${lease.kind}/${lease.key} was lost`);
}

export function storedTx(row: TxRow): StoredTx {
  const { chainId, sender, nonce, scope, purpose, status, receipt } = row;
  return {
    chainId,
    sender,
    nonce,
    scope,
    purpose,
    hash: receipt?.transactionHash ?? newest(row).hash,
    status,
    blockNumber: receipt?.blockNumber ?? null,
    gasUsed: receipt?.gasUsed ?? null,
    effectiveGasPrice: receipt?.effectiveGasPrice ?? null,
  };
}

export const newest = (row: TxRow): SignedForm =>
  present(row.forms[0], `a signed form of chain_tx ${row.id}`);

type Fragment = ReturnType<typeof sql>;

async function findOne(database: Database, where: Fragment, on?: Executor): Promise<TxRow | null> {
  return (await find(database, where, sql`id LIMIT 1`, on))[0] ?? null;
}

async function find(database: Database, where: Fragment, order: Fragment, on?: Executor) {
  const rows = await database.rows(
    sql<DbRow>`
      SELECT chain_tx.*, (
        SELECT json_agg(json_build_object('hash', hash, 'raw', raw, 'max_fee', max_fee::text,
            'max_priority_fee', max_priority_fee::text, 'signed_at_block', signed_at_block::text,
            'version', version) ORDER BY version DESC)
        FROM chain_tx_raw WHERE tx_id = chain_tx.id) AS forms
      FROM chain_tx WHERE ${where} ORDER BY ${order}`,
    on,
  );
  return rows.map(decodeRow);
}

interface DbRow {
  readonly id: string;
  readonly chain_id: string;
  readonly sender: EvmAddress;
  readonly nonce: string;
  readonly scope: string;
  readonly purpose: string;
  readonly to_address: EvmAddress;
  readonly data: Hex;
  readonly value: string;
  readonly gas: string;
  readonly status: StoredTx['status'];
  readonly receipt: JsonObject | null;
  readonly forms: readonly {
    readonly hash: Hash32;
    readonly raw: Hex;
    readonly max_fee: string;
    readonly max_priority_fee: string;
    readonly signed_at_block: string;
    readonly version: number;
  }[];
}

const decodeRow = (row: DbRow): TxRow => ({
  id: row.id,
  chainId: Number(row.chain_id) as ChainId,
  sender: row.sender,
  nonce: BigInt(row.nonce),
  scope: row.scope,
  purpose: row.purpose,
  to: row.to_address,
  data: row.data,
  value: BigInt(row.value),
  gas: BigInt(row.gas),
  status: row.status,
  receipt: row.receipt === null ? null : decodeReceipt(row.receipt),
  forms: row.forms.map((form) => ({
    hash: form.hash,
    raw: form.raw,
    fees: {
      maxFeePerGas: BigInt(form.max_fee),
      maxPriorityFeePerGas: BigInt(form.max_priority_fee),
    },
    signedAtBlock: BigInt(form.signed_at_block),
    version: form.version,
  })),
});

function encodeReceipt(receipt: Receipt): Json {
  const text = JSON.stringify(receipt, (_key, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return JSON.parse(text) as Json;
}

/** The inverse of encodeReceipt: we wrote it ourselves, so its shape is ours. */
function decodeReceipt(stored: JsonObject): Receipt {
  type Plain<T> = { [K in keyof T]: T[K] extends bigint ? string : T[K] };
  type StoredReceipt = Omit<Plain<Receipt>, 'logs'> & { readonly logs: readonly Plain<ChainLog>[] };
  const plain = stored as unknown as StoredReceipt;
  return {
    ...plain,
    blockNumber: BigInt(plain.blockNumber),
    gasUsed: BigInt(plain.gasUsed),
    effectiveGasPrice: BigInt(plain.effectiveGasPrice),
    logs: plain.logs.map((log) => ({ ...log, blockNumber: BigInt(log.blockNumber) })),
  };
}
