// The composition root: ports are filled with adapters here and nowhere else, and the rooms are wired
// into one service. Decides nothing itself.

import { systemClock } from './adapters/clock.ts';
import { runWorker } from './adapters/jobs.ts';
import { loadKeccak } from './adapters/keccak.ts';
import { createMarketSource } from './adapters/marketSource.ts';
import { migrate } from './adapters/migrations.ts';
import { openDatabase } from './adapters/postgres.ts';
import { createPostgresAuctions } from './adapters/postgresAuctions.ts';
import { createPostgresFillTimes } from './adapters/postgresFillTimes.ts';
import { registerPostgresGauges } from './adapters/postgresGauges.ts';
import { createHints } from './adapters/postgresHints.ts';
import { createPostgresIdempotency } from './adapters/postgresIdempotency.ts';
import { createPostgresPolicies } from './adapters/postgresPolicies.ts';
import { createPostgresRetention } from './adapters/postgresRetention.ts';
import { createPostgresStore } from './adapters/postgresStore.ts';
import { createPostgresTurnstile } from './adapters/postgresTurnstile.ts';
import { systemRng } from './adapters/rng.ts';
import { createSigner, createWatchOnlySigner } from './adapters/signer.ts';
import { createTurns, inTurn } from './adapters/turns.ts';
import { createTxSender } from './adapters/txSender.ts';
import { createViemChain } from './adapters/viemChain.ts';
import { registerChainGauges } from './chainGauges.ts';
import { createCowEngine } from './cow/engine.ts';
import { createEngine } from './engine/engine.ts';
import { createEnginePool, type EnginePool } from './engine/pool.ts';
import { createRiskKernel } from './engine/risk.ts';
import { createAuctionMarket } from './filling/auctionMarket.ts';
import { createDesk } from './filling/desk.ts';
import { createKeeper } from './keeper/keep.ts';
import { KEEP_JOB } from './keeper/lifecycle.ts';
import { createPolicies } from './keeper/policies.ts';
import { DEFAULT_KEEPER_OPTIONS, type KeeperOptions } from './keeper/ports.ts';
import { wakeOnOrders } from './keeper/wake.ts';
import {
  meteredAdmission,
  meteredAuctions,
  meteredChain,
  meteredMarket,
  meteredOffers,
  meteredQuoter,
  meteredSolve,
  meteredStore,
} from './metering.ts';
import { decide } from './policy/decide.ts';
import type { Forecast } from './policy/types.ts';
import { fundingOf, reservedLately, solveOn } from './quotePorts.ts';
import type { QuotePolicy } from './quoting/policy.ts';
import { createQuoter, type QuoterDeps } from './quoting/quoter.ts';
import { createSwapQuoter } from './quoting/swapQuoter.ts';
import { createPruning, PRUNE_JOB } from './retention.ts';
import { byLane, JOB_KINDS, JOBS, type JobKind, LANES } from './roles.ts';
import { serviceOf } from './service.ts';
import { createAdmission } from './settlement/admission.ts';
import { createAuctioning } from './settlement/auctioning.ts';
import { createCancelling } from './settlement/cancelling.ts';
import { createDeskBids } from './settlement/deskBids.ts';
import { createGuard } from './settlement/guard.ts';
import { AUCTION_JOB, BID_JOB, GUARD_JOB, SERVE_JOB } from './settlement/kinds.ts';
import { isTerminal, STATE_NOTES } from './settlement/lifecycle.ts';
import { createMarket } from './settlement/market.ts';
import { createOwnerCheck } from './settlement/ownerCheck.ts';
import { DEFAULT_SETTLEMENT_POLICY, type SettlementPolicy } from './settlement/policy.ts';
import { createServe } from './settlement/serve.ts';
import { recoverSigner } from './settlement/signature.ts';
import { createStanding } from './settlement/standing.ts';
import { present } from './types/assert.ts';
import type { ChainId, EvmAddress, Hex } from './types/ids.ts';
import type { LogEvent, LogFailure, LogFields } from './types/log.ts';
import { type Meter, NO_METER } from './types/meter.ts';
import type { NetworkConfig } from './types/network.ts';
import type { Chain, Signer } from './types/ports.ts';
import type { Trimtab } from './types/service.ts';
import type { JobLease, OrderState, Store } from './types/store.ts';
import { webhooksOf } from './webhookPorts.ts';
import { WEBHOOK_JOB } from './webhooks/deliver.ts';

export type Key = Hex | { readonly address: EvmAddress };

export interface SolverOptions {
  readonly network: NetworkConfig;
  readonly databaseUrl: string;
  /** The built core. */
  readonly wasmBytes: Uint8Array;
  /**
   * Private keys, or addresses alone where this process has no work that signs. The guardian only pays
   * gas; it may be any funded account.
   */
  readonly keys: { readonly filler: Key; readonly auctioneer: Key; readonly guardian: Key };
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
  /** Whether webhooks may call http, any port and private addresses: for a lab only. */
  readonly webhooks?: { readonly allowPrivate?: boolean };
  /** Failures of background work, once each. */
  readonly log?: LogFailure;
  /** What this process did to orders, an event each. */
  readonly tell?: LogEvent;
  readonly meter?: Meter;
}

export interface Solver {
  readonly trimtab: Trimtab;
  readonly store: Store;
  /** Waits for running steps, then closes everything it opened. */
  close(): Promise<void>;
}

/** Threads that solve; the event loop has the other core. */
const ENGINE_WORKERS = 1;
const JOB_LEASE_MS = 5_000;
const WORK_SILENT_MS = 30_000;
const PROPOSAL_SECONDS = 300;
const POLICIES_MAX = 32;
const openStates = (Object.keys(STATE_NOTES) as OrderState[]).filter((one) => !isTerminal(one));

/** Connects, migrates, and starts the workflows. Throws Fault when the database is out of reach. */
export async function openSolver(options: SolverOptions): Promise<Solver> {
  const { network, meter = NO_METER, tell = () => {} } = options;
  const log: LogFailure = (error, where, about) => {
    // `job serve 0x12…` counts as `job serve`: labels have few values.
    meter.count('trimtab_faults_total', { where: where.replace(/ 0x.*/, '') });
    options.log?.(error, where, about);
  };
  const clock = systemClock;
  const database = openDatabase({
    url: options.databaseUrl,
    clock,
    onIdleError: (error) => log(error, 'database'),
  });
  await migrate(database);
  await loadKeccak();
  const hints = createHints(database);
  const store = meteredStore(createPostgresStore(database, hints), meter, tell);
  const auctions = meteredAuctions(createPostgresAuctions(database, hints), meter, tell);
  const chains = new Map(
    network.chains.map((config) => [config.chainId, meteredChain(chainOf(config), meter)]),
  );
  const signers = {
    filler: signerOf(options.keys.filler),
    auctioneer: signerOf(options.keys.auctioneer),
    guardian: signerOf(options.keys.guardian),
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
  const cowPool = lazyPool(options.wasmBytes);
  const desk = createDesk({
    engine,
    source,
    chains,
    store,
    bids: auctions,
    network,
    clock,
    signer: signers.filler,
  });
  const reserved = reservedLately(() => desk.reserved([]), store, clock);
  const turn = createTurns();
  const quoting: QuoterDeps = {
    network,
    source,
    store,
    clock,
    rng: systemRng,
    auctioneer: signers.auctioneer.address,
    solve: meteredSolve(solveOn(pool, turn), meter),
    reserved,
    canFund: fundingOf(desk, source, network, reserved),
    fillTimes: createPostgresFillTimes({ database, clock }),
    ...(options.quotePolicy === undefined ? {} : { policy: options.quotePolicy }),
  };
  const quoter = meteredQuoter({ quote: inTurn(turn, createQuoter(quoting).quote) }, meter);
  const swaps = meteredOffers({ offers: inTurn(turn, createSwapQuoter(quoting).offers) }, meter);
  const admit = createAdmission({
    store,
    chains,
    clock,
    network,
    auctioneer: signers.auctioneer.address,
  });
  const admission = meteredAdmission(admit, meter);
  const policy = { ...DEFAULT_SETTLEMENT_POLICY, ...options.settlementPolicy };
  const settlement = { store, sender, chains, clock, network, policy };
  // One inventory per account, however many processes serve it.
  const oneByOne = createPostgresTurnstile(database, `inventory ${filler}`);
  const serve = createServe({
    ...settlement,
    desk,
    auctions,
    oneByOne,
  });
  const market = meteredMarket(
    createMarket({ auctions, orders: store, recover: recoverSigner, vouched: [filler] }),
    meter,
  );
  const auctioning = createAuctioning({
    store,
    auctions,
    market: createAuctionMarket({
      source,
      network,
      clock,
      engine: pool.hash,
      onDown: (fault) => log(fault, 'pricing an auction'),
    }),
    auctioneer: signers.auctioneer,
    desk: filler,
    clock,
    network,
    policy,
  });
  const deskBids = createDeskBids({ store, auctions, market, desk, clock, oneByOne, policy });
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
  const webhooks = webhooksOf({
    ...{ database, meter, privateQuotes: keeper.store.privateQuotes },
    allowPrivate: options.webhooks?.allowPrivate ?? false,
  });
  const retention = createPostgresRetention(database, PRUNE_JOB);
  const handlers = {
    [SERVE_JOB]: serve,
    [GUARD_JOB]: guard,
    [AUCTION_JOB]: auctioning,
    [BID_JOB]: deskBids,
    [KEEP_JOB]: keep,
    [WEBHOOK_JOB]: webhooks.deliver,
    [PRUNE_JOB]: createPruning(retention, clock),
  } satisfies Record<JobKind, JobHandler>;

  const stopping = new AbortController();
  const all = options.jobs ?? JOB_KINDS;
  let askedAtMs = clock.nowMs();
  const queue = {
    ...store,
    claimJob: async (...asked: Parameters<Store['claimJob']>) => {
      const lease = await store.claimJob(...asked);
      askedAtMs = clock.nowMs();
      return lease;
    },
  };
  const work = (kinds: readonly JobKind[], concurrency: number) =>
    runWorker({
      store: queue,
      clock,
      kinds,
      handler: (lease, signal) => handlers[kindOf(lease)](lease, signal),
      concurrency,
      leaseMs: JOB_LEASE_MS,
      signal: stopping.signal,
      onError: (error, lease) =>
        lease ? log(error, `job ${lease.kind} ${lease.key}`, aboutJob(lease)) : log(error, 'jobs'),
      onRun: ({ kind }, outcome, ms) => {
        meter.count('trimtab_jobs_total', { kind, outcome });
        meter.observe('trimtab_job_seconds', ms / 1000, { kind });
      },
    });
  if (all.includes(KEEP_JOB)) await keeper.store.reviveJobs();
  if (all.includes(PRUNE_JOB)) await retention.schedule();
  // Whatever fails here fails again, and is told, when there is something to bid on.
  if (all.includes(BID_JOB)) void desk.warmUp().catch(() => {});
  const workers = byLane(all).map(([lane, kinds]) => work(kinds, LANES[lane]));
  registerPostgresGauges({ database, clock, meter, openStates, jobKinds: JOB_KINDS });
  registerChainGauges({ chains, clock, meter, accounts: signers });
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
      swaps,
      admission,
      auctions: market,
      policies,
      cow: createCowEngine({ solve: cowPool.solve, clock }),
      quotes: keeper.store,
      idempotency: createPostgresIdempotency(database),
      webhooks: webhooks.service,
      cancelling: createCancelling({
        ...settlement,
        auctions,
        checkOwner: createOwnerCheck(chains),
      }),
      work: () => (all.length === 0 ? null : workOf(clock.nowMs() - askedAtMs)),
    }),
    store,
    async close() {
      unhook();
      stopping.abort(new Error('the service is closing'));
      await Promise.all(workers);
      await Promise.all([pool.close(), cowPool.close()]);
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

/** Every slot may be busy for a while; not asking for work for so long is another matter. */
const workOf = (silentMs: number): string =>
  silentMs <= WORK_SILENT_MS ? 'ok' : `asked for no job in ${Math.round(silentMs / 1000)} s`;

const signerOf = (key: Key): Signer =>
  typeof key === 'string' ? createSigner(key) : createWatchOnlySigner(key.address);

type JobHandler = Parameters<typeof runWorker>[0]['handler'];

function kindOf({ kind }: JobLease): JobKind {
  return present(
    JOB_KINDS.find((known) => known === kind),
    `a handler of job kind ${kind}`,
  );
}

function aboutJob(lease: JobLease): LogFields {
  const { subject } = JOBS[kindOf(lease)];
  return { [subject]: lease.key, job: lease.kind, fence: lease.fence, attempts: lease.attempts };
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

/** A thread of its own for CoW's auctions, once there is one: they must not keep quotes waiting. */
function lazyPool(wasmBytes: Uint8Array): Pick<EnginePool, 'solve' | 'close'> {
  let pool: EnginePool | null = null;
  return {
    solve(problem) {
      pool ??= createEnginePool({ wasmBytes, size: 1 });
      return pool.solve(problem);
    },
    close: async () => pool?.close(),
  };
}
