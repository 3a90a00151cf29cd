// `npm run bench -- optimizer`: every engine on every case, interleaved in one process (A B C, A B C,
// …), medians over rounds, garbage collected before each run. Answers with rows; printing is
// report.ts's. A rival's plan worth more than ours is a violation, and the bench fails on it.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createCore } from '../../solver/engine/engine.ts';
import { highsEngine } from './highs.ts';
import { type Measured, measure } from './measure.ts';
import { nativeEngine } from './native.ts';
import { KINDS } from './network.ts';
import { SIZES, sizeName, swapProblem } from './problems.ts';
import { realQuotes } from './real.ts';
import type { Case, Engine, Missing } from './rivals.ts';
import { calibrate, median, percentile } from './statistics.ts';
import { admit } from './support.ts';
import { GAP_BPS, type Survey, survey } from './survey.ts';
import { tinesEngine } from './tines.ts';
import { twinEngine } from './twin.ts';
import { instantiation, WASM, wasmEngine } from './wasm.ts';

export interface Options {
  readonly quick: boolean;
  /** Kinds, sizes or engines to keep; empty: all. */
  readonly only: readonly string[];
  readonly log: (line: string) => void;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** One engine on the cases of one kind and size. */
export interface Row {
  readonly kind: Case['kind'];
  readonly size: string;
  readonly engine: string;
  readonly cases: number;
  /** Nanoseconds by phase: p50 over cases of each case's median; p99 over all runs. */
  readonly times: Readonly<Record<string, Spread>>;
  /** Own certificate, bps. */
  readonly gap: Spread | null;
  /** Cases with a certified gap above 0.01 bp. */
  readonly misses: number | null;
  /** Bps of the sold worth between our certified bound and this engine's value. */
  readonly lost: Spread | null;
  /** Plans that cannot be compared (no route, a pool used twice), by reason. */
  readonly invalid: Readonly<Record<string, number>>;
}

export interface Report {
  readonly calibrationNs: number;
  readonly rows: readonly Row[];
  readonly surveys: readonly Survey[];
  readonly notes: readonly string[];
  /** Cases where a rival's plan is worth more than ours beyond rounding. */
  readonly violations: readonly string[];
  /** Over our values and bounds: the same on every machine. */
  readonly resultHash: string;
}

/** What rounding to base units may cost a plan, relative. */
const ROUNDING = 1e-9;

interface Plan {
  readonly cases: number;
  readonly rounds: number;
}
/** By size: enough cases for a median, enough rounds for a quiet one. */
const PLANS: Readonly<Record<string, Plan>> = {
  '10/5': { cases: 24, rounds: 7 },
  '100/20': { cases: 24, rounds: 7 },
  '1000/100': { cases: 8, rounds: 5 },
  '10000/200': { cases: 3, rounds: 3 },
  '100000/632': { cases: 1, rounds: 3 },
};
const QUICK: Plan = { cases: 2, rounds: 1 };
/** Searching over 10,000 venues' gas is not what the design promises. */
const POOLS_MAX_WITH_COSTS = 1000;
const REAL_ROUNDS = 2;

export async function benchOptimizer(options: Options): Promise<Report> {
  const { ns: calibrationNs } = calibrate();
  const instance = instantiation();
  const notes = [
    `The core: ${instance.bytes} bytes, instantiated in ${(instance.ns / 1e6).toFixed(2)} ms (median).`,
  ];
  const engines = await openEngines(options, notes);
  const rows: Row[] = [];
  const violations: string[] = [];
  const hash = createHash('sha256');
  for (const { title, rounds, cases } of groupsOf(options, notes)) {
    const measured = await measure(engines, cases, rounds);
    rows.push(...engines.flatMap(({ name }) => rowOf(name, measured) ?? []));
    violations.push(...measured.flatMap(violationsOf));
    for (const { outcomes } of measured) hash.update(JSON.stringify(outcomes.get('trimtab')));
    options.log(title);
  }
  const surveys = surveysOf(options);
  hash.update(JSON.stringify(surveys));
  return { calibrationNs, rows, surveys, notes, violations, resultHash: hash.digest('hex') };
}

const SURVEYED = ['smooth', 'linear', 'mixed'] as const;
const SURVEY_COUNT = 1500;
const SURVEY_COUNT_QUICK = 6;

function surveysOf({ quick, only, log }: Options): readonly Survey[] {
  if (only.length > 0 && !only.includes('survey')) return [];
  return SURVEYED.map((kind) => {
    const found = survey(kind, quick ? SURVEY_COUNT_QUICK : SURVEY_COUNT);
    log(`survey ${kind}`);
    return found;
  });
}

async function openEngines({ only, quick }: Options, notes: string[]): Promise<Engine[]> {
  const all = [
    wasmEngine(),
    ...(quick ? [] : [twinEngine(), nativeEngine(), await tinesEngine(), await highsEngine()]),
  ];
  const wanted = new Set(only);
  const some = all.some(({ name }) => name !== 'trimtab' && wanted.has(name));
  return all.flatMap((engine: Engine | Missing) => {
    if (some && engine.name !== 'trimtab' && !wanted.has(engine.name)) return [];
    if ('open' in engine) return [engine];
    notes.push(`${engine.name} skipped: ${engine.missing}`);
    return [];
  });
}

interface Group {
  readonly title: string;
  readonly rounds: number;
  readonly cases: readonly Case[];
}

/** The cases, one kind and size at a time: only one group's problems are in memory. */
function* groupsOf({ quick, only }: Options, notes: string[]): Generator<Group> {
  const core = createCore(readFileSync(WASM));
  const seen = new Set<string>();
  const note = (text: string) => {
    if (!seen.has(text)) notes.push(text);
    seen.add(text);
  };
  const wants = (name: string, family: readonly string[]) =>
    !only.some((item) => family.includes(item)) || only.includes(name);
  const kinds = [...KINDS, 'real'];
  for (const size of quick ? SIZES.slice(0, 2) : SIZES) {
    for (const kind of KINDS) {
      const name = sizeName(size);
      if (!wants(kind, kinds) || !wants(name, SIZES.map(sizeName))) continue;
      if (kind === 'fixedCost' && size.pools > POOLS_MAX_WITH_COSTS) continue;
      const plan = quick ? QUICK : (PLANS[name] ?? QUICK);
      const cases: Case[] = [];
      for (let seed = 1; seed <= plan.cases; seed++) {
        const file = swapProblem(seed, kind, size);
        const admitted = admit(core, file);
        if ('refused' in admitted) {
          note(`${kind} ${name} skipped: ${admitted.refused}`);
          break;
        }
        const { problem, leftOut } = admitted;
        if (leftOut.length > 0) note(`${kind}: without ${leftOut.join(', ')}`);
        cases.push({ kind, size: name, name: `seed ${seed}`, worth: worthOf(problem), problem });
      }
      if (cases.length > 0) yield { title: `${kind} ${name}`, rounds: plan.rounds, cases };
    }
  }
  if (!wants('real', kinds) || !wants('real', SIZES.map(sizeName))) return;
  yield* realGroups(core, quick, note);
}

function* realGroups(
  core: ReturnType<typeof createCore>,
  quick: boolean,
  note: (text: string) => void,
): Generator<Group> {
  const quotes = realQuotes();
  for (const eth of quick ? [10] : [...new Set(quotes.map((quote) => quote.eth))]) {
    const chosen = quotes.filter((quote) => quote.eth === eth).slice(0, quick ? 2 : undefined);
    const cases = chosen.flatMap(({ name, problem: file }): Case[] => {
      const admitted = admit(core, file);
      if ('refused' in admitted) {
        note(`real skipped: ${admitted.refused}`);
        return [];
      }
      const { problem, leftOut } = admitted;
      if (leftOut.length > 0) note(`real: without ${leftOut.join(', ')}`);
      return [{ kind: 'real', size: `${eth} ETH`, name, worth: worthOf(problem), problem }];
    });
    if (cases.length > 0)
      yield { title: `real ${eth} ETH`, rounds: quick ? 1 : REAL_ROUNDS, cases };
  }
}

/** Dollars sold at node prices. */
function worthOf({ objective, nodes }: Case['problem']): number {
  if (objective.kind !== 'swap') return Number.NaN;
  const node = nodes[objective.sell];
  return (Number(objective.amount) / 10 ** (node?.decimals ?? 0)) * (Number(node?.price) / 1e36);
}

function spread(values: readonly number[]): Spread {
  return { p50: median(values), p99: percentile(values, 0.99), max: Math.max(...values) };
}

function rowOf(engine: string, measured: readonly Measured[]): Row | null {
  const own = measured.filter(({ samples }) => samples.has(engine));
  const first = own[0];
  if (first === undefined) return null;
  const phases = [...(first.samples.get(engine)?.keys() ?? [])];
  const times = phases.map((phase) => {
    const lists = own.map(({ samples }) => samples.get(engine)?.get(phase) ?? []);
    const all = lists.flat();
    const p50 = median(lists.map(median));
    return [phase, { p50, p99: percentile(all, 0.99), max: Math.max(...all) }] as const;
  });
  const invalid: Record<string, number> = {};
  const gaps: number[] = [];
  const lost: number[] = [];
  for (const { item, outcomes } of own) {
    const outcome = outcomes.get(engine);
    if (outcome === null || outcome === undefined) continue;
    if (outcome.invalid !== undefined) {
      invalid[outcome.invalid] = (invalid[outcome.invalid] ?? 0) + 1;
      continue;
    }
    if (outcome.gapBps !== null) gaps.push(outcome.gapBps);
    const bound = outcomes.get('trimtab')?.bound ?? Number.NaN;
    lost.push(((bound - outcome.value) / item.worth) * 1e4);
  }
  const { kind, size } = first.item;
  return {
    ...{ kind, size, engine, cases: own.length, times: Object.fromEntries(times), invalid },
    gap: gaps.length === 0 ? null : spread(gaps),
    misses: gaps.length === 0 ? null : gaps.filter((gap) => gap > GAP_BPS).length,
    lost: lost.length === 0 ? null : spread(lost),
  };
}

/** Every plan of another engine that is worth more than ours. */
function violationsOf({ item, outcomes }: Measured): readonly string[] {
  const ours = outcomes.get('trimtab')?.value ?? Number.NaN;
  return [...outcomes].flatMap(([name, outcome]) => {
    // Another certificate of the same core is compared as a column, not as a rival.
    if (outcome === null || name !== 'tines' || outcome.invalid !== undefined) return [];
    const more = outcome.value - ours;
    if (!(more > item.worth * ROUNDING)) return [];
    const bps = ((more / item.worth) * 1e4).toFixed(4);
    const cap = outcome.beyondCap === true ? ', beyond the cap' : '';
    return [
      `${item.kind} ${item.size} ${item.name}: ${name} ${outcome.value}, ours ${ours} (${bps} bp${cap})`,
    ];
  });
}
