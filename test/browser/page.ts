// What runs in the browser: the very engine and checker, bundled. Given a problem and its image, it
// solves both ways, through the engine's door and on a bare instance, and checks the certificate.

import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import type { CoreExports } from '../../solver/engine/abi.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblemText } from '../../solver/market/problemFile.ts';
import type { ProblemResult } from '../../solver/types/problem.ts';

export interface PageAnswer {
  readonly result: ProblemResult;
  readonly verdict: ReturnType<typeof verify>;
  /** The solved image. */
  readonly bytes: readonly number[];
}

export interface PageScope {
  answer(problem: string, image: readonly number[]): Promise<PageAnswer>;
}

async function answer(problem: string, image: readonly number[]): Promise<PageAnswer> {
  const wasmBytes = new Uint8Array(await (await fetch('/trimtab.wasm')).arrayBuffer());
  const engine = createEngine(wasmBytes);
  const parsed = parseProblemText(problem);
  const result = evaluate(parsed, engine.solve(parsed), engine.hash);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasmBytes));
  const core = exports as unknown as CoreExports;
  const block = new Uint8Array(core.memory.buffer, core.header(), image.length);
  block.set(image);
  core.arrange();
  block.set(image);
  core.solve();
  return { result, verdict: verify(parsed, result), bytes: [...block] };
}

const scope: PageScope = { answer };
Object.assign(globalThis, scope);
