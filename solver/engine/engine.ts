// The only door to the WebAssembly core: instantiates it, writes a problem, runs it, and answers
// with legs re-executed in exact integers and the dual prices of the bound. Does no I/O: the bytes of
// the core are given. Refuses cores of another ABI (Defect) and problems beyond the core's limits
// (InvalidInput). The same problem gives the same solution, in every instance.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { Defect, present } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import { type Hash32, hash32 } from '../types/ids.ts';
import type { DualPrices, Leg, Solution, SolveStatus } from '../types/problem.ts';
import { type CoreExports, HEADER, NODE, type Scales, SIZE, STATUS } from './abi.ts';
import { decodeBranches, decodeLoopPrices, decodePrices, decodeProposal } from './decode.ts';
import { encode, encodeQuote, type Starts, sharesSnapshot, startsOf } from './encode.ts';
import { type ExactPlan, executeProposal } from './execute.ts';
import { executeBatch } from './executeBatch.ts';
import { guarded, instantiate } from './instance.ts';

export interface Engine {
  /** keccak256 of the .wasm: the `engine` of published results. */
  readonly hash: Hash32;
  /**
   * Legs exact and in execution order; prices in dollars per whole token. A function of its arguments
   * alone. Throws InvalidInput.
   */
  solve(problem: ParsedProblem, options?: SolveOptions): Solution;
  /**
   * Loads a problem's snapshot for many quotes on it. A session's answers start from its last one, so
   * they depend on its history; each is certified all the same. What must be reproducible from the
   * problem alone (auctions, published files) is solved by `solve`.
   */
  open(problem: ParsedProblem): Session;
}

export interface SolveOptions {
  /**
   * Prices to start from, dollars per whole token by node id, decimals > 0: those an earlier solution
   * of almost the same market published. They shorten the search; where it misses the wanted gap it
   * is repeated from the engine's own.
   */
  readonly start?: DualPrices;
}

/** One snapshot, many quotes. Holds an instance of the core of its own. */
export interface Session {
  /**
   * Solves a problem. One that shares the session's snapshot (the same nodes, venues and groups, no
   * cap: see market/problemFile withObjective) writes only its amounts and starts warm; where that
   * misses the wanted gap it is solved again cold. Any other is loaded whole.
   */
  solve(problem: ParsedProblem): Solution;
  /** Work the last solve took, both attempts counted: what settings.workMax limits for each. */
  work(): number;
}

/** Instantiates the core. Throws Defect if the bytes are not this version's core. */
export function createEngine(wasmBytes: Uint8Array): Engine {
  const core = createCore(wasmBytes);
  return { hash: core.hash, solve: core.solve, open: core.open };
}

/** The engine in its parts, for a pool that runs the core elsewhere. */
export interface Core extends Engine {
  /** The problem as the bytes from the core's header to the end of its records. */
  encode(problem: ParsedProblem): { readonly bytes: ArrayBuffer; readonly scales: Scales };
  /**
   * The solution in those bytes after some instance of the same core has solved them; they may end
   * before the legs if these are given apart.
   */
  decode(problem: ParsedProblem, scales: Scales, bytes: ArrayBuffer, legs?: ArrayBuffer): Solution;
}

export function createCore(wasmBytes: Uint8Array): Core {
  const wasm = new WebAssembly.Module(new Uint8Array(wasmBytes));
  const hash = hash32(`0x${bytesToHex(keccak_256(wasmBytes))}`);
  let core = instantiate(wasm);
  return {
    hash,
    solve(problem, { start } = {}) {
      const run = (starts: Starts): Scales => {
        const scales = encode(core, problem, starts);
        guarded(
          () => core.solve(),
          () => {
            core = instantiate(wasm);
          },
        );
        return scales;
      };
      let scales = run(start === undefined ? [] : startsOf(problem, start));
      if (start !== undefined && missesGap(core)) scales = run([]);
      return solutionOf(core, problem, scales);
    },
    open: (problem) => openSession(wasm, problem),
    encode(problem) {
      const scales = encode(core, problem);
      const view = new DataView(core.memory.buffer);
      const end = view.getUint32(core.header() + HEADER.scratch, true);
      return { bytes: core.memory.buffer.slice(core.header(), end), scales };
    },
    decode(problem, scales, bytes, legs) {
      const memory = new Uint8Array(core.memory.buffer);
      memory.set(new Uint8Array(bytes), core.header());
      if (legs !== undefined) {
        const view = new DataView(core.memory.buffer);
        memory.set(new Uint8Array(legs), view.getUint32(core.header() + HEADER.legs, true));
      }
      return solutionOf(core, problem, scales);
    },
  };
}

/** Opens a session on its own instance. */
function openSession(wasm: WebAssembly.Module, first: ParsedProblem): Session {
  let core = instantiate(wasm);
  /** What the instance has loaded, and whether its last solve left prices to start from. */
  let held: { readonly problem: ParsedProblem; readonly scales: Scales } | null = null;
  let warm = false;
  let work = 0;
  const discard = () => {
    core = instantiate(wasm);
    held = null;
  };
  const load = (problem: ParsedProblem): Scales => {
    held = null;
    warm = false;
    const scales = encode(core, problem);
    guarded(() => core.load(), discard);
    held = { problem, scales };
    return scales;
  };
  const run = (start: 0 | 1): void => {
    const view = new DataView(core.memory.buffer);
    view.setInt32(core.header() + HEADER.warm, start, true);
    guarded(() => core.solve(), discard);
    work += view.getInt32(core.header() + HEADER.work, true);
  };
  load(first);
  return {
    solve(problem) {
      let scales: Scales;
      if (held !== null && sharesSnapshot(held.problem, problem)) {
        scales = held.scales;
        encodeQuote(core, problem, scales);
      } else scales = load(problem);
      work = 0;
      const isWarm = warm;
      warm = false;
      run(isWarm ? 1 : 0);
      if (isWarm && !hasSearched(core) && missesGap(core)) run(0);
      // What is no answer may have left anything behind: the next quote loads afresh.
      if (statusIn(core) > STATUS.limit) held = null;
      const solution = solutionOf(core, problem, scales);
      warm = statusIn(core) === STATUS.ok;
      return solution;
    },
    work: () => work,
  };
}

function statusIn(core: CoreExports): number {
  return new DataView(core.memory.buffer).getInt32(core.header() + HEADER.status, true);
}

/** Searches over what is paid once never start warm: a second one would only do the same again. */
function hasSearched(core: CoreExports): boolean {
  return new DataView(core.memory.buffer).getInt32(core.header() + HEADER.solves, true) > 0;
}

/**
 * Whether a swap or a rebalance was left wider than settings.gapBps, loops of arbitrage apart, which no
 * plan can close; a batch, whose orders are no supply, always counts as wide.
 */
function missesGap(core: CoreExports): boolean {
  if (statusIn(core) !== STATUS.ok) return true;
  const view = new DataView(core.memory.buffer);
  const at = core.header();
  const first = view.getUint32(at + HEADER.nodes, true);
  const end = first + view.getInt32(at + HEADER.nodeCount, true) * SIZE.node;
  let traded = 0;
  for (let node = first; node < end; node += SIZE.node) {
    traded += view.getFloat64(node + NODE.supply, true) * view.getFloat64(node + NODE.price, true);
  }
  const wide =
    view.getFloat64(at + HEADER.bound, true) -
    view.getFloat64(at + HEADER.loops, true) -
    view.getFloat64(at + HEADER.value, true);
  return !(wide <= view.getFloat64(at + HEADER.gapTarget, true) * traded);
}

/** Reads a solved problem out of the core's memory. */
function solutionOf(core: CoreExports, problem: ParsedProblem, scales: Scales): Solution {
  const code = new DataView(core.memory.buffer).getInt32(core.header() + HEADER.status, true);
  if (code === STATUS.tooLarge) {
    throw new InvalidInput('the problem is larger than the optimizer takes', { code: 'tooLarge' });
  }
  if (code === STATUS.badInput) {
    throw new InvalidInput('a number of the problem is beyond the range of the optimizer', {
      code: 'outOfRange',
    });
  }
  const status = statusOf(code);
  const prices = decodePrices(core, problem);
  if (status !== 'solved' && status !== 'limit') return { status, legs: [], prices };
  const proposal = decodeProposal(core, problem, scales);
  const loopPrices = decodeLoopPrices(core, problem);
  const branches = decodeBranches(core, problem);
  const proofs = {
    ...(loopPrices === undefined ? {} : { loopPrices }),
    ...(branches === undefined ? {} : { branches }),
  };
  if (problem.objective.kind === 'batch') {
    const exact = executeBatch(problem, problem.objective, proposal, prices);
    if (exact === null) return { status: 'limit', legs: [], prices, ...proofs };
    const legs = exact.plan.legs.map((leg) => publicLeg(problem, leg));
    return { status, legs, prices, orders: exact.orders, ...proofs };
  }
  const plan = executeProposal(problem, proposal.legs);
  // In whole base units nothing may be left of it, or a pool may have no room for it.
  if (plan.legs.length === 0 && problem.objective.kind === 'swap') {
    return { status: 'infeasible', legs: [], prices, ...proofs };
  }
  return { status, legs: plan.legs.map((leg) => publicLeg(problem, leg)), prices, ...proofs };
}

function statusOf(code: number): SolveStatus {
  switch (code) {
    case STATUS.ok:
      return 'solved';
    case STATUS.noRoute:
      return 'noRoute';
    case STATUS.infeasible:
      return 'infeasible';
    case STATUS.limit:
      return 'limit';
    default:
      throw new Defect(`unknown status ${code} from the core`);
  }
}

function publicLeg(problem: ParsedProblem, leg: ExactPlan['legs'][number]): Leg {
  const id = (node: number) => present(problem.nodes[node], 'node').id;
  return {
    venue: present(problem.venues[leg.venue], 'venue').id,
    in: { node: id(leg.from), amount: leg.amountIn.toString() },
    out: { node: id(leg.to), amount: leg.amountOut.toString() },
  };
}
