// The lab process: takes the directory, brings the chains up from a saved state (building it first
// if there is none), runs the workers, and ends everything it started on every way out. Started by
// lab.ts; its one argument is the options as JSON.

import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { present } from '../types/assert.ts';
import { Fault, InvalidInput } from '../types/errors.ts';
import { labAccounts } from './accounts.ts';
import { type Anvil, startAnvil } from './anvil.ts';
import { loadSaved, type SavedLab, save } from './cache.ts';
import { cacheKey, fingerprintOf } from './cacheKey.ts';
import { type ControlServer, startControl } from './controlServer.ts';
import { buildLab } from './deploy/build.ts';
import { type LabPaths, labPaths, remove, writeJson } from './files.ts';
import { type LabLog, messageOf, openLog } from './log.ts';
import { networkConfig } from './networkConfig.ts';
import { type LabOptions, type ResolvedLabOptions, resolveLabOptions } from './options.ts';
import { commandOf, isRunning, type ProcessRef, signal } from './processes.ts';
import { labRpc } from './rpc.ts';
import { CHAINS } from './setup.ts';
import { type LabState, readState } from './state.ts';
import { createWorkers, type Workers } from './workers/all.ts';
import type { Site } from './workers/packets.ts';

const HEALTH_TIMEOUT_MS = 2000;
const REAP_TIMEOUT_MS = 2000;
const STARTER_CHECK_MS = 1000;
/** Every worker loop listens for the end while it pauses; there are some fifteen. */
const END_LISTENERS_MAX = 64;

class Lab {
  readonly #options: ResolvedLabOptions;
  readonly #paths: LabPaths;
  readonly #log: LabLog;
  readonly #ending = new AbortController();
  readonly #startedAtMs = Date.now();
  #state: LabState;
  #anvils: Anvil[] = [];
  readonly #endings: Promise<string>[] = [];
  #control: ControlServer | null = null;

  constructor(options: ResolvedLabOptions, paths: LabPaths) {
    this.#options = options;
    this.#paths = paths;
    setMaxListeners(END_LISTENERS_MAX, this.#ending.signal);
    this.#log = openLog(paths.log);
    this.#state = {
      version: 1,
      runId: randomUUID(),
      fingerprint: fingerprintOf(options),
      process: { pid: process.pid, command: present(commandOf(process.pid), 'own command line') },
      children: [],
      phase: 'starting',
      reason: null,
      progress: [],
      startedAtMs: this.#startedAtMs,
      readyAfterMs: null,
      rpcUrls: [],
      control: null,
    };
    this.#record({});
  }

  async run(): Promise<void> {
    const saved = await this.#savedState();
    this.#progress('starting three chains');
    this.#anvils = await Promise.all(
      CHAINS.map((chain, index) => this.#startChain(chain.chainId, index, saved)),
    );
    const sites = this.#anvils.map(({ chainId, url }) => ({
      rpc: labRpc(chainId, url),
      deployment: present(
        saved.deployment.chains.find((chain) => chain.chainId === chainId),
        `deployment of ${chainId}`,
      ),
    }));
    const workers = createWorkers(sites, this.#options, this.#log);
    workers.mine(this.#ending.signal);
    // A loaded state is as old as its cache: nothing may read a feed before this.
    await workers.publishAll();
    workers.start(this.#ending.signal);
    this.#control = await startControl(this.#actions(sites, workers));

    const rpcUrls = this.#anvils.map(({ url }) => url);
    const network = networkConfig(saved.deployment, rpcUrls, this.#options);
    writeJson(this.#paths.network, network);
    writeJson(this.#paths.deployment, saved.deployment);
    writeJson(this.#paths.accounts, labAccounts(), 0o600);
    this.#progress('DVNs, executor and price pulse are running');
    const { url, token } = this.#control;
    const readyAfterMs = Date.now() - this.#startedAtMs;
    this.#record({ phase: 'ready', rpcUrls, control: { url, token }, readyAfterMs });
    this.#log.info('ready', { readyAfterMs });
  }

  /** Ends everything, synchronously: it must also work from an `exit` handler. */
  end(reason: string | null): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    this.#control?.close();
    for (const child of this.#state.children) signal(child, 'SIGKILL');
    if (reason === null) {
      remove(this.#paths.state);
    } else {
      this.#log.error('failed', reason);
      this.#record({ phase: 'failed', reason, children: [] });
    }
    remove(this.#paths.lock);
  }

  /** Resolves when all ended children are reaped, so that not even zombies stay; at most 2 s. */
  async reaped(): Promise<void> {
    const late = new Promise((done) => setTimeout(done, REAP_TIMEOUT_MS));
    await Promise.race([Promise.all(this.#endings), late]);
  }

  async #savedState(): Promise<SavedLab> {
    const { cacheDir } = this.#options;
    const key = cacheKey(this.#options);
    const saved = loadSaved(cacheDir, key);
    if (saved !== null) {
      this.#progress(`found the deployed state ${key.slice(0, 8)}`);
      return saved;
    }
    const built = await buildLab({
      confirmations: this.#options.confirmations,
      progress: (line) => this.#progress(line),
      onSpawned: (ref, ended) => this.#adopt(ref, ended),
    });
    this.#progress(`saved the deployed state ${key.slice(0, 8)}`);
    return save(cacheDir, key, built);
  }

  async #startChain(chainId: number, index: number, saved: SavedLab): Promise<Anvil> {
    const args = ['--load-state', saved.stateFile(chainId), '--no-mining', '--accounts', '0'];
    const options = { chainId, port: this.#options.ports[index] ?? 0, args };
    const anvil = await startAnvil(options, (ref, ended) => this.#adopt(ref, ended));
    // A chain that ends by itself ends the lab: half a lab would only puzzle whoever uses it.
    void anvil.ended.then((why) => {
      if (!this.#ending.signal.aborted) fail(this, new Fault(`chain ${chainId}: ${why}`));
    });
    return anvil;
  }

  #actions(sites: readonly Site[], workers: Workers) {
    const { prices, paused } = workers;
    return {
      checkHealth: async () => {
        const limit = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
        const late = new Promise<never>((_, reject) => {
          limit.addEventListener('abort', () => reject(new Fault('a chain does not answer')));
        });
        const heads = sites.map(({ rpc }) => rpc.client.getBlockNumber());
        await Promise.race([Promise.all(heads), late]);
      },
      setPrice: async (asset: Parameters<typeof prices.hold>[0], dollars: number) => {
        prices.hold(asset, dollars);
        await workers.publishAll();
      },
      movePrice: workers.movePrice,
      releasePrices: async () => {
        prices.releaseAll();
        await workers.publishAll();
      },
      pause: (part: Parameters<typeof paused.add>[0], isPaused: boolean) => {
        if (isPaused) paused.add(part);
        else paused.delete(part);
      },
      signalChain: (chainId: number, name: 'SIGSTOP' | 'SIGCONT') => {
        const anvil = this.#anvils.find((candidate) => candidate.chainId === chainId);
        if (anvil === undefined) throw new InvalidInput(`no lab chain ${chainId}`);
        signal(anvil.ref, name);
      },
    };
  }

  /** Records a child before anything else can happen to us: the next start must find it. */
  #adopt(ref: ProcessRef, ended: Promise<string>): void {
    this.#endings.push(ended);
    const alive = this.#state.children.filter(isRunning);
    this.#record({ children: [...alive, ref] });
  }

  #progress(line: string): void {
    this.#log.info('progress', { line });
    this.#record({ progress: [...this.#state.progress, line] });
  }

  #record(change: Partial<LabState>): void {
    this.#state = { ...this.#state, ...change };
    writeJson(this.#paths.state, this.#state, 0o600);
  }
}

/** One lab per directory: the lock names its pid, and counts only while that is still a lab. */
function takeLock(paths: LabPaths): void {
  mkdirSync(paths.dir, { recursive: true });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(paths.lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = Number(readFileSync(paths.lock, 'utf8'));
    const state = readState(paths);
    const command = commandOf(holder);
    const isLab = command?.includes('lab/main.ts') === true;
    if (isLab || (state?.process.pid === holder && isRunning(state.process))) {
      throw new Fault(`a lab (pid ${holder}) already runs in ${paths.dir}`);
    }
    remove(paths.lock);
  }
  throw new Fault(`cannot take ${paths.lock}`);
}

function leave(lab: Lab, reason: string | null): void {
  lab.end(reason);
  void lab.reaped().then(() => process.exit(reason === null ? 0 : 1));
}

/** A test that is killed runs no `finally`: its chains must not stay behind. */
function leaveWith(lab: Lab, pid: number): void {
  const starter = commandOf(pid);
  if (starter === null) {
    leave(lab, null);
    return;
  }
  const watch = setInterval(() => {
    if (isRunning({ pid, command: starter })) return;
    clearInterval(watch);
    leave(lab, null);
  }, STARTER_CHECK_MS);
  watch.unref();
}

function fail(lab: Lab, error: unknown): void {
  console.error(error);
  leave(lab, messageOf(error));
}

const options = resolveLabOptions(JSON.parse(process.argv[2] ?? '{}') as LabOptions);
const paths = labPaths(options.home);
takeLock(paths);
const lab = new Lab(options, paths);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => leave(lab, null));
}
process.on('uncaughtException', (error) => fail(lab, error));
process.on('unhandledRejection', (error) => fail(lab, error));
process.on('exit', () => lab.end('the process ended'));
if (options.whilePid !== null) leaveWith(lab, options.whilePid);
lab.run().catch((error: unknown) => fail(lab, error));
