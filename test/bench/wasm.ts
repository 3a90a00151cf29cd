// The column of our own core. solve() alone (recovery included) is timed apart from packing and loading
// the snapshot, from exact re-execution and from the certificate. A warm run is the next quote on the
// loaded snapshot: 1 % more or less sold, from where the last one ended.

import { readFileSync } from 'node:fs';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { type CoreExports, HEADER } from '../../solver/engine/abi.ts';
import { encode, encodeQuote, sharesSnapshot } from '../../solver/engine/encode.ts';
import { createCore } from '../../solver/engine/engine.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { ProblemResult } from '../../solver/types/problem.ts';
import { swapProblem } from './problems.ts';
import { type Case, type Engine, type Opened, repeated, timed } from './rivals.ts';

export const WASM = '.build/trimtab.wasm';

/** A warm quote sells this many percent of the one it starts from. */
const WARM_PERCENT = 101n;
/** The certificate is exact and may take a second (many venues, many cases): once is enough then. */
const CERTIFY_AGAIN_NS = 5e7;

/** Median nanoseconds of instantiating the compiled core, over `rounds`, and its size in bytes. */
export function instantiation(rounds = 31): { readonly ns: number; readonly bytes: number } {
  const bytes = readFileSync(WASM);
  const wasm = new WebAssembly.Module(new Uint8Array(bytes));
  const times = Array.from(
    { length: rounds },
    () => timed(() => new WebAssembly.Instance(wasm))[0],
  );
  return { ns: times.toSorted((a, b) => a - b)[rounds >> 1] ?? 0, bytes: bytes.length };
}

const WARM_UP_SOLVES = { smooth: 3000, linear: 1000, fixedCost: 100 } as const;

/** Phases: cold, warm, pack, load, exact (decode and re-execution), certify. */
export function wasmEngine(): Engine {
  const bytes = readFileSync(WASM);
  const codec = createCore(bytes);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)));
  const core = instance.exports as unknown as CoreExports;
  warmUp(core);
  const open = ({ problem, worth }: Case): Opened => {
    let result: ProblemResult | null = null;
    let certified = 0;
    const quotes = [problem, nextQuote(problem)] as const;
    return {
      run() {
        const [pack, scales] = timed(() => encode(core, problem));
        const [load] = timed(() => core.load());
        const [cold] = timed(() => core.solve());
        const solved = memoryOf(core).slice();
        const [exact, solution] = timed(() => codec.decode(problem, scales, solved.buffer));
        const times: Record<string, number> = {
          cold: repeated(cold, () => {
            encodeQuote(core, problem, scales);
            return timed(() => core.solve())[0];
          }),
        };
        if (sharesSnapshot(...quotes)) {
          let turn = 0;
          const warm = () => {
            turn = 1 - turn;
            encodeQuote(core, quotes[turn] ?? problem, scales);
            new DataView(core.memory.buffer).setInt32(core.header() + HEADER.warm, 1, true);
            const [start] = timed(() => core.solve());
            if (closesGap(core, worth)) return start;
            // As a session does: what warm misses is solved cold, and paid for.
            new DataView(core.memory.buffer).setInt32(core.header() + HEADER.warm, 0, true);
            return start + timed(() => core.solve())[0];
          };
          times.warm = repeated(warm(), warm);
        }
        Object.assign(times, { pack, load, exact });
        if (certified > CERTIFY_AGAIN_NS) return times;
        const [certify, evaluated] = timed(() => evaluate(problem, solution, codec.hash));
        certified = certify;
        result = evaluated;
        return { ...times, certify };
      },
      outcome: () => ({
        value: Number(result?.value),
        gapBps: Number(result?.gapBps),
        bound: Number(result?.bound),
      }),
    };
  };
  return { name: 'trimtab', open };
}

/**
 * V8 compiles WebAssembly twice: at once, and well after enough calls. A service is past that within
 * its first second, so what is measured is the second. Large problems alone would not get there.
 */
function warmUp(core: CoreExports): void {
  for (const kind of ['smooth', 'linear', 'fixedCost'] as const) {
    const problem = parseProblem(swapProblem(1, kind, { pools: 100, tokens: 20 }));
    encode(core, problem);
    core.load();
    for (let k = 0; k < WARM_UP_SOLVES[kind]; k++) core.solve();
  }
  const problem = parseProblem(swapProblem(1, 'smooth', { pools: 1000, tokens: 100 }));
  encode(core, problem);
  core.load();
  for (let k = 0; k < WARM_UP_SOLVES.linear; k++) core.solve();
}

/** From the header to the end of the records. */
function memoryOf(core: CoreExports): Uint8Array<ArrayBuffer> {
  const at = core.header();
  const end = new DataView(core.memory.buffer).getUint32(at + HEADER.scratch, true);
  return new Uint8Array(core.memory.buffer as ArrayBuffer, at, end - at);
}

/** Whether the last solve met the wanted gap, loops of arbitrage apart, or searched already. */
function closesGap(core: CoreExports, worth: number): boolean {
  const view = new DataView(core.memory.buffer, core.header());
  if (view.getInt32(HEADER.solves, true) > 0) return true;
  const value = view.getFloat64(HEADER.value, true) + view.getFloat64(HEADER.loops, true);
  return (
    view.getFloat64(HEADER.bound, true) - value <= view.getFloat64(HEADER.gapTarget, true) * worth
  );
}

function nextQuote(problem: ParsedProblem): ParsedProblem {
  const { objective } = problem;
  if (objective.kind !== 'swap') return problem;
  const amount = (objective.amount * WARM_PERCENT) / 100n;
  return { ...problem, objective: { ...objective, amount } };
}
