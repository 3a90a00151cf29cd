// Reads OrderFacts from the chains: every chain once, at its own final block, all its calls in one
// round trip. A chain that fails or hangs becomes an Unreachable fact. The one thing it takes from
// logs is who filled and when, and it believes that only where it hashes to the record on chain.

import type { OutputRecord } from '../../contracts-abi/calls.ts';
import { unixSeconds } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { BlockRef, Chain, ChainLog } from '../types/ports.ts';
import type { AwardedOrder } from './awardedOrder.ts';
import * as contracts from './contracts.ts';
import type { OrderFacts, OriginFact, OutputFact, Proof, Unreachable } from './facts.ts';
import type { SettlementDeps } from './ports.ts';
import { chainOf } from './steps.ts';

/** Blocks of logs asked for at once, and how many such ranges one read may cover. */
const LOG_RANGE = 2_000n;
const LOG_RANGES_MAX = 50;

export async function readFacts(deps: SettlementDeps, order: AwardedOrder): Promise<OrderFacts> {
  const destinations = new Set(order.outputs.map((o) => Number(o.chainId)));
  const perChain = await Promise.all([...destinations].map((id) => readOutputs(deps, order, id)));
  const outputs = perChain.flat().sort((a, b) => a.index - b.index);
  const origins = await Promise.all(
    order.order.origins.map((_, index) => readOrigin(deps, order, index, outputs)),
  );
  return { origins, outputs };
}

type OutputFacts = OrderFacts['outputs'];

async function readOutputs(
  deps: SettlementDeps,
  order: AwardedOrder,
  chainId: number,
): Promise<OutputFacts> {
  const mine = [...order.outputs.entries()].filter(([, o]) => Number(o.chainId) === chainId);
  const chain = chainOf(deps, chainId);
  try {
    const at = await chain.block('final');
    const records = await contracts.readRecords(
      chain,
      order,
      mine.map(([, output]) => output),
      at,
    );
    const anyFilled = records.some((record) => record.status === 'filled');
    const logs = anyFilled ? await readFillLogs(chain, order, chainId, at) : [];
    return mine.map(([index], i): OutputFact => {
      const record = present(records[i], 'record');
      const fill = record.status === 'filled' ? fillOf(order, index, record, logs) : null;
      return { reachable: true, index, chainId, at, record: record.status, fill };
    });
  } catch (error) {
    return mine.map(([index]) => ({ ...unreachable(chainId, error), index }));
  }
}

/** A record without its event is a node that does not serve its logs: unreadable, not unfilled. */
function fillOf(
  order: AwardedOrder,
  index: number,
  record: OutputRecord,
  logs: readonly ChainLog[],
): NonNullable<OutputFact['fill']> {
  const output = present(order.outputs[index], 'output');
  const fill = contracts.explainRecord(logs, output, record);
  if (fill === null) {
    const message = `chain ${output.chainId}: no OutputFilled event explains output ${index}`;
    throw new Fault(message, { code: 'logsMissing' });
  }
  return { solver: fill.solver, timestamp: unixSeconds(fill.timestamp) };
}

/** The award's fills up to `at`, in bounded requests. */
async function readFillLogs(
  chain: Chain,
  order: AwardedOrder,
  chainId: number,
  at: BlockRef,
): Promise<readonly ChainLog[]> {
  const found: ChainLog[] = [];
  let from = order.fromBlocks.get(chainId) ?? 0n;
  for (let range = 0; range < LOG_RANGES_MAX && from <= at.number; range += 1) {
    const end = from + LOG_RANGE - 1n;
    const to = end < at.number ? end : at.number;
    found.push(...(await contracts.fillLogs(chain, order, chainId, from, to)));
    from = to + 1n;
  }
  return found;
}

async function readOrigin(
  deps: SettlementDeps,
  order: AwardedOrder,
  index: number,
  outputs: OutputFacts,
): Promise<OriginFact | Unreachable> {
  const origin = present(order.order.origins[index], 'origin');
  const chainId = Number(origin.chainId);
  const chain = chainOf(deps, chainId);
  try {
    const at = await chain.block('final');
    const read = await contracts.readOrigin(chain, order, origin, payloadsOf(order, outputs), at);
    const proofs = outputs.map((fact, i): Proof => {
      // A settler reads its own chain's records itself.
      if (fact.chainId === chainId) return localProof(fact);
      const proven = present(read.proven[i], 'proof');
      return proven.tombstone ? 'tombstone' : proven.fill ? 'fill' : 'none';
    });
    return { reachable: true, chainId, at, status: read.status, ours: read.ours, proofs };
  } catch (error) {
    return unreachable(chainId, error);
  }
}

function payloadsOf(order: AwardedOrder, outputs: OutputFacts): readonly contracts.ProofQuery[] {
  return outputs.map((fact): contracts.ProofQuery => {
    const output = present(order.outputs[fact.index], 'output');
    return { output, fill: fact.reachable ? fact.fill : null };
  });
}

function localProof(fact: OutputFacts[number]): Proof {
  if (!fact.reachable || fact.record === 'empty') return 'none';
  return fact.record === 'tombstone' ? 'tombstone' : 'fill';
}

function unreachable(chainId: number, error: unknown): Unreachable {
  if (!(error instanceof Fault)) throw error;
  return { reachable: false, chainId, error: error.message.slice(0, 200) };
}
