// What the chains say about one award, read at the head or at finality. Who filled and when is taken
// from logs and believed only where it hashes to the record on chain. An origin that does not answer
// is 'unknown', which opens, fills and releases nothing.

import { type AbiEvent, getAbiItem, type Hex } from 'viem';
import { outputSettlerAbi } from '../../../contracts-abi/abi/outputSettler.ts';
import {
  decodeBool,
  decodeFillRecord,
  decodeSlot,
  encodeGetFillRecord,
  encodeIsProven,
  encodeSlot,
  recordIsOf,
  slotIsOf,
} from '../../../contracts-abi/calls.ts';
import {
  awardedOutput,
  encodeFillDescription,
  type Fill,
  type MandateOutput,
  outputHash,
  payloadHash,
} from '../../../contracts-abi/typedData.ts';
import type { ChainClient, Head } from './chain.ts';
import type { WonAward } from './types.ts';

export interface OriginFact {
  readonly chainId: number;
  readonly status: 'none' | 'open' | 'released' | 'refunded' | 'cancelled' | 'unknown';
  /** The slot is under this award. */
  readonly ours: boolean;
  /** Block time, Unix seconds; 0 when unknown. */
  readonly timestamp: number;
  /** One per output: the fill is proven here. */
  readonly proven: readonly boolean[];
}
export interface OutputFact {
  readonly chainId: number;
  readonly timestamp: number;
  readonly record: 'empty' | 'tombstone' | 'filled';
  readonly fill: Fill | null;
}
export interface AwardFacts {
  readonly origins: readonly OriginFact[];
  readonly outputs: readonly OutputFact[];
}

export type Chains = ReadonlyMap<number, ChainClient>;

const LOG_RANGE = 2_000n;
const LOG_RANGES_MAX = 50;
/** An award is younger than this before its last opening, seconds. */
const AWARD_AGE_SECONDS = 3_600;

export const addressOf = (word: Hex): Hex => `0x${word.slice(26)}`;

/** Awarded outputs in the order's order. */
export const outputsOf = ({ order, amounts }: WonAward): readonly MandateOutput[] =>
  order.outputs.map((output, i) => awardedOutput(output, amounts[i] ?? 0n));

/** Throws when a destination does not answer: without its records nothing may be decided. */
export async function readFacts(
  chains: Chains,
  award: WonAward,
  depth: 'latest' | 'final',
): Promise<AwardFacts> {
  const outputs = await readOutputs(chains, award, depth);
  const origins = await Promise.all(
    award.order.origins.map((_, i) => readOrigin(chains, award, i, outputs, depth)),
  );
  return { origins, outputs };
}

async function readOutputs(
  chains: Chains,
  award: WonAward,
  depth: 'latest' | 'final',
): Promise<readonly OutputFact[]> {
  const all = outputsOf(award);
  const ids = [...new Set(all.map(({ chainId }) => Number(chainId)))];
  const facts = new Map<MandateOutput, OutputFact>();
  await Promise.all(
    ids.map(async (chainId) => {
      const chain = chainOf(chains, chainId);
      const mine = all.filter((output) => Number(output.chainId) === chainId);
      const at = await chain[depth]();
      const calls = mine.map((output) => ({
        to: addressOf(output.settler),
        data: encodeGetFillRecord(award.awardId, outputHash(output)),
      }));
      const records = (await chain.read(calls, at)).map((data) => decodeFillRecord(answer(data)));
      const filled = records.some(({ status }) => status === 'filled');
      const fills = filled ? await readFills(chain, award, at) : [];
      mine.forEach((output, i) => {
        const record = records[i] ?? { status: 'empty' as const };
        const own = fills.filter((log) => log.outputHash === outputHash(output));
        const fill = own.find((log) => recordIsOf(record, log.fill))?.fill ?? null;
        if (record.status === 'filled' && fill === null) {
          throw new Error(`chain ${chainId}: no OutputFilled event explains a filled output`);
        }
        facts.set(output, { chainId, timestamp: at.timestamp, record: record.status, fill });
      });
    }),
  );
  return all.map((output) => facts.get(output) as OutputFact);
}

const outputFilled = getAbiItem({ abi: outputSettlerAbi, name: 'OutputFilled' }) as AbiEvent;

async function readFills(chain: ChainClient, award: WonAward, at: Head) {
  const { blockSeconds, contracts } = chain.config;
  const age = Math.max(0, at.timestamp - award.award.openBy) + AWARD_AGE_SECONDS;
  const back = BigInt(Math.ceil((age / blockSeconds) * 1.5));
  let from = at.number > back ? at.number - back : 0n;
  const found: { readonly outputHash: Hex; readonly fill: Fill }[] = [];
  for (let range = 0; range < LOG_RANGES_MAX && from <= at.number; range += 1) {
    const end = from + LOG_RANGE - 1n;
    const logs = await chain.public.getLogs({
      address: contracts.outputSettler,
      event: outputFilled,
      args: { orderId: award.awardId },
      fromBlock: from,
      toBlock: end < at.number ? end : at.number,
      strict: true,
    });
    for (const { args } of logs) {
      const { solver, timestamp, output } = args as unknown as {
        readonly solver: Hex;
        readonly timestamp: number;
        readonly output: MandateOutput;
      };
      found.push({ outputHash: outputHash(output), fill: { solver, timestamp } });
    }
    from = end + 1n;
  }
  return found;
}

async function readOrigin(
  chains: Chains,
  award: WonAward,
  index: number,
  outputs: readonly OutputFact[],
  depth: 'latest' | 'final',
): Promise<OriginFact> {
  const { order, awardId } = award;
  const origin = order.origins[index];
  const chainId = Number(origin?.chainId);
  const unknown = { chainId, status: 'unknown', ours: false, timestamp: 0, proven: [] } as const;
  if (origin === undefined) return unknown;
  try {
    const chain = chainOf(chains, chainId);
    const at = await chain[depth]();
    const awarded = outputsOf(award);
    const remote = outputs.flatMap(({ fill }, i) => {
      const output = awarded[i];
      if (fill === null || output === undefined || Number(output.chainId) === chainId) return [];
      const hash = payloadHash(encodeFillDescription(awardId, output, fill));
      const data = encodeIsProven(output.chainId, output.oracle, output.settler, hash);
      return [{ i, call: { to: origin.oracle, data } }];
    });
    const slotCall = { to: origin.settler, data: encodeSlot(order.owner, order.nonce) };
    const answers = await chain.read([slotCall, ...remote.map(({ call }) => call)], at);
    const slot = decodeSlot(answer(answers[0]));
    const held = slot.status !== 'none' && slot.status !== 'cancelled';
    const proven = outputs.map((fact, i) => {
      // A settler reads its own chain's records itself.
      if (fact.chainId === chainId) return fact.record === 'filled';
      const asked = remote.findIndex((one) => one.i === i);
      return asked >= 0 && decodeBool(answer(answers[asked + 1]));
    });
    return {
      chainId,
      status: slot.status,
      ours: held && slotIsOf(slot, slot.status, awardId),
      timestamp: at.timestamp,
      proven,
    };
  } catch {
    return unknown;
  }
}

export function chainOf(chains: Chains, chainId: number): ChainClient {
  const chain = chains.get(chainId);
  if (chain === undefined) throw new Error(`chain ${chainId} is not in the network`);
  return chain;
}

function answer(data: Hex | null | undefined): Hex {
  if (data === null || data === undefined || data === '0x') {
    throw new Error('a contract did not answer');
  }
  return data;
}
