// A policy document → Policy. The one door for what owners write: keeper, backtest, API and command
// line all call it. Refuses (InvalidInput with a JSON pointer and a remedy) whatever is malformed,
// unknown or contradictory; what comes out of it `decide` can take without throwing.

import { parseJsonText } from '../market/jsonText.ts';
import { type At, readOneOf, readString, refuse } from '../market/reader.ts';
import type { InvalidInput } from '../types/errors.ts';
import {
  DEFAULT_BREAKERS,
  DEFAULT_COOLDOWN_SECONDS,
  DEFAULT_COSTS,
  DEFAULT_LIMITS,
  DEFAULT_NAME,
} from './defaults.ts';
import type { PolicyDocument } from './document.ts';
import { AT_ONCE } from './execution/types.ts';
import type { BreakerPolicy } from './guards/breakers.ts';
import type { OraclePolicy } from './guards/oracle.ts';
import { readHedge, readLeverage } from './parseDerivatives.ts';
import { readExecution } from './parseExecution.ts';
import {
  durationText,
  numberOf,
  orNull,
  Problems,
  readDurationOrZero,
  readTime,
  Section,
  shown,
} from './parseFields.ts';
import { defaultOracles, readBreakers, readOracles } from './parseGuards.ts';
import { readCosts, readLimits } from './parseLimits.ts';
import { DEFAULT_OBJECTIVE, readObjective, readSchedule } from './parseObjective.ts';
import {
  defaultPrior,
  readChainLimits,
  readChains,
  readPrior,
  readRiskBudget,
  readTargets,
  readUniverse,
  readVolatilityTarget,
  type Targets,
} from './parseTargets.ts';
import type { Policy, Prior } from './types.ts';

export { checkUniverse, resolveUniverse } from './universe.ts';

/** Every field of a document; the type holds that none of PolicyDocument's is missing. */
const FIELDS: Readonly<Record<keyof PolicyDocument, true>> = {
  name: true,
  targets: true,
  universe: true,
  chains: true,
  chainLimits: true,
  riskBudget: true,
  volatilityTarget: true,
  prior: true,
  objective: true,
  schedule: true,
  combine: true,
  costs: true,
  limits: true,
  execution: true,
  hedge: true,
  leverage: true,
  oracles: true,
  breakers: true,
  cooldown: true,
  privacy: true,
  expires: true,
};

/** Throws the first of `policyProblems`. `pointer` is where the document stands in what was sent. */
export function parsePolicy(document: unknown, options: { pointer?: string } = {}): Policy {
  const problems = new Problems();
  const policy = read({ value: document, pointer: options.pointer ?? '' }, problems);
  const [first] = problems.found;
  if (first !== undefined) throw first;
  if (policy === null) refuse({ pointer: options.pointer ?? '' }, 'is no policy document');
  return policy;
}

/** The same from JSON text, in which a key given twice and deep nesting are refused too. */
export function parsePolicyText(text: string): Policy {
  return parsePolicy(parseJsonText(text));
}

/** Everything that is wrong with a document, in reading order; empty: parsePolicy takes it. */
export function policyProblems(
  document: unknown,
  options: { pointer?: string } = {},
): readonly InvalidInput[] {
  const problems = new Problems();
  read({ value: document, pointer: options.pointer ?? '' }, problems);
  return problems.found;
}

/** null: nothing could be read on without targets. */
function read(at: At, problems: Problems): Policy | null {
  const document = problems.take(() => new Section(at, Object.keys(FIELDS), problems), null);
  if (document === null) return null;
  const example = '{"BTC":"0.5","ETH":"0.3","CASH":"0.2"}';
  const targets = document.required('targets', readTargets, null, example);
  if (targets === null) {
    readWithoutTargets(document);
    return null;
  }
  const holding = readHolding(document, targets);
  const fixedTargets = holding.riskBudget === null && holding.volatilityTarget === null;
  const policy: Policy = {
    name: document.optional('name', readName, DEFAULT_NAME),
    ...holding,
    ...readTrading(document, targets, holding.prior, fixedTargets),
    ...readGuards(document, targets.assets),
    privacy: document.optional('privacy', readPrivacy, 'public'),
    expires: document.optional('expires', orNull(readTime, null), null),
  };
  if (problems.found.length === 0) refuseTogether(document, policy, problems);
  return policy;
}

const readPrivacy = (at: At) => readOneOf(at, ['public', 'commitment'] as const);

/** What needs no targets, so that its faults are told together with theirs. */
function readWithoutTargets(document: Section): void {
  const { problems } = document;
  document.optional('name', readName, DEFAULT_NAME);
  document.optional('chains', orNull(readChains, null), null);
  document.optional(
    'schedule',
    orNull((field) => readSchedule(field, problems), null),
    null,
  );
  document.optional('costs', (field) => readCosts(field, problems), DEFAULT_COSTS);
  document.optional('execution', (field) => readExecution(field, problems), AT_ONCE);
  document.optional(
    'leverage',
    orNull((field) => readLeverage(field, problems), null),
    null,
  );
  document.optional(
    'breakers',
    (field) => readBreakers(field, DEFAULT_BREAKERS, problems),
    DEFAULT_BREAKERS,
  );
  document.optional('cooldown', readDurationOrZero, DEFAULT_COOLDOWN_SECONDS);
  document.optional('privacy', readPrivacy, 'public');
  document.optional('expires', orNull(readTime, null), null);
}

type Holding = Pick<
  Policy,
  | 'assets'
  | 'universe'
  | 'chains'
  | 'targets'
  | 'riskBudget'
  | 'volatilityTarget'
  | 'chainLimits'
  | 'prior'
>;

/** What to hold, and where. */
function readHolding(document: Section, targets: Targets): Holding {
  const { problems } = document;
  const { assets } = targets;
  const prior = document.optional(
    'prior',
    (field) => readPrior(field, assets, problems),
    defaultPrior(assets),
  );
  const riskBudget = document.optional(
    'riskBudget',
    orNull((field) => readRiskBudget(field, assets, prior), null),
    null,
  );
  const volatilityTarget = document.optional(
    'volatilityTarget',
    orNull((field) => readVolatilityTarget(field, assets, prior, problems), null),
    null,
  );
  const fixedTargets = riskBudget === null && volatilityTarget === null;
  const chains = document.optional('chains', orNull(readChains, null), null);
  return {
    assets,
    universe: document.optional('universe', (field) => readUniverse(field, assets), assets),
    chains,
    targets: targets.exact.map(numberOf),
    riskBudget,
    volatilityTarget,
    chainLimits: document.optional(
      'chainLimits',
      (field) => readChainLimits(field, targets, chains, fixedTargets, problems),
      [],
    ),
    prior,
  };
}

type Trading = Pick<
  Policy,
  'objective' | 'schedule' | 'combine' | 'costs' | 'limits' | 'execution'
>;

/** When to trade, how far, and at what cost. */
function readTrading(
  document: Section,
  targets: Targets,
  prior: Prior,
  fixedTargets: boolean,
): Trading {
  const { problems } = document;
  return {
    objective: document.optional(
      'objective',
      (field) => readObjective(field, targets, fixedTargets, problems),
      DEFAULT_OBJECTIVE,
    ),
    schedule: document.optional(
      'schedule',
      orNull((field) => readSchedule(field, problems), null),
      null,
    ),
    combine: document.optional('combine', (field) => readOneOf(field, ['any', 'all']), 'any'),
    costs: document.optional('costs', (field) => readCosts(field, problems), DEFAULT_COSTS),
    limits: document.optional(
      'limits',
      (field) => readLimits(field, targets.assets, prior, problems),
      DEFAULT_LIMITS,
    ),
    execution: document.optional('execution', (field) => readExecution(field, problems), AT_ONCE),
  };
}

type Guards = Pick<Policy, 'hedge' | 'leverage' | 'oracles' | 'breakers' | 'cooldownSeconds'>;

/** Options and accounts, and what stops it all. */
function readGuards(document: Section, assets: readonly string[]): Guards {
  const { problems } = document;
  const hedge = document.optional(
    'hedge',
    orNull((field) => readHedge(field, assets, problems), null),
    null,
  );
  const leverage = document.optional(
    'leverage',
    orNull((field) => readLeverage(field, problems), null),
    null,
  );
  // A halted policy could not deleverage.
  const levered = leverage !== null;
  const breakers: BreakerPolicy = { ...DEFAULT_BREAKERS, ...(levered && { onTrip: REDUCE }) };
  const oracles: OraclePolicy = {
    ...defaultOracles(assets),
    ...(levered && { onFailure: REDUCE }),
  };
  return {
    hedge,
    leverage,
    oracles: document.optional(
      'oracles',
      (field) => readOracles(field, assets, oracles, problems),
      oracles,
    ),
    breakers: document.optional(
      'breakers',
      (field) => readBreakers(field, breakers, problems),
      breakers,
    ),
    cooldownSeconds: document.optional('cooldown', readDurationOrZero, DEFAULT_COOLDOWN_SECONDS),
  };
}

const REDUCE = 'reduceOnly';

const NAME = /^[^\p{C}]{1,64}$/u;

function readName(at: At): string {
  const name = readString(at);
  if (!NAME.test(name)) refuse(at, `must be 1 to 64 printable characters, got ${shown(name)}`);
  return name;
}

/** What only two good fields together make wrong. */
function refuseTogether(document: Section, policy: Policy, problems: Problems): void {
  const note = (key: string, message: string) =>
    problems.note(document.field(key).pointer, message);
  const clockOnly = policy.objective.kind === 'calendar';
  if (clockOnly && policy.schedule === null) {
    note('objective', 'calendar needs a clock; add "schedule": {"every":"7d"}');
  }
  if (policy.combine === 'all' && (policy.schedule === null || clockOnly)) {
    const missing = policy.schedule === null ? 'a schedule' : 'an objective with a threshold';
    note('combine', `all needs two triggers; add ${missing}, or write "any"`);
  }
  if (policy.assets.length === 1 && policy.leverage === null && policy.hedge === null) {
    note('targets', 'one asset leaves nothing to rebalance; add another, such as "CASH"');
  }
  refuseExecution(document, policy, problems);
  const budget = policy.riskBudget;
  const budgeted = budget?.reduce((sum, share, index) => {
    return share > 0 ? sum + (policy.targets[index] ?? 0) : sum;
  }, 0);
  if (budgeted === 0) {
    note('riskBudget', 'shares out risk of assets whose targets are all 0; give them weight');
  }
}

/** Waits without a measure of risk, and slices that could never keep their times. */
function refuseExecution(document: Section, policy: Policy, problems: Problems): void {
  const { gasTiming, slices } = policy.execution;
  const { pointer } = document.field('execution');
  const { kind } = policy.objective;
  if (gasTiming !== null && kind !== 'trackingError' && kind !== 'aversion') {
    const why = 'weighs gas against risk; give objective a trackingErrorBps or an aversion';
    problems.note(`${pointer}/gasTiming`, why);
  }
  if (slices === null) return;
  const between = Math.floor(slices.overSeconds / slices.count);
  if (between < policy.cooldownSeconds) {
    const texts = `${durationText(between)} between slices is less than the cooldown of ${durationText(policy.cooldownSeconds)}`;
    problems.note(`${pointer}/slices`, `${texts}; take fewer slices, or lower "cooldown"`);
  }
  const trigger = policy.schedule?.trigger;
  if (trigger?.kind === 'every' && trigger.seconds < slices.overSeconds) {
    const texts = `slices over ${durationText(slices.overSeconds)} outlast the schedule's ${durationText(trigger.seconds)}`;
    problems.note(`${pointer}/slices/over`, `${texts}; shorten them`);
  }
}
