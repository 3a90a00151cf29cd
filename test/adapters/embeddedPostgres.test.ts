import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type EmbeddedPostgres, startPostgres } from '../../solver/adapters/embeddedPostgres.ts';
import { migrate } from '../../solver/adapters/migrations.ts';
import { type Database, openDatabase } from '../../solver/adapters/postgres.ts';
import { createPostgresStore } from '../../solver/adapters/postgresStore.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault } from '../../solver/types/errors.ts';
import { hash32 } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { StoredQuote } from '../../solver/types/store.ts';
import { clock, newOrder, serverPid, until } from './support.ts';

const running = new Set<EmbeddedPostgres>();
const open = new Set<Database>();
const owners = new Set<ChildProcess>();
const homes = new Set<string>();
afterEach(async () => {
  for (const database of open) await database.close();
  for (const server of running) await server.stop();
  for (const owner of owners) owner.kill('SIGKILL');
  for (const set of [open, running, owners]) set.clear();
});
afterAll(async () => {
  for (const home of homes) {
    // A killed owner leaves its socket's folder to the next start, which these homes will not see.
    const note = join(home, 'postgres/socket');
    if (existsSync(note)) await rm(readFileSync(note, 'utf8'), { recursive: true, force: true });
    await rm(home, { recursive: true, force: true });
  }
});

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'trimtab-test-'));
  homes.add(home);
  return home;
}

/** A home with a cluster in it already: creating one is by far the slowest step. */
async function usedHome(): Promise<string> {
  template ??= (async () => {
    const home = await newHome();
    await (await startPostgres({ home })).stop();
    return home;
  })();
  const home = await newHome();
  execFileSync('cp', ['-a', join(await template, 'postgres'), home]);
  return home;
}
let template: Promise<string> | null = null;

async function start(home: string, onProgress: (message: string) => void = () => {}) {
  const server = await startPostgres({
    home,
    onProgress,
    onLost: (error) => {
      throw error;
    },
  });
  running.add(server);
  return server;
}

function connect(server: EmbeddedPostgres): Database {
  const database = openDatabase({ url: server.url, clock });
  open.add(database);
  return database;
}

async function write(server: EmbeddedPostgres, value: number) {
  const database = connect(server);
  await database.rows(sql`CREATE TABLE IF NOT EXISTS kept (value integer)`);
  await database.rows(sql`INSERT INTO kept VALUES (${value})`);
}

async function values(server: EmbeddedPostgres): Promise<number[]> {
  const rows = await connect(server).rows(sql<{ value: number }>`SELECT value FROM kept`);
  return rows.map((row) => row.value).toSorted((a, b) => a - b);
}

/** A separate process that owns the home's server. */
async function startOwner(home: string): Promise<{ owner: ChildProcess; serverPid: number }> {
  const script = join(import.meta.dirname, 'fixtures/postgresOwner.ts');
  const owner = spawn(process.execPath, ['--import', 'tsx', script, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  owners.add(owner);
  const serverPid = await new Promise<number>((found, failed) => {
    owner.once('exit', () => failed(new Error('the owner ended early')));
    owner.stdout?.once('data', (chunk) => found(Number(String(chunk))));
  });
  return { owner, serverPid };
}

/** Zombies do not count: under some inits a killed orphan is never reaped. */
function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).map(Number);

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

const textOf = (id: string) => ({ head: `{"${id.slice(0, 3)}":`, tail: '}', objective: `"${id}"` });
function problemOf(id: string): string {
  const { head, objective, tail } = textOf(id);
  return `${head}${objective}${tail}`;
}

/** Of one of sixteen snapshots. */
function newQuote(id: string, order: JsonObject): StoredQuote {
  const shared = hash32(`0x${id.slice(2, 3).padStart(64, '0')}`);
  return {
    quoteId: id,
    createdAtMs: clock.nowMs(),
    validUntilMs: clock.nowMs() + 60_000,
    order,
    quotedAmounts: ['1'],
    problem: problemOf(id),
    problemText: { ...textOf(id), shared },
    result: '{}',
    response: { note: 'x'.repeat(3_000) },
  };
}

describe('startPostgres', () => {
  test('default: starts, stops without a trace, and keeps its data', async () => {
    const home = await newHome();
    const first = await start(home);
    await write(first, 1);
    const socket = present(new URL(first.url).searchParams.get('host'), 'host');
    expect(existsSync(socket)).toBe(true);
    const pid = first.pid();
    await connect(first).close();
    await first.stop();
    await first.stop();
    expect(lives(pid)).toBe(false);
    expect(existsSync(socket)).toBe(false);
    expect(readdirSync(join(home, 'postgres')).toSorted()).toEqual(['data', 'server.log']);
    const second = await start(home);
    expect(await values(second)).toEqual([1]);
  });

  test('behavior: a path far longer than a socket may have', async () => {
    const home = join(await newHome(), 'x'.repeat(90), 'y'.repeat(90));
    const server = await start(home);
    await write(server, 1);
    expect(await values(server)).toEqual([1]);
  });

  test('behavior: what a crash left of a half-made cluster is removed', async () => {
    const home = await newHome();
    mkdirSync(join(home, 'postgres', 'init-999999999-abc'), { recursive: true });
    await start(home);
    expect(readdirSync(join(home, 'postgres')).filter((name) => name.startsWith('init'))).toEqual(
      [],
    );
  });

  test('error: a place that cannot be used is a Fault that names it', async () => {
    const file = join(await newHome(), 'file');
    writeFileSync(file, '');
    await expect(start(file)).rejects.toMatchObject({
      name: 'Fault',
      message: expect.stringContaining(file),
    });
  });

  test('error: a cluster of another major version is refused and left alone', async () => {
    const home = await newHome();
    mkdirSync(join(home, 'postgres/data'), { recursive: true });
    writeFileSync(join(home, 'postgres/data/PG_VERSION'), '12\n');
    await expect(start(home)).rejects.toThrow(/made by PostgreSQL 12, this is \d+/);
    expect(readdirSync(join(home, 'postgres/data'))).toEqual(['PG_VERSION']);
  });

  test('error: a directory that another live process uses', async () => {
    const home = await usedHome();
    const { owner, serverPid } = await startOwner(home);
    await expect(start(home)).rejects.toMatchObject({
      code: 'homeInUse',
      retryable: false,
      message: expect.stringContaining(`process ${owner.pid}`),
    });
    expect(lives(serverPid)).toBe(true);
  });

  test('behavior: of four starts at once on an empty directory one wins', async () => {
    const home = await newHome();
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => start(home)));
    const winners = results.filter((result) => result.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'homeInUse' });
    }
    await write(present(winners[0], 'winner').value, 1);
  });
});

describe('crashes', () => {
  test('behavior: the server ends when its owner is killed', async () => {
    const home = await usedHome();
    const { owner, serverPid } = await startOwner(home);
    owner.kill('SIGKILL');
    await until('the server ended', () => !lives(serverPid));
    const log = readFileSync(join(home, 'postgres/server.log'), 'utf8');
    expect(log).toContain('database system is shut down');
    await write(await start(home), 1);
  });

  test('behavior: a server left behind by a dead owner is replaced, its data kept', async () => {
    const home = await usedHome();
    const { owner, serverPid } = await startOwner(home);
    // The reader that would end the server with its owner is the one child that is a shell.
    const reader = childrenOf(serverPid).find((pid) => nameOf(pid) === 'sh');
    process.kill(present(reader, 'reader'), 'SIGKILL');
    owner.kill('SIGKILL');
    await until('the owner ended', () => !lives(present(owner.pid, 'pid')));
    expect(lives(serverPid)).toBe(true);
    const said: string[] = [];
    const server = await start(home, (message) => said.push(message));
    expect(said.join()).toContain(`left behind (pid ${serverPid})`);
    expect(lives(serverPid)).toBe(false);
    await write(server, 1);
  });

  test('behavior: kill −9 of the server under load loses nothing that was confirmed', async () => {
    const server = await start(await usedHome());
    const database = connect(server);
    await migrate(database);
    const store = createPostgresStore(database);
    const confirmed: string[] = [];
    let faults = 0;
    let writing = true;
    const writer = async () => {
      while (writing) {
        const order = newOrder();
        const quoteId = order.orderId;
        try {
          await store.putQuote(newQuote(quoteId, { owner: order.owner, nonce: order.nonce }));
          const events = [{ type: 'order.created', data: {} }];
          const jobs = [{ kind: 'load', key: order.orderId, runAtMs: 0 }];
          const { outcome } = await store.admitOrder({ ...order, quoteId }, events, jobs);
          // Forgotten if the server was killed after the quote was answered.
          if (outcome === 'applied') confirmed.push(order.orderId);
          else expect(outcome).toBe('quoteGone');
        } catch (error) {
          if (!(error instanceof Fault && error.retryable)) throw error;
          faults += 1;
        }
      }
    };
    const writers = Array.from({ length: 8 }, writer);
    for (let kill = 0; kill < 3; kill++) {
      const before = confirmed.length;
      await until('writes', () => confirmed.length > before + 100);
      const pid = server.pid();
      // The second time every process at once, as the kernel does when memory runs out.
      const all = kill === 1 ? [pid, ...childrenOf(pid).filter(lives)] : [pid];
      for (const one of all) process.kill(one, 'SIGKILL');
      await until('another server', () => ![pid, null].includes(serverPid(server)));
    }
    const before = confirmed.length;
    await until('writes after the last kill', () => confirmed.length > before + 100);
    writing = false;
    await Promise.all(writers);
    expect(faults).toBeGreaterThan(0);
    const rows = await database.rows(sql<{ order_id: string }>`
      SELECT orders.order_id FROM orders JOIN events USING (order_id)
      JOIN jobs ON key = orders.order_id`);
    const kept = new Set(rows.map((row) => row.order_id));
    expect(confirmed.filter((id) => !kept.has(id))).toEqual([]);
    // Quotes are answered before they are on disk; an order takes its own there with it.
    for (const id of confirmed) {
      const quote = present(await store.getQuote(id), 'the quote of a confirmed order');
      expect(quote.problem).toBe(problemOf(id));
    }
    const [counts] = await database.rows(sql<{ orders: string; events: string; jobs: string }>`
      SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM events) AS events,
             (SELECT count(*) FROM jobs) AS jobs`);
    expect(new Set(Object.values(counts ?? {})).size).toBe(1);
  });

  test('behavior: one killed backend is PostgreSQL’s own business', async () => {
    const server = await start(await usedHome());
    await write(server, 1);
    const pid = server.pid();
    const database = connect(server);
    const [row] = await database.rows(sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`);
    process.kill(present(row, 'backend').pid, 'SIGKILL');
    await until('an answer', () =>
      values(server).then(
        () => true,
        () => false,
      ),
    );
    expect(server.pid()).toBe(pid);
    await until('the lock is back', async () => {
      const [held] = await database
        .rows(sql<{ n: string }>`SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'`)
        .catch(() => []);
      return held?.n === '1';
    });
  });
});
