// All of a running lab's workers: two DVNs and the executor per source chain, the price pulse per
// chain. Each account has one sender per chain, shared by everything that account does there.

import { present } from '../../types/assert.ts';
import type { LabRole } from '../accounts.ts';
import type { PausablePart } from '../controlClient.ts';
import type { LabLog } from '../log.ts';
import type { ResolvedLabOptions } from '../options.ts';
import type { AssetName } from '../setup.ts';
import { arbitrage } from './arbitrage.ts';
import { createDvnWorker } from './dvn.ts';
import { createExecutorWorker } from './executor.ts';
import { runLoop } from './loop.ts';
import type { Site } from './packets.ts';
import { createPriceSource, type PriceSource } from './prices.ts';
import { createPublisher } from './publisher.ts';
import { createSender, type Sender } from './sender.ts';

export interface Workers {
  readonly prices: PriceSource;
  readonly paused: Set<PausablePart>;
  /** Publishes on every chain; returns when readers see it. */
  publishAll(): Promise<void>;
  /** Holds a price, publishes it and trades every chain's pools there; returns when both are done. */
  movePrice(asset: AssetName, dollars: number): Promise<void>;
  /**
   * Starts the chains' blocks, one every blockMs, until `signal`. Mined from here because anvil's
   * own short timer makes it keep every block's state, and memory grow without end.
   */
  mine(signal: AbortSignal): void;
  /** Starts all other loops; they end with `signal`. */
  start(signal: AbortSignal): void;
}

export function createWorkers(
  sites: readonly Site[],
  options: ResolvedLabOptions,
  log: LabLog,
): Workers {
  const paused = new Set<PausablePart>();
  const prices = createPriceSource(options.seed, options.volatilityBps);
  const pollMs = Math.max(50, Math.min(250, options.blockMs / 4));
  const byEid = new Map(sites.map((site) => [site.deployment.eid, site]));
  const siteOf = (eid: number) => byEid.get(eid);
  const senders = new Map<string, Sender>();
  const sendersOf = (role: LabRole) => (eid: number) => {
    const key = `${role} ${eid}`;
    const { rpc } = present(siteOf(eid), `lab chain of eid ${eid}`);
    const sender = senders.get(key) ?? createSender(rpc, role, pollMs);
    senders.set(key, sender);
    return sender;
  };
  const publisher = createPublisher(prices, sendersOf('publisher'));
  const unlessPaused = (part: PausablePart, step: () => Promise<void>) => async () => {
    if (!paused.has(part)) await step();
  };
  const { confirmations } = options;

  const start = (signal: AbortSignal) => {
    const loop = (name: string, part: PausablePart, everyMs: number, step: () => Promise<void>) =>
      runLoop({ name, everyMs, signal, log, step: unlessPaused(part, step) });
    for (const source of sites) {
      const { name } = source.deployment;
      for (const role of ['dvnA', 'dvnB'] as const) {
        const senderOf = sendersOf(role);
        const step = createDvnWorker({ role, source, siteOf, senderOf, confirmations, log });
        void loop(`${role} ${name}`, role, pollMs, step);
      }
      const senderOf = sendersOf('executor');
      const step = createExecutorWorker({ source, siteOf, senderOf, confirmations, log });
      void loop(`executor ${name}`, 'executor', pollMs, step);
      void loop(`pulse ${name}`, 'pulse', options.pulseMs, () => publisher.publish(source));
    }
    const walk = async () => prices.step();
    void loop('prices', 'pulse', options.pulseMs, walk);
  };
  const mine = (signal: AbortSignal) => {
    for (const { rpc, deployment } of sites) {
      const step = async () => void (await rpc.request('evm_mine'));
      const name = `blocks of ${deployment.name}`;
      void runLoop({ name, everyMs: options.blockMs, signal, log, step });
    }
  };
  const publishAll = async () => {
    await Promise.all(sites.map((site) => publisher.publish(site)));
  };
  const movePrice = async (asset: AssetName, dollars: number) => {
    prices.hold(asset, dollars);
    // A sender of its own: its nonce is read anew, for tests hand out tokens with the faucet's key.
    const trades = sites.map((site) =>
      arbitrage(site, createSender(site.rpc, 'faucet', pollMs), prices, asset),
    );
    await Promise.all([publishAll(), ...trades]);
  };
  return { prices, paused, mine, publishAll, movePrice, start };
}
