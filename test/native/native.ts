// The core compiled natively, for the bench and the tests: builds it once per process where wabt and
// a C compiler are installed, and answers null where they are not. Nothing but tests uses it.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `native` is -march=native, `portable` the compiler's baseline. */
export type NativeKind = 'native' | 'portable';

interface NativeBuild extends Readonly<Record<NativeKind, string>> {
  readonly compiler: string;
}

let built: NativeBuild | { readonly missing: string } | undefined;

/** The programs, or what is missing and how to have it. Takes some seconds the first time. */
export function nativeBuild(): NativeBuild | { readonly missing: string } {
  if (built !== undefined) return built;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['test/native/build.mjs'], {
    encoding: 'utf8',
  });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (status === 3) built = { missing: line };
  else if (status === 0) built = JSON.parse(line) as NativeBuild;
  else throw new Error(`test/native/build.mjs failed: ${stderr}`);
  return built;
}

export interface NativeRun {
  readonly status: number;
  /** The image after solve(): header to the end of the records. */
  readonly bytes: Uint8Array;
  /** Nanoseconds of load() and solve() over the rounds. */
  readonly p50Ns: number;
  readonly p99Ns: number;
  /** What of it is load(): the snapshot checked and prepared, once for many solves. */
  readonly loadP50Ns: number;
}

/** Solves an image `rounds` times natively, re-loaded each time; null where nothing can be built. */
export async function nativeSolve(
  image: ArrayBuffer | Uint8Array,
  rounds: number,
  kind: NativeKind = 'native',
): Promise<NativeRun | null> {
  const build = nativeBuild();
  if ('missing' in build) return null;
  const folder = mkdtempSync(join(tmpdir(), 'trimtab-native-'));
  try {
    const [from, to] = [join(folder, 'image'), join(folder, 'solved')];
    writeFileSync(from, new Uint8Array(image));
    const text = await outputOf(build[kind], [String(rounds), '-o', to, from]);
    const { status, p50Ns, p99Ns, loadP50Ns } = JSON.parse(text) as NativeRun;
    return { status, p50Ns, p99Ns, loadP50Ns, bytes: new Uint8Array(readFileSync(to)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nanoseconds as in NativeRun, or null where wabt or a C compiler is missing. */
export async function nativeTimes(
  image: ArrayBuffer | Uint8Array,
  rounds: number,
  kind: NativeKind = 'native',
): Promise<Pick<NativeRun, 'p50Ns' | 'p99Ns' | 'loadP50Ns'> | null> {
  const run = await nativeSolve(image, rounds, kind);
  if (run === null) return null;
  return { p50Ns: run.p50Ns, p99Ns: run.p99Ns, loadP50Ns: run.loadP50Ns };
}

function outputOf(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0 ? resolve(text) : reject(new Error(`${program} ended with ${code ?? signal}`)),
    );
  });
}
