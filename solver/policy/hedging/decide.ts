// Whether to hedge a book now, with what, and why or why not. First the options that bring gamma and vega
// into their bands, then the underlying to the edge of its own (nearer is paid for and saves less risk
// than it costs). It knows neither guards nor budgets: `decide` asks them before it asks here.

import { type UnixSeconds, unixSeconds } from '../../types/amounts.ts';
import type { Reason, Skipped } from '../types.ts';
import { checkHedgePolicy, checkHedgeState } from './check.ts';
import { type DeltaBand, deltaBand } from './deltaBand.ts';
import { type BookGreeks, bookGreeks, expired, type HedgeKernel, unitGreeks } from './greeks.ts';
import { allCollinear, type Candidate, neutralise, type Row } from './neutralise.ts';
import type { HedgePolicy, HedgeState, HedgeTrade, OptionPosition } from './types.ts';

export interface HedgeDecision {
  /** Instruments first, the underlying last; empty: leave the book as it is. */
  readonly trades: readonly HedgeTrade[];
  /** Where the underlying may stand once the instruments are traded. */
  readonly band: DeltaBand;
  /** The book as it stands and as the trades leave it, at unadjusted volatilities. */
  readonly before: BookGreeks;
  readonly after: BookGreeks;
  /** What the trades are expected to cost, numeraire. */
  readonly costUsd: number;
  readonly reasons: readonly Reason[];
  readonly skipped: readonly Skipped[];
  /** When time alone may change this answer; null: never. */
  readonly nextAt: UnixSeconds | null;
}

/** Trades below this share of what moves are rounding, not trades. */
const NOTHING = 1e-12;

/**
 * `price` is the underlying's, numeraire per unit. Throws InvalidInput on a policy, book or price that no
 * formula holds for. Pure: the same arguments give the same answer.
 */
export function hedgeDecision(
  policy: HedgePolicy,
  state: HedgeState,
  price: number,
  kernel: HedgeKernel,
  now: UnixSeconds,
): HedgeDecision {
  checkHedgePolicy(policy);
  checkHedgeState(state, price);
  const before = bookGreeks(state.options, state.underlying, price, kernel);
  const [reasons, skipped]: [Reason[], Skipped[]] = [[], expiries(state.options)];
  const bought = chooseInstruments(policy, state, price, kernel, before, reasons, skipped);
  const options = [...state.options, ...bought.positions];
  const band = deltaBand(policy, options, price, kernel);
  const waits = notDue(policy, state, now);
  const quantity = waits === null ? toBand(state.underlying, band) : 0;
  if (waits !== null) skipped.push(waiting(waits, policy.underlying));
  else reasons.push(deltaReason(policy, state.underlying, quantity, band, price));
  const trades: HedgeTrade[] = bought.positions.map(({ instrument, quantity }) => ({
    instrument,
    quantity,
  }));
  if (quantity !== 0) trades.push({ instrument: policy.underlying, quantity });
  const fixed = trades.length > 0 ? (policy.fixedUsd ?? 0) : 0;
  return {
    trades,
    band,
    before,
    after: bookGreeks(options, state.underlying + quantity, price, kernel),
    costUsd: bought.cost + policy.proportional * price * Math.abs(quantity) + fixed,
    reasons,
    skipped,
    nextAt: nextLook(policy, waits, now, quantity),
  };
}

interface Bought {
  readonly positions: readonly OptionPosition[];
  readonly cost: number;
}

/** The options to trade for gamma and vega, with why or why not. */
function chooseInstruments(
  policy: HedgePolicy,
  state: HedgeState,
  price: number,
  kernel: HedgeKernel,
  before: BookGreeks,
  reasons: Reason[],
  skipped: Skipped[],
): Bought {
  const row = (value: number, band: number | null): Row | null =>
    band === null ? null : { value, band };
  const gamma = row(before.gamma, policy.gammaBand);
  const vega = row(before.vega, policy.vegaBand);
  const nothing: Bought = { positions: [], cost: 0 };
  if (gamma === null && vega === null) return nothing;
  const named = state.tradable.filter(({ instrument, option }) => {
    if (!policy.instruments.includes(instrument)) return false;
    if (expired(option)) skipped.push(pastExpiry(instrument));
    return !expired(option);
  });
  const candidates = named.map(({ instrument, option }) =>
    candidateOf(instrument, option, price, kernel, policy.proportional),
  );
  const outside = { gamma: isOutside(gamma), vega: isOutside(vega) };
  const best = neutralise(candidates, gamma, vega);
  if (best === null) {
    skipped.push(cannot(candidates, outside));
    return nothing;
  }
  if (best.trades.length === 0) {
    reasons.push({ code: 'gammaVegaInside', message: 'gamma and vega are inside their bands' });
    return nothing;
  }
  for (const greek of ['gamma', 'vega'] as const) {
    const of = greek === 'gamma' ? gamma : vega;
    if (of === null || !outside[greek]) continue;
    reasons.push({
      code: `${greek}Outside`,
      message: `net ${greek} ${of.value} is outside ±${of.band}: traded to the edge at the least cost`,
      data: { value: of.value, band: of.band, costUsd: best.cost },
    });
  }
  const positions = best.trades.flatMap(({ index, quantity }) => {
    const instrument = named[index];
    return instrument === undefined ? [] : [{ ...instrument, quantity }];
  });
  return { positions, cost: best.cost };
}

/** A unit costs its premium's share and that of the underlying which its delta moves. */
function candidateOf(
  instrument: string,
  option: OptionPosition['option'],
  price: number,
  kernel: HedgeKernel,
  proportional: number,
): Candidate {
  const unit = unitGreeks(option, price, kernel);
  const cost = proportional * (Math.abs(unit.price) + price * Math.abs(unit.delta));
  return { instrument, gamma: unit.gamma, vega: unit.vega, cost };
}

const isOutside = (row: Row | null): boolean => row !== null && Math.abs(row.value) > row.band;

function cannot(
  candidates: readonly Candidate[],
  outside: { readonly gamma: boolean; readonly vega: boolean },
): Skipped {
  const what = [outside.gamma ? 'gamma' : '', outside.vega ? 'vega' : ''].filter(Boolean);
  if (candidates.length === 0) {
    return {
      code: 'noInstruments',
      message: `${what.join(' and ')} outside the band, and no instrument of the policy is tradable`,
    };
  }
  if (candidates.length > 1 && allCollinear(candidates)) {
    return {
      code: 'instrumentsCollinear',
      message: `the instruments' gamma and vega are proportional: they cannot bring both into their bands; name one of another expiry`,
    };
  }
  return {
    code: 'gammaVegaUnreachable',
    message: `no trade of ${candidates.map(({ instrument }) => instrument).join(', ')} brings gamma and vega into their bands; name two of different expiries or widen a band`,
  };
}

const pastExpiry = (instrument: string): Skipped => ({
  code: 'instrumentExpired',
  message: `${instrument} has expired and cannot be traded`,
  asset: instrument,
});

const expiries = (options: readonly OptionPosition[]): Skipped[] =>
  options
    .filter(({ option, quantity }) => expired(option) && quantity !== 0)
    .map(({ instrument }) => ({
      code: 'optionExpired',
      message: `${instrument} has expired: counted at its intrinsic delta until it is settled`,
      asset: instrument,
    }));

/** Signed units from where the underlying stands to the edge it should stand at; 0 inside. */
function toBand(held: number, { low, high, landLow, landHigh }: DeltaBand): number {
  const target = held < low ? landLow : held > high ? landHigh : held;
  const quantity = target - held;
  const scale = Math.max(Math.abs(held), Math.abs(target));
  return Math.abs(quantity) > NOTHING * scale ? quantity : 0;
}

function deltaReason(
  policy: HedgePolicy,
  held: number,
  quantity: number,
  { wanted, low, high }: DeltaBand,
  price: number,
): Reason {
  const costUsd = policy.proportional * price * Math.abs(quantity);
  const data = { model: policy.band.kind, held, wanted, low, high, quantity, costUsd };
  if (quantity === 0) {
    return {
      code: 'deltaInside',
      message: `${held} ${policy.underlying} held, inside ${low} … ${high}: no trade`,
      data,
    };
  }
  return {
    code: 'deltaOutside',
    message: `${held} ${policy.underlying} held, outside ${low} … ${high}: ${quantity > 0 ? 'buy' : 'sell'} ${Math.abs(quantity)} to the band's edge`,
    data,
  };
}

/** Time-based hedging between two slots: when the next one is; null: may trade. */
function notDue(policy: HedgePolicy, state: HedgeState, now: UnixSeconds): UnixSeconds | null {
  if (policy.band.kind !== 'leland') return null;
  const last = state.lastHedgedAt ?? null;
  if (last === null || now - last >= policy.band.everySeconds) return null;
  return unixSeconds(Math.ceil(last + policy.band.everySeconds));
}

const waiting = (until: UnixSeconds, asset: string): Skipped => ({
  code: 'hedgeNotDue',
  message: `hedged by the clock: next at ${until}`,
  data: { until },
  asset,
});

function nextLook(
  policy: HedgePolicy,
  waits: UnixSeconds | null,
  now: UnixSeconds,
  quantity: number,
): UnixSeconds | null {
  if (waits !== null) return waits;
  if (policy.band.kind === 'leland' && quantity !== 0) {
    return unixSeconds(Math.ceil(now + policy.band.everySeconds));
  }
  return policy.checkSeconds === undefined
    ? null
    : unixSeconds(Math.ceil(now + policy.checkSeconds));
}
