// What a caller may choose about a lab, with defaults and bounds. Everything else is setup.ts.

import { join, resolve } from 'node:path';
import { InvalidInput } from '../types/errors.ts';
import { BUILD_DIR, DEFAULT_HOME } from './files.ts';
import { FEED_HEARTBEAT_SECONDS } from './setup.ts';

export interface LabOptions {
  /** Runtime state; ours is in `<home>/lab`. Default: $TRIMTAB_HOME, else `.trimtab` here. */
  readonly home?: string;
  /** Deployed states by hash, for any number of homes. Default: `.build/lab-cache` here. */
  readonly cacheDir?: string;
  /** Time between blocks, 100 … 60000 ms. Default 1000. */
  readonly blockMs?: number;
  /** Blocks on top of a message's block before the DVNs attest it, 1 … 64. Default 1. */
  readonly confirmations?: number;
  /** Seed of the price paths. Default 1. */
  readonly seed?: number;
  /** Standard size of one price step, in 1e-4; 0 holds prices still. Default 0.3. */
  readonly volatilityBps?: number;
  /** Time between price publications, 1000 … 30000 ms. Default 10000. */
  readonly pulseMs?: number;
  /** Age at which network.json calls a price stale, 2 … 86400 s. Default 60. */
  readonly feedHeartbeatSeconds?: number;
  /** RPC ports, one per chain; 0 is any free one. Default all 0. */
  readonly ports?: readonly [number, number, number];
  /** The lab ends by itself once this process is gone; null: it outlives its starter. Default null. */
  readonly whilePid?: number | null;
}

export interface ResolvedLabOptions extends Required<LabOptions> {}

/** Fills in defaults and checks bounds; throws InvalidInput naming the option. */
export function resolveLabOptions(options: LabOptions): ResolvedLabOptions {
  const resolved: ResolvedLabOptions = {
    home: resolve(options.home ?? process.env.TRIMTAB_HOME ?? DEFAULT_HOME),
    cacheDir: resolve(options.cacheDir ?? join(BUILD_DIR, 'lab-cache')),
    blockMs: options.blockMs ?? 1000,
    confirmations: options.confirmations ?? 1,
    seed: options.seed ?? 1,
    volatilityBps: options.volatilityBps ?? 0.3,
    pulseMs: options.pulseMs ?? 10_000,
    feedHeartbeatSeconds: options.feedHeartbeatSeconds ?? FEED_HEARTBEAT_SECONDS,
    ports: options.ports ?? [0, 0, 0],
    whilePid: options.whilePid ?? null,
  };
  within('blockMs', resolved.blockMs, 100, 60_000);
  within('confirmations', resolved.confirmations, 1, 64);
  within('seed', resolved.seed, 0, 0xffffffff);
  within('pulseMs', resolved.pulseMs, 1000, 30_000);
  within('feedHeartbeatSeconds', resolved.feedHeartbeatSeconds, 2, 86_400);
  for (const port of resolved.ports) within('ports', port, 0, 65_535);
  if (!(resolved.volatilityBps >= 0 && resolved.volatilityBps <= 100)) {
    throw new InvalidInput('lab option volatilityBps must be between 0 and 100');
  }
  return resolved;
}

function within(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new InvalidInput(`lab option ${name} must be an integer from ${low} to ${high}`);
  }
}
