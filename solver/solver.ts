// The composition root: ports are filled with adapters here and nowhere else, and the rooms are wired
// into one service. Decides nothing itself.

import { systemClock } from './adapters/clock.ts';
import { runWorker } from './adapters/jobs.ts';
import { createMarketSource } from './adapters/marketSource.ts';
import { migrate } from './adapters/migrations.ts';
import { openDatabase } from './adapters/postgres.ts';
import { createPostgresStore } from './adapters/postgresStore.ts';
import { systemRng } from './adapters/rng.ts';
import { createSigner } from './adapters/signer.ts';
import { createTxSender } from './adapters/txSender.ts';
import { createViemChain } from './adapters/viemChain.ts';
import { createEngine } from './engine/engine.ts';
import { createEnginePool, type EnginePool } from './engine/pool.ts';
import { createDesk, type Desk } from './filling/desk.ts';
import { reservedByNode, reservingOrders } from './filling/inventory.ts';
import { parseProblem } from './market/problemFile.ts';
import type { QuotePolicy } from './quoting/policy.ts';
import { createQuoter, type QuoterDeps } from './quoting/quoter.ts';
import { judge } from './quoting/solve.ts';
import { serviceOf } from './service.ts';
import { createAdmission } from './settlement/admission.ts';
import { createGuard } from './settlement/guard.ts';
import { DEFAULT_SETTLEMENT_POLICY, type SettlementPolicy } from './settlement/policy.ts';
import { createServe, GUARD_JOB, SERVE_JOB } from './settlement/serve.ts';
import { present, unreachable } from './types/assert.ts';
import { type ChainId, fromBytes32Address, type Hex } from './types/ids.ts';
import type { NetworkConfig } from './types/network.ts';
import type { Chain } from './types/ports.ts';
import type { Trimtab } from './types/service.ts';
import type { JobLease, Store } from './types/store.ts';

export type JobKind = typeof SERVE_JOB | typeof GUARD_JOB;

export interface SolverOptions {
  readonly network: NetworkConfig;
  readonly databaseUrl: string;
  /** The built core. */
  readonly wasmBytes: Uint8Array;
  /** Private keys. The guardian only pays gas; it may be any funded account. */
  readonly keys: { readonly filler: Hex; readonly auctioneer: Hex; readonly guardian: Hex };
  /** Which workflows this process runs; default both. None: it only answers the API. */
  readonly jobs?: readonly JobKind[];
  readonly quotePolicy?: Partial<QuotePolicy>;
  readonly settlementPolicy?: Partial<SettlementPolicy>;
  /** Failures of background work, once each. */
  readonly log?: (error: unknown, where: string) => void;
}

export interface Solver {
  readonly trimtab: Trimtab;
  readonly store: Store;
  /** Waits for running steps, then closes everything it opened. */
  close(): Promise<void>;
}

/** Threads that solve; the event loop has the other core. */
const ENGINE_WORKERS = 1;
const JOB_CONCURRENCY = 8;
const JOB_LEASE_MS = 5_000;

/** Connects, migrates, and starts the workflows. Throws Fault when the database is out of reach. */
export async function openSolver(options: SolverOptions): Promise<Solver> {
  const { network, log = () => {} } = options;
  const clock = systemClock;
  const database = openDatabase({
    url: options.databaseUrl,
    clock,
    onIdleError: (error) => log(error, 'database'),
  });
  await migrate(database);
  const store = createPostgresStore(database);
  const chains = new Map(network.chains.map((config) => [config.chainId, chainOf(config)]));
  const signers = {
    filler: createSigner(options.keys.filler),
    auctioneer: createSigner(options.keys.auctioneer),
    guardian: createSigner(options.keys.guardian),
  };
  const sender = createTxSender({
    database,
    chains: [...chains.values()],
    signers: [signers.filler, signers.guardian],
    clock,
  });
  const filler = signers.filler.address;
  const source = createMarketSource({ network, chains, filler, clock });
  const engine = createEngine(options.wasmBytes);
  const pool = createEnginePool({ wasmBytes: options.wasmBytes, size: ENGINE_WORKERS });
  const desk = createDesk({
    engine,
    source,
    chains,
    store,
    network,
    clock,
    signer: signers.filler,
  });
  const quoter = createQuoter({
    network,
    source,
    store,
    clock,
    rng: systemRng,
    auctioneer: signers.auctioneer.address,
    solve: solveOn(pool),
    reserved: () => reservedOf(store),
    canFund: fundingOf(desk),
    ...(options.quotePolicy === undefined ? {} : { policy: options.quotePolicy }),
  });
  const admission = createAdmission({
    store,
    chains,
    clock,
    network,
    auctioneer: signers.auctioneer.address,
  });
  const policy = { ...DEFAULT_SETTLEMENT_POLICY, ...options.settlementPolicy };
  const settlement = { store, sender, chains, clock, network, policy };
  const serve = createServe({ ...settlement, desk, auctioneer: signers.auctioneer });
  const guard = createGuard({ ...settlement, account: signers.guardian.address });
  const handlers = { [SERVE_JOB]: serve, [GUARD_JOB]: guard } as const;

  const stopping = new AbortController();
  const kinds = options.jobs ?? [SERVE_JOB, GUARD_JOB];
  const worker =
    kinds.length === 0
      ? Promise.resolve()
      : runWorker({
          store,
          clock,
          kinds,
          handler: (lease, signal) => handlers[kindOf(lease)](lease, signal),
          concurrency: JOB_CONCURRENCY,
          leaseMs: JOB_LEASE_MS,
          signal: stopping.signal,
          onError: (error, lease) => log(error, lease ? `job ${lease.kind} ${lease.key}` : 'jobs'),
        });
  return {
    trimtab: serviceOf({ network, store, sender, chains, pool, quoter, admission }),
    store,
    async close() {
      stopping.abort(new Error('the service is closing'));
      await worker;
      await pool.close();
      await store.close();
    },
  };
}

function chainOf(config: NetworkConfig['chains'][number]): Chain {
  const { chainId, rpcUrl, confirmations } = config;
  return createViemChain({
    chainId,
    rpcUrl,
    confirmations,
    multicall3: config.contracts.multicall3,
  });
}

const kindOf = (lease: JobLease): JobKind =>
  lease.kind === SERVE_JOB || lease.kind === GUARD_JOB ? lease.kind : unreachable(lease as never);

/** quoting's solve over the pool: the workers search, this thread re-executes and certifies. */
function solveOn(pool: EnginePool): QuoterDeps['solve'] {
  return async (problem) => {
    const parsed = parseProblem(problem);
    return judge(parsed, await pool.solve(parsed), pool.hash);
  };
}

/** What orders in flight hold of the desk's inventory, per node; null: too many to count. */
async function reservedOf(store: Store): Promise<ReadonlyMap<string, bigint> | null> {
  const orders = await reservingOrders(store, null);
  return orders === null ? null : reservedByNode(orders);
}

function fundingOf(desk: Desk): QuoterDeps['canFund'] {
  return ({ order, amounts }) =>
    desk.canFund(
      order.outputs.map((output, i) => ({
        chainId: Number(output.chainId) as ChainId,
        token: fromBytes32Address(output.token),
        amount: present(amounts[i], 'an amount per output'),
      })),
    );
}
