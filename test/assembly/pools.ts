// The probe behind the pools' tests: compiles assembly/probe.ts, writes pools into its memory, reads
// responses; and each pool's curve once more in plain TypeScript, written from the papers, not from
// the core.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Pool {
  readonly kind: 'weighted' | 'stable';
  readonly balances: readonly number[];
  readonly weights: readonly number[];
  readonly rates: readonly number[];
  readonly caps: readonly number[];
  readonly keep: number;
  /** A·n; 1 for a weighted pool. */
  readonly ann: number;
}

interface ProbeExports {
  readonly memory: WebAssembly.Memory;
  at(block: number): number;
  size(block: number): number;
  respond(allowed: number, curved: number): number;
  forward(i: number, j: number, x: number): number;
  respondPair(i: number, j: number): void;
}

export interface Response {
  readonly surplus: number;
  readonly trades: readonly number[];
  /** Price-scaled, one row per node; empty unless asked for. */
  readonly hessian: readonly (readonly number[])[];
}

export interface PairResponse {
  readonly direction: number;
  readonly input: number;
  readonly output: number;
  readonly surplus: number;
  readonly curvature: number;
}

const BYTES = { venue: 128, node: 48 };
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Compiles the probe unless its sources' hash is there already. */
function build(): WebAssembly.Module {
  const assembly = join(ROOT, 'assembly');
  const hash = createHash('sha256');
  for (const name of readdirSync(assembly, { recursive: true }).map(String).sort()) {
    if (name.endsWith('.ts')) hash.update(`${name}\0`).update(readFileSync(join(assembly, name)));
  }
  const output = join(ROOT, `.build/probe-${hash.digest('hex').slice(0, 16)}.wasm`);
  if (!existsSync(output)) {
    mkdirSync(join(ROOT, '.build'), { recursive: true });
    const compiler = dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json'));
    const draft = `${output}.${process.pid}`;
    const memory = ['--initialMemory', '16', '--maximumMemory', '16'];
    const options = ['--runtime', 'stub', '--use', 'abort=', '-O3', '--noAssert', ...memory];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(compiler, 'bin/asc.js'),
        ...['assembly/probe.ts', '--config', 'none', '--outFile', draft],
        ...options,
      ],
      { cwd: ROOT, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`asc failed:\n${stdout}${stderr}`);
    renameSync(draft, output);
    for (const name of readdirSync(join(ROOT, '.build'))) {
      const old = /^probe-[0-9a-f]{16}\.wasm$/.test(name) && !output.endsWith(name);
      if (old) rmSync(join(ROOT, '.build', name), { force: true });
    }
  }
  return new WebAssembly.Module(new Uint8Array(readFileSync(output)));
}

/** One instance of the probe with a pool in it. */
export class Probe {
  readonly #core: ProbeExports;
  readonly #view: DataView;
  #count = 0;

  constructor() {
    this.#core = new WebAssembly.Instance(build()).exports as unknown as ProbeExports;
    this.#view = new DataView(this.#core.memory.buffer);
    const sizes = [0, 1].map((block) => this.#core.size(block));
    if (`${sizes}` !== `${Object.values(BYTES)}`) throw new Error(`record sizes moved: ${sizes}`);
  }

  write(pool: Pool): void {
    const view = this.#view;
    const venue = this.#core.at(0);
    this.#count = pool.balances.length;
    for (let k = 0; k < BYTES.venue; k += 8) view.setFloat64(venue + k, 0, true);
    view.setInt32(venue, pool.kind === 'weighted' ? 1 : 2, true);
    view.setInt32(venue + 12, 3, true);
    view.setFloat64(venue + 16, pool.ann, true);
    view.setFloat64(venue + 32, pool.keep, true);
    view.setInt32(venue + 92, this.#count, true);
    for (let i = 0; i < this.#count; i++) {
      const node = this.#core.at(1) + BYTES.node * i;
      view.setInt32(node, i, true);
      view.setFloat64(node + 8, pool.balances[i] ?? 0, true);
      view.setFloat64(node + 16, pool.weights[i] ?? 0, true);
      view.setFloat64(node + 24, pool.rates[i] ?? 1, true);
      view.setFloat64(node + 32, pool.caps[i] ?? Number.POSITIVE_INFINITY, true);
    }
  }

  respond(prices: readonly number[], allowed = 0xff, curved = true): Response {
    this.#setPrices(prices);
    const surplus = this.#core.respond(allowed, curved ? 1 : 0);
    const n = this.#count;
    const number = (address: number) => this.#view.getFloat64(address, true);
    const indices = Array.from({ length: n }, (_, i) => i);
    const hessian = this.#core.at(3);
    return {
      surplus,
      trades: indices.map((i) => number(this.#core.at(1) + BYTES.node * i + 40)),
      hessian: curved
        ? indices.map((i) => indices.map((j) => number(hessian + 8 * (n * i + j))))
        : [],
    };
  }

  forward(i: number, j: number, x: number): number {
    return this.#core.forward(i, j, x);
  }

  /** `mask`: 1 sells i for j, 2 the reverse, 3 both; caps on what i and j may take in. */
  pair(
    i: number,
    j: number,
    prices: readonly number[],
    mask = 3,
    capI = Number.POSITIVE_INFINITY,
    capJ = Number.POSITIVE_INFINITY,
  ): PairResponse {
    this.#setPrices(prices);
    const flow = this.#core.at(4);
    this.#view.setInt32(flow + 8, mask, true);
    this.#view.setFloat64(this.#core.at(0) + 56, capI, true);
    this.#view.setFloat64(this.#core.at(0) + 64, capJ, true);
    this.#core.respondPair(i, j);
    const number = (offset: number) => this.#view.getFloat64(flow + offset, true);
    return {
      direction: this.#view.getInt32(flow, true),
      input: number(16),
      output: number(24),
      surplus: number(32),
      curvature: number(40),
    };
  }

  #setPrices(prices: readonly number[]): void {
    prices.forEach((price, i) => {
      this.#view.setFloat64(this.#core.at(2) + 8 * i, price, true);
    });
  }
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** StableSwap's D by bisection of F(D) = Ann·S + D − Ann·D − D^(n+1)/(nⁿΠ), in logs of the product. */
export function invariantOf(owned: readonly number[], ann: number): number {
  const n = owned.length;
  const total = sum(owned);
  let low = 0;
  let high = total;
  for (let k = 0; k < 200; k++) {
    const d = (low + high) / 2;
    const q = owned.reduce((product, z) => (product * d) / (n * z), 1);
    if (ann * (total - d) + d - q * d > 0) low = d;
    else high = d;
  }
  return (low + high) / 2;
}

/** ∂F/∂z of the pool's invariant per core unit, at balances z: only ratios between nodes matter. */
export function marginals(pool: Pool, z: readonly number[]): number[] {
  if (pool.kind === 'weighted') return z.map((own, i) => (pool.weights[i] ?? 0) / own);
  const n = z.length;
  const owned = z.map((own, i) => own * (pool.rates[i] ?? 1));
  const d = invariantOf(owned, pool.ann);
  const q = owned.reduce((product, own) => (product * d) / (n * own), 1) * d;
  return owned.map((own, i) => (pool.ann + q / own) * (pool.rates[i] ?? 1));
}

/** How far balances z are above (+) or below (−) the pool's curve, as a log or as a share of D. */
export function curveOf(pool: Pool, z: readonly number[]): number {
  if (pool.kind === 'weighted') {
    return sum(z.map((own, i) => (pool.weights[i] ?? 0) * Math.log(own / (pool.balances[i] ?? 0))));
  }
  const owned = (balances: readonly number[]) =>
    balances.map((own, i) => own * (pool.rates[i] ?? 1));
  return invariantOf(owned(z), pool.ann) / invariantOf(owned(pool.balances), pool.ann) - 1;
}

export type Curve = (z: readonly number[]) => number;

/** F at the invariant of the pool's own balances: positive above the curve, negative below. */
export function curveThrough(pool: Pool): Curve {
  if (pool.kind === 'weighted') return (z) => curveOf(pool, z);
  const rate = (i: number) => pool.rates[i] ?? 1;
  const d = invariantOf(
    pool.balances.map((own, i) => own * rate(i)),
    pool.ann,
  );
  return (z) => {
    let total = 0;
    let q = d;
    z.forEach((own, i) => {
      total += own * rate(i);
      q *= d / (z.length * own * rate(i));
    });
    return pool.ann * total - q - (pool.ann - 1) * d;
  };
}
