// One simulated chain behind the Chain port: blocks by tick, state per block, finality depth, an
// outage switch. Transactions come from the simulated sender.

import { encodeAbiParameters, encodeEventTopics, type Hex } from 'viem';
import { outputSettlerAbi } from '../../../contracts-abi/abi/outputSettler.ts';
import type { PortfolioOrder } from '../../../contracts-abi/typedData.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { Fault } from '../../../solver/types/errors.ts';
import { chainId, evmAddress, hash32 } from '../../../solver/types/ids.ts';
import {
  type BlockRef,
  type Chain,
  type ChainLog,
  type Receipt,
  Reverted,
  type TransactionRequest,
} from '../../../solver/types/ports.ts';
import {
  emptyState,
  execute,
  OUTPUT_SETTLER,
  type SimContext,
  SimRevert,
  type SimState,
  view,
} from './contracts.ts';

interface SimBlock {
  readonly ref: BlockRef;
  readonly state: SimState;
}
export interface SimTx extends TransactionRequest {
  readonly hash: Hex;
}
export interface Message {
  readonly from: number;
  readonly toEid: number;
  readonly hashes: readonly Hex[];
}

export class SimChain implements Chain {
  readonly chainId;
  readonly confirmations = 2;
  readonly id: number;
  down = false;
  readonly mempool: SimTx[] = [];
  readonly receipts = new Map<Hex, Receipt>();
  readonly sent: Message[] = [];
  onMined: (tx: SimTx, state: SimState) => void = () => {};
  private readonly blocks: SimBlock[] = [];
  private readonly orders: ReadonlyMap<Hex, PortfolioOrder>;

  constructor(id: number, now: number, orders: ReadonlyMap<Hex, PortfolioOrder>) {
    this.id = id;
    this.chainId = chainId(id);
    this.orders = orders;
    for (let n = 0; n <= this.confirmations; n += 1) this.push(now, emptyState());
  }

  get head(): SimBlock {
    const head = this.blocks.at(-1);
    if (head === undefined) throw new Error('no block');
    return head;
  }

  /** Changes the newest state directly: funding, deliveries, an owner's or a stranger's act. */
  poke(change: (state: SimState) => void) {
    change(this.head.state);
  }

  context(now: number, request: TransactionRequest, keep: boolean): SimContext {
    return {
      chainId: this.id,
      now,
      from: request.from,
      value: request.value,
      orders: this.orders,
      send: (toEid, hashes) => {
        if (keep) this.sent.push({ from: this.id, toEid, hashes });
      },
    };
  }

  mine(now: number) {
    const state = structuredClone(this.head.state);
    const number = this.head.ref.number + 1n;
    let current = state;
    for (const tx of this.mempool.splice(0)) {
      const attempt = structuredClone(current);
      let success = true;
      try {
        execute(attempt, tx.to, tx.data, this.context(now, tx, true));
        current = attempt;
      } catch (error) {
        if (!(error instanceof SimRevert)) throw error;
        success = false;
      }
      this.receipts.set(tx.hash, {
        transactionHash: hash32(tx.hash),
        blockNumber: number,
        blockHash: hash32(blockHash(this.id, number)),
        success,
        gasUsed: 100_000n,
        effectiveGasPrice: 1n,
        logs: [],
      });
      if (success) this.onMined(tx, current);
    }
    this.push(now, current);
  }

  private push(now: number, state: SimState) {
    const number = BigInt(this.blocks.length);
    const ref = {
      number,
      hash: hash32(blockHash(this.id, number)),
      parentHash: hash32(blockHash(this.id, number - 1n)),
      timestamp: unixSeconds(now),
    };
    this.blocks.push({ ref, state });
  }

  private up() {
    if (this.down) throw new Fault(`chain ${this.id} is down`, { code: 'chainDown' });
  }

  private at(ref: BlockRef): SimState {
    const block = this.blocks[Number(ref.number)];
    if (block === undefined) throw new Fault('no such block');
    return block.state;
  }

  async block(at: bigint | 'latest' | 'final'): Promise<BlockRef> {
    this.up();
    const last = this.blocks.length - 1;
    const wanted =
      at === 'latest' ? last : at === 'final' ? Math.max(0, last - this.confirmations) : Number(at);
    const block = this.blocks[wanted];
    if (block === undefined) throw new Fault('no such block');
    return block.ref;
  }

  async read(calls: readonly { to: Hex; data: Hex }[], at: BlockRef) {
    this.up();
    const state = this.at(at);
    return calls.map(({ to, data }) => ({ ok: true as const, data: view(state, to, data) }));
  }

  async logs(filter: Parameters<Chain['logs']>[0]): Promise<readonly ChainLog[]> {
    this.up();
    return this.head.state.logs
      .filter(({ award }) => filter.topics?.[1] === award)
      .map(({ award, output, fill }) => {
        const event = outputSettlerAbi.find(
          (item) => item.type === 'event' && item.name === 'OutputFilled',
        );
        if (event?.type !== 'event') throw new Error('no OutputFilled in the ABI');
        const topics = encodeEventTopics({
          abi: outputSettlerAbi,
          eventName: 'OutputFilled',
          args: { orderId: award },
        });
        const open = event.inputs.filter((input) => !('indexed' in input && input.indexed));
        const data = encodeAbiParameters(open as readonly { type: string }[], [
          fill.solver,
          fill.timestamp,
          output,
          output.amount,
        ]);
        return {
          address: evmAddress(OUTPUT_SETTLER),
          topics: topics as Hex[],
          data,
          blockNumber: 0n,
          blockHash: hash32(blockHash(this.id, 0n)),
          transactionHash: hash32(blockHash(this.id, 0n)),
          logIndex: 0,
        };
      });
  }

  async balance() {
    this.up();
    return 10n ** 18n;
  }
  async nonce() {
    this.up();
    return 0n;
  }
  async fees() {
    this.up();
    return { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n };
  }

  async estimateGas(request: TransactionRequest): Promise<bigint> {
    this.up();
    const trial = structuredClone(this.head.state);
    try {
      const now = this.head.ref.timestamp + 1;
      execute(trial, request.to, request.data, this.context(now, request, false));
      return 100_000n;
    } catch (error) {
      if (error instanceof SimRevert) throw new Reverted(error.message, error.data);
      throw error;
    }
  }

  async broadcast(): Promise<never> {
    throw new Error('the simulated sender does not broadcast');
  }

  async receipt(hash: Hex): Promise<Receipt | null> {
    this.up();
    return this.receipts.get(hash) ?? null;
  }
}

/** Unique per chain and height, and cheap: worlds have thousands of blocks. */
const blockHash = (id: number, number: bigint): Hex =>
  `0x${id.toString().padStart(32, 'b')}${(number < 0n ? 0n : number).toString().padStart(32, '0')}`;
