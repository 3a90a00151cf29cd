// Refuses hedging policies and books no formula holds for, at the door: the field and how to mend it.

import { InvalidInput } from '../../types/errors.ts';
import { INSTRUMENTS_MAX } from './neutralise.ts';
import type { HedgePolicy, HedgeState, OptionPosition } from './types.ts';

const finite = Number.isFinite;

function demand(holds: boolean, pointer: string, message: string): asserts holds {
  if (!holds) throw new InvalidInput(message, { pointer });
}

/** Throws InvalidInput; `pointer` is where the hedging policy stands in its document. */
export function checkHedgePolicy(policy: HedgePolicy, pointer = '/hedge'): void {
  const { band, proportional, fixedUsd = 0, checkSeconds = 1 } = policy;
  demand(finite(policy.netDelta), `${pointer}/netDelta`, 'netDelta must be a finite number');
  demand(
    proportional >= 0 && proportional < 1,
    `${pointer}/proportional`,
    `proportional is the one-way cost as a fraction, 0 … below 1; got ${proportional}`,
  );
  demand(
    finite(fixedUsd) && fixedUsd >= 0,
    `${pointer}/fixedUsd`,
    `fixedUsd is what one hedge costs, 0 or more; got ${fixedUsd}`,
  );
  demand(
    finite(checkSeconds) && checkSeconds > 0,
    `${pointer}/checkSeconds`,
    `checkSeconds must be above 0, got ${checkSeconds}`,
  );
  for (const key of ['gammaBand', 'vegaBand'] as const) {
    const value = policy[key];
    demand(
      value === null || (finite(value) && value >= 0),
      `${pointer}/${key}`,
      `${key} is what is tolerated either way, 0 or more, or null; got ${value}`,
    );
  }
  const [key, value] =
    band.kind === 'fixed'
      ? ['width', band.width]
      : band.kind === 'leland'
        ? ['everySeconds', band.everySeconds]
        : ['aversion', band.aversion];
  demand(
    finite(value) && value > 0,
    `${pointer}/band/${key}`,
    `${key} must be above 0, got ${value}`,
  );
}

/** Throws InvalidInput. Expired options pass: they are worth their intrinsic value. */
export function checkHedgeState(state: HedgeState, price: number): void {
  demand(finite(price) && price > 0, '/price', `price must be above 0, got ${price}`);
  demand(finite(state.underlying), '/hedge/underlying', 'underlying must be a finite number');
  demand(
    state.tradable.length <= INSTRUMENTS_MAX,
    '/hedge/tradable',
    `at most ${INSTRUMENTS_MAX} instruments may be traded, got ${state.tradable.length}`,
  );
  state.options.forEach((position, k) => {
    const pointer = `/hedge/options/${k}`;
    const { quantity } = position;
    demand(finite(quantity), `${pointer}/quantity`, `quantity must be finite, got ${quantity}`);
    checkOption(position, pointer);
  });
  state.tradable.forEach((instrument, k) => {
    checkOption(instrument, `/hedge/tradable/${k}`);
  });
}

function checkOption({ option }: Pick<OptionPosition, 'option'>, pointer: string): void {
  const { kind, strike, years, rate, carry, volatility } = option;
  const at = (field: string): string => `${pointer}/option/${field}`;
  demand(kind === 'call' || kind === 'put', at('kind'), `kind must be call or put, got ${kind}`);
  demand(finite(strike) && strike > 0, at('strike'), `strike must be above 0, got ${strike}`);
  demand(finite(years), at('years'), `years to expiry must be a finite number, got ${years}`);
  demand(finite(rate), at('rate'), `rate must be a finite number, got ${rate}`);
  demand(finite(carry), at('carry'), `carry must be a finite number, got ${carry}`);
  demand(
    finite(volatility) && volatility > 0,
    at('volatility'),
    `volatility must be above 0 (0.7 is 70 % a year), got ${volatility}`,
  );
}
