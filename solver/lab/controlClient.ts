// Pokes a running lab over loopback: prices, outages, delivery. For tests and for curiosity; the
// service never uses it.

import { Fault } from '../types/errors.ts';
import type { AssetName } from './setup.ts';
import type { LabState } from './state.ts';

/** Parts that can be paused: each DVN, message execution, the price pulse. */
export type PausablePart = 'dvnA' | 'dvnB' | 'executor' | 'pulse';

export interface LabControl {
  /** Publishes this price on every chain and holds it; returns when readers see it. */
  setPrice(asset: AssetName, dollars: number): Promise<void>;
  /**
   * Moves the market: an arbitrageur trades on every chain's pools until none is further than its fee
   * from this price, and the feeds publish it and hold it. Returns when both are there; half to twice
   * the reference price.
   */
  movePrice(asset: AssetName, dollars: number): Promise<void>;
  /** Lets all prices walk again. */
  releasePrices(): Promise<void>;
  /** Stops a part, on every chain. A paused pulse lets feeds go stale. */
  pause(part: PausablePart): Promise<void>;
  resume(part: PausablePart): Promise<void>;
  /** The chain's node stops answering, as in an outage (SIGSTOP); its blocks stop too. */
  stopChain(chainId: number): Promise<void>;
  resumeChain(chainId: number): Promise<void>;
}

const TIMEOUT_MS = 15_000;
/** Three rounds of trades, each mined. */
const MOVE_TIMEOUT_MS = 120_000;

export function labControl(at: { readonly url: string; readonly token: string }): LabControl {
  const post = async (path: string, body: unknown = {}, limitMs = TIMEOUT_MS): Promise<void> => {
    const response = await fetch(`${at.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-lab-token': at.token },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(limitMs),
    });
    if (!response.ok) throw new Fault(`lab control ${path}: ${await response.text()}`);
  };
  return {
    setPrice: (asset, dollars) => post('/prices/set', { asset, dollars }),
    movePrice: (asset, dollars) => post('/prices/move', { asset, dollars }, MOVE_TIMEOUT_MS),
    releasePrices: () => post('/prices/release'),
    pause: (part) => post('/parts/pause', { part }),
    resume: (part) => post('/parts/resume', { part }),
    stopChain: (chainId) => post('/chains/stop', { chainId }),
    resumeChain: (chainId) => post('/chains/resume', { chainId }),
  };
}

/** Whether the lab says it is well; its answer includes a look at every chain. */
export async function isHealthy(state: LabState): Promise<boolean> {
  if (state.control === null) return false;
  try {
    const response = await fetch(`${state.control.url}/health`, {
      headers: { 'x-lab-token': state.control.token },
      signal: AbortSignal.timeout(3000),
    });
    return response.ok;
  } catch {
    return false;
  }
}
