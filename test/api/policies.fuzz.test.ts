// Hostile documents through HTTP into the real service: real parser, decision, quoter, kernels and
// PostgreSQL; only the chains are data. Whatever is sent is answered with 2xx or 4xx, or with 503 where a
// chain is down, never with 500; what gets armed the keeper can run, and what is private stays so.

import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { policyDigest } from '../../contracts-abi/policyTypedData.ts';
import { createPostgresPolicies } from '../../solver/adapters/postgresPolicies.ts';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { createKeeper } from '../../solver/keeper/keep.ts';
import { KEEP_JOB } from '../../solver/keeper/lifecycle.ts';
import { createPolicies } from '../../solver/keeper/policies.ts';
import { commitmentOf } from '../../solver/keeper/policyOf.ts';
import { DEFAULT_KEEPER_OPTIONS } from '../../solver/keeper/ports.ts';
import type { MarketSource } from '../../solver/market/source.ts';
import { decide } from '../../solver/policy/decide.ts';
import { createOwnerCheck } from '../../solver/settlement/ownerCheck.ts';
import { createStanding } from '../../solver/settlement/standing.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault, isRefusal } from '../../solver/types/errors.ts';
import { evmAddress } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { Chain } from '../../solver/types/ports.ts';
import { startTestPostgres, type TestPostgres } from '../adapters/support.ts';
import { type Random, random } from '../engine/generate.ts';
import { CHAINS, makeWorld, NOW, network, tokenAddress, type World } from '../quoting/world.ts';
import { fakeTrimtab } from './fakeTrimtab.ts';

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env.FUZZ_RUNS ?? 60);
const NAMES = ['WETH', 'USDC', 'WBTC', 'DAI'] as const;
const CASH = 'CASH';

let postgres: TestPostgres;
let app: FastifyInstance;
let world: World;
/** The world the requests of a run see. */
let source: MarketSource;
let keep: ReturnType<typeof createKeeper>;
const behind: unknown[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  const clock = { now: () => NOW, nowMs: () => NOW * 1_000, sleep: async () => {} };
  const chains = new Map(
    CHAINS.map((id): [(typeof CHAINS)[number], Chain] => {
      const chain: Partial<Chain> = {
        block: async () => ({}) as never,
        read: async (calls) => calls.map(() => ({ ok: true as const, data: '0x' as const })),
      };
      return [id, chain as Chain];
    }),
  );
  let quotes = 0;
  // Every run's world counts its quotes from one.
  const quoter: World['quoter'] = {
    async quote(request) {
      const quote = await world.quoter.quote(request);
      quotes += 1;
      return isRefusal(quote) ? quote : { ...quote, quoteId: `q-${quotes}` };
    },
  };
  const deps = {
    store: createPostgresPolicies(postgres.database, postgres.store),
    orders: postgres.store,
    source: {
      chain: (id) => source.chain(id),
      owner: (id, who, at) => source.owner(id, who, at),
    } satisfies MarketSource,
    network,
    clock,
    kernel: createRiskKernel(new Uint8Array(readFileSync('.build/trimtab.wasm'))),
    quoter,
    decide,
    forecasts: new Map(),
    standing: createStanding(chains),
    options: { ...DEFAULT_KEEPER_OPTIONS, jitterSeconds: 0 },
  };
  keep = createKeeper(deps);
  const policies = createPolicies({
    ...deps,
    checkOwner: createOwnerCheck(chains),
    dryQuoter: quoter,
    policiesMax: 1_000,
  });
  app = await buildApp({
    trimtab: { ...fakeTrimtab(), policies },
    requestsPerMinute: 1e6,
    onError: (error) => behind.push(error),
  });
}, 60_000);
afterAll(async () => {
  await app?.close();
  await postgres?.end();
});

const HOSTILE: readonly unknown[] = [
  ...['0', '1', '-1', '0.5', '1e3', '00.5', '.5', '1.', 'NaN', 'Infinity', '', ' ', '0x10', '١'],
  ...['0.000000000000000000000000000000000001', '9'.repeat(40), '0'.repeat(60_0), '1h', '0s', '7d'],
  ...['999999999d', '* * * * *', '*/1 * * * *', '0 0 30 2 *', 'UTC', 'Mars/Olympus', "'; DROP--"],
  ...['\u0000', '\ud800', '\u202e', 'WETH', 'weth', 'CASH', '__proto', 'target', 'edge', 'halt'],
  ...[
    '2026-12-31',
    '2026-02-30',
    '9999-12-31T23:59:60Z',
    0,
    1,
    -1,
    0.1,
    1e-320,
    1e308,
    -0,
    2 ** 53,
  ],
  ...[31338, 31341, 1.5, true, false, null, [], {}, [[]], [null], { WETH: '1' }, [{}], [1, 'a']],
];

/** A document that means something, its numbers drawn from the very small to the very large. */
function drawn(rng: Random): Record<string, unknown> {
  const pool = [...NAMES, CASH];
  // CASH is USDC here: both at once are refused.
  const cash = rng.integer(0, 1) === 0 ? CASH : 'USDC';
  const names = pool.filter((name) => rng.next() < 0.6 && (name === cash || !/S/.test(name)));
  if (names.length < 2) names.splice(0, names.length, 'WETH', 'USDC');
  const parts = names.map(() => Math.floor(rng.next() ** 3 * 1_000));
  parts[0] = 1_000 - parts.slice(1).reduce((a, b) => a + b, 0);
  if ((parts[0] ?? 0) < 0) parts.splice(0, parts.length, 1_000, ...names.slice(1).map(() => 0));
  const text = (n: number) => n.toFixed(6);
  const wide = () => text(10 ** (rng.next() * 6 - 3));
  const some = <T>(make: () => T, odds = 0.14): T | undefined =>
    rng.next() < odds ? make() : undefined;
  const of = <T>(...all: readonly T[]): T => pick(rng, all);
  const fraction = () => text(rng.next());
  const asset = () => of(...names);
  const map = (make: () => unknown) => Object.fromEntries(names.map((name) => [name, make()]));
  const chain = () => of(31338, 31339, 31340);
  const calendar = { calendar: true };
  const drawnDocument: Record<string, unknown> = {
    targets: Object.fromEntries(names.map((name, i) => [name, text((parts[i] ?? 0) / 1_000)])),
    name: some(() => of('a', '☂️', 'x'.repeat(64))),
    universe: some(() => ({ [asset()]: of(...NAMES) }), 0.1),
    chains: some(() => [chain()]),
    chainLimits: some(() => [
      { chain: chain(), asset: some(asset, 0.6), floor: some(fraction), cap: some(fraction) },
      ...(rng.next() < 0.3 ? [{ chain: chain(), asset: asset(), target: fraction() }] : []),
    ]),
    riskBudget: some(() => map(() => text(rng.integer(0, 4) / 4)), 0.15),
    volatilityTarget: some(() => ({ annual: wide(), cap: some(wide), cash: some(asset) }), 0.15),
    prior: some(() =>
      of<unknown>(
        { volatilities: map(() => of('0', wide())) },
        { correlations: { [`${asset()}/${asset()}`]: of('1', '-1', '0.9999999', fraction()) } },
        { covariance: names.map((_, i) => names.map((__, j) => (i === j ? wide() : '0'))) },
      ),
    ),
    objective: some(
      () =>
        of<unknown>(
          { trackingErrorBps: wide() },
          { aversion: wide() },
          {
            bands: {
              width: of<unknown>(wide(), map(wide)),
              measure: some(() => 'relative'),
              landing: some(() => of('target', 'half', 'edge', fraction())),
            },
          },
          calendar,
        ),
      0.8,
    ),
    schedule: some(() =>
      of<unknown>(
        { every: of('1s', '1h', '30d') },
        { cron: '0 12 * * 1', timeZone: 'Europe/Paris' },
      ),
    ),
    combine: some(() => of('any', 'all'), 0.1),
    costs: some(() => ({
      maxBps: some(wide),
      budgetBps30d: some(() => of(null, wide())),
      maxSlippageBps: some(wide),
      maxGasUsd: some(() => of(null, wide())),
      minTradeUsd: some(wide),
      expectedBps: some(wide),
      fixedUsd: some(wide),
    })),
    limits: some(() => ({
      turnover30d: some(() => of(null, wide())),
      buyOnly: some(() => [asset()]),
      sellOnly: some(() => [asset()]),
      reduceOnly: some(() => true),
    })),
    hedge: some(() => ({ underlying: asset(), band: { model: 'fixed', width: wide() } }), 0.05),
    leverage: some(() => ({ target: wide() }), 0.05),
    oracles: some(() => ({
      quorum: some(() => rng.integer(1, 5)),
      maxAge: some(() => of('1s', '7d')),
      maxDeviationBps: some(wide),
      maxTwapGapBps: some(wide),
      depegFloors: some(() => ({ [asset()]: wide() })),
      onFailure: some(() => 'reduceOnly'),
    })),
    breakers: some(() => ({
      drawdown: some(() => of(null, { window: '1h', max: fraction() })),
      maxMovePerHour: some(() => of(null, fraction())),
      maxConsecutiveFailures: some(() => 1),
      resumeAfter: some(() => of(null, '0s', '1h')),
      onTrip: some(() => 'reduceOnly'),
    })),
    cooldown: some(() => of('0s', '1h')),
    privacy: some(() => 'commitment', 0.4),
    expires: some(() => of(NOW - 1, NOW + 1, 4_294_967_295), 0.1),
  };
  // What a careful writer would not leave out.
  if (drawnDocument.objective === calendar) drawnDocument.schedule ??= { every: '1h' };
  if (drawnDocument.combine === 'all') drawnDocument.schedule = { every: '1h' };
  return drawnDocument;
}

/** Puts something hostile anywhere into a value. */
function spoilt(value: unknown, rng: Random): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const key = keys[rng.integer(0, Math.max(0, keys.length - 1))];
  if (key === undefined || rng.next() < 0.2) return HOSTILE[rng.integer(0, HOSTILE.length - 1)];
  const record = value as Record<string, unknown>;
  const mended = spoilt(record[key], rng);
  return Array.isArray(value)
    ? value.map((one, i) => (String(i) === key ? mended : one))
    : { ...record, [key]: mended };
}

/** What is held and what the chains say: dust, nothing, riches, broken feeds, a chain that is down. */
function unsettled(rng: Random): World {
  const made = makeWorld(rng.next() < 0.2 ? 0 : 500_000);
  for (const id of CHAINS) {
    for (const name of NAMES) {
      const fate = rng.next();
      const amount = fate < 0.2 ? 1n : fate < 0.3 ? 10n ** 30n : BigInt(rng.integer(0, 2 ** 31));
      if (fate < 0.5) made.balances.set(`${id}:${name}`, amount * (fate < 0.4 ? 1n : 10n ** 9n));
      const market = present(made.markets.get(id), 'market');
      if (rng.next() < 0.03) {
        const answer = pick(rng, [0n, -1n, 1n, 10n ** 30n]);
        const updatedAt = unixSeconds(pick(rng, [0, NOW, NOW - 7_200, NOW + 500]));
        const broken = { answer, decimals: pick(rng, [0, 8, 37]), updatedAt };
        market.feeds = new Map([...market.feeds, [tokenAddress(id, name), broken]]);
      }
    }
    if (rng.next() < 0.05) made.down.add(id);
  }
  return made;
}
const pick = <T>(rng: Random, all: readonly T[]): T => all[rng.integer(0, all.length - 1)] as T;

const sourceOf = (made: World): MarketSource => ({
  async chain(id) {
    if (made.down.has(id)) throw new Fault(`chain ${id} is down`);
    return present(made.markets.get(id), `market ${id}`);
  },
  async owner(id) {
    const held = NAMES.map(
      (name) => [tokenAddress(id, name), made.balances.get(`${id}:${name}`) ?? 0n] as const,
    );
    return { balances: new Map(held), allowances: new Map() };
  },
});

it(`property: no document makes a 500, and what is armed can be kept (seed ${seed})`, async () => {
  const rng = random(seed);
  const tally = new Map<string, number>();
  const send = async (label: string, method: 'GET' | 'POST', url: string, payload?: unknown) => {
    const body = payload === undefined ? {} : { payload: JSON.stringify(payload) };
    const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await app.inject({ method, url, headers, ...body });
    const { statusCode } = answer;
    const code = (answer.json() as JsonObject).code ?? 'ok';
    tally.set(`${statusCode} ${code}`, (tally.get(`${statusCode} ${code}`) ?? 0) + 1);
    const fine = statusCode < 500 || (statusCode === 503 && code === 'chainDown');
    expect(fine, `${label} ${url} ${answer.body} ${String(behind.at(-1))}`).toBe(true);
    expect(answer.body).not.toMatch(/[:,[](NaN|-?Infinity)\b/);
    return answer;
  };
  for (let run = 0; run < RUNS; run += 1) {
    world = unsettled(rng);
    // A wallet of its own: two policies of one would wait for each other.
    const account = privateKeyToAccount(`0x${(run + 1).toString(16).padStart(64, '0')}`);
    const owner = evmAddress(account.address);
    source = sourceOf(world);
    const whole: unknown = JSON.parse(JSON.stringify(drawn(rng)));
    const document = rng.next() < 0.5 ? whole : spoilt(whole, rng);
    const label = `seed ${seed} run ${run}: ${JSON.stringify(document)}`;
    const holdings =
      rng.next() < 0.2 ? [{ chain: 31338, asset: 'WETH', amount: '9'.repeat(77) }] : undefined;
    await send(label, 'POST', '/v1/policies/dry-run', {
      document,
      owner,
      holdings,
      arm: { nonce: '1' },
    });
    await send(label, 'POST', '/v1/policies/drift', { document, owner });
    let signature = `0x${'11'.repeat(65)}`;
    try {
      const signed = { owner, document: commitmentOf(document as JsonObject), nonce: BigInt(run) };
      signature = await account.sign({ hash: policyDigest({ ...signed, expires: 0 }) });
    } catch {
      // Nothing that can be hashed: it is refused before its signature is read.
    }
    const armed = await send(label, 'POST', '/v1/policies', {
      document,
      owner,
      nonce: String(run),
      signature,
    });
    if (armed.statusCode !== 201) continue;
    // Simulated time lies ahead of the database's.
    await postgres.database.rows(sql`UPDATE jobs SET due_at_ms = 0`);
    const lease = present(await postgres.store.claimJob([KEEP_JOB], 60_000), label);
    const kept = await keep(lease, new AbortController().signal).catch((error: unknown) => {
      throw new Error(`${label}: ${String(error)}`, { cause: error });
    });
    expect(kept, label).toHaveProperty('runAtMs');
    await postgres.store.completeJob(lease);
    const path = `/v1/policies/${lease.key}`;
    const shown = [await send(label, 'GET', path), await send(label, 'GET', `${path}/decisions`)];
    const hidden = (whole as JsonObject).privacy === 'commitment' && document === whole;
    if (!hidden) continue;
    for (const { body } of shown) expect(body, label).not.toMatch(/WETH|USDC|WBTC|targets|weights/);
  }
  if (process.env.FUZZ_RUNS !== undefined) console.log([...tally].sort());
  expect(tally.get('201 ok') ?? 0).toBeGreaterThan(RUNS / 20);
}, 600_000);
