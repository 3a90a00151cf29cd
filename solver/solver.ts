// The composition root: ports are filled with adapters here and nowhere else, and the rooms are wired
// into one service. Decides nothing itself.

import { systemClock } from './adapters/clock.ts';
import { runWorker } from './adapters/jobs.ts';
import { createMarketSource } from './adapters/marketSource.ts';
import { migrate } from './adapters/migrations.ts';
import { openDatabase } from './adapters/postgres.ts';
import { createPostgresPolicies } from './adapters/postgresPolicies.ts';
import { createPostgresStore } from './adapters/postgresStore.ts';
import { systemRng } from './adapters/rng.ts';
import { createSigner } from './adapters/signer.ts';
import { createTxSender } from './adapters/txSender.ts';
import { createViemChain } from './adapters/viemChain.ts';
import { createEngine } from './engine/engine.ts';
import { createEnginePool, type EnginePool } from './engine/pool.ts';
import { createRiskKernel } from './engine/risk.ts';
import { createDesk, type Desk } from './filling/desk.ts';
import { reservedByNode, reservingOrders } from './filling/inventory.ts';
import { createKeeper } from './keeper/keep.ts';
import { KEEP_JOB } from './keeper/lifecycle.ts';
import { createPolicies } from './keeper/policies.ts';
import { DEFAULT_KEEPER_OPTIONS, type KeeperOptions } from './keeper/ports.ts';
import { wakeOnOrders } from './keeper/wake.ts';
import { parseProblem } from './market/problemFile.ts';
import { decide } from './policy/decide.ts';
import type { Forecast } from './policy/types.ts';
import type { QuotePolicy } from './quoting/policy.ts';
import { createQuoter, type QuoterDeps } from './quoting/quoter.ts';
import { judge } from './quoting/solve.ts';
import { serviceOf } from './service.ts';
import { createAdmission } from './settlement/admission.ts';
import { createGuard } from './settlement/guard.ts';
import { createOwnerCheck } from './settlement/ownerCheck.ts';
import { DEFAULT_SETTLEMENT_POLICY, type SettlementPolicy } from './settlement/policy.ts';
import { createServe, GUARD_JOB, SERVE_JOB } from './settlement/serve.ts';
import { createStanding } from './settlement/standing.ts';
import { present, unreachable } from './types/assert.ts';
import { type ChainId, fromBytes32Address, type Hex } from './types/ids.ts';
import type { NetworkConfig } from './types/network.ts';
import type { Chain } from './types/ports.ts';
import type { Trimtab } from './types/service.ts';
import type { JobLease, Store } from './types/store.ts';

export type JobKind = typeof SERVE_JOB | typeof GUARD_JOB | typeof KEEP_JOB;

export interface SolverOptions {
  readonly network: NetworkConfig;
  readonly databaseUrl: string;
  /** The built core. */
  readonly wasmBytes: Uint8Array;
  /** Private keys. The guardian only pays gas; it may be any funded account. */
  readonly keys: { readonly filler: Hex; readonly auctioneer: Hex; readonly guardian: Hex };
  /** Which workflows this process runs; default all. None: it only answers the API. */
  readonly jobs?: readonly JobKind[];
  readonly quotePolicy?: Partial<QuotePolicy>;
  readonly settlementPolicy?: Partial<SettlementPolicy>;
  readonly keeper?: Partial<KeeperOptions> & {
    /** How long a proposal may be signed: its owner is not waiting for it. Default 300. */
    readonly proposalSeconds?: number;
    /** Policies of one owner that are not ended, at most. Default 32. */
    readonly policiesMax?: number;
  };
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
/** Apart from settlement's, so that slow quotes for policies never keep an order waiting. */
const KEEP_CONCURRENCY = 4;
const JOB_LEASE_MS = 5_000;
const PROPOSAL_SECONDS = 300;
const POLICIES_MAX = 32;

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
  const quoting: QuoterDeps = {
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
  };
  const quoter = createQuoter(quoting);
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
  const keeping = keeperDeps({ ...options, quoting, chains });
  const keeper = {
    ...keeping,
    store: createPostgresPolicies(database, store),
    orders: store,
    source,
    network,
    clock,
  };
  const keep = createKeeper(keeper);
  // Whoever asks for dry runs has forecasts of his own: he must not push the keeper's out.
  const policies = createPolicies({ ...keeper, forecasts: new Map<string, Forecast>() });
  const handlers = { [SERVE_JOB]: serve, [GUARD_JOB]: guard, [KEEP_JOB]: keep } as const;

  const stopping = new AbortController();
  const all = options.jobs ?? [SERVE_JOB, GUARD_JOB, KEEP_JOB];
  const work = (kinds: readonly JobKind[], concurrency: number) =>
    kinds.length === 0
      ? Promise.resolve()
      : runWorker({
          store,
          clock,
          kinds,
          handler: (lease, signal) => handlers[kindOf(lease)](lease, signal),
          concurrency,
          leaseMs: JOB_LEASE_MS,
          signal: stopping.signal,
          onError: (error, lease) => log(error, lease ? `job ${lease.kind} ${lease.key}` : 'jobs'),
        });
  if (all.includes(KEEP_JOB)) await keeper.store.reviveJobs();
  const workers = [
    work(
      all.filter((kind) => kind !== KEEP_JOB),
      JOB_CONCURRENCY,
    ),
    work(
      all.filter((kind) => kind === KEEP_JOB),
      KEEP_CONCURRENCY,
    ),
  ];
  const unhook = all.includes(KEEP_JOB)
    ? wakeOnOrders(store, keeper.store, (error) => log(error, 'waking policies'))
    : () => {};
  return {
    trimtab: serviceOf({
      network,
      auctioneer: signers.auctioneer.address,
      store,
      sender,
      chains,
      pool,
      quoter,
      admission,
      policies,
      quotes: keeper.store,
    }),
    store,
    async close() {
      unhook();
      stopping.abort(new Error('the service is closing'));
      await Promise.all(workers);
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

function kindOf({ kind }: JobLease): JobKind {
  if (kind === SERVE_JOB || kind === GUARD_JOB || kind === KEEP_JOB) return kind;
  return unreachable(kind as never);
}

/** What the keeper has of its own: quoters with a proposal's time, the kernel, and its options. */
function keeperDeps({
  wasmBytes,
  keeper = {},
  quotePolicy,
  quoting,
  chains,
}: Pick<SolverOptions, 'wasmBytes' | 'keeper' | 'quotePolicy'> & {
  readonly quoting: QuoterDeps;
  readonly chains: ReadonlyMap<ChainId, Chain>;
}) {
  const { proposalSeconds = PROPOSAL_SECONDS, policiesMax = POLICIES_MAX, ...given } = keeper;
  const policy = { ...quotePolicy, quoteTtlSeconds: proposalSeconds };
  return {
    kernel: createRiskKernel(wasmBytes),
    quoter: createQuoter({ ...quoting, policy }),
    dryQuoter: createQuoter({ ...quoting, policy, store: { putQuote: async () => {} } }),
    decide,
    forecasts: new Map<string, Forecast>(),
    standing: createStanding(chains),
    checkOwner: createOwnerCheck(chains),
    policiesMax,
    options: { ...DEFAULT_KEEPER_OPTIONS, ...given },
  };
}

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
