// Dollars inside quoting: bigints scaled by 10^18 (`Usd`). Worth of what we receive rounds down, of
// what we pay rounds up; every conversion names its direction. Refuses floats: none of these numbers
// passes through one.

import { type Fixed36, formatDecimal } from '../market/decimal.ts';
import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { Brand } from '../types/brand.ts';

/** Dollars × 10^18; may be negative only where its owner says so. */
export type Usd = Brand<bigint, 'Usd'>;

export const usd = (value: bigint): Usd => value as Usd;
export const ZERO_USD = usd(0n);

/** What prices one token: dollars per whole token × 10^36, and its decimals (at most 36). */
export interface Priced {
  readonly price: Fixed36;
  readonly decimals: number;
}

/** 10^(decimals + 18), for 0 … 36 decimals: asked for dozens of times per quote. */
const SCALES = Array.from({ length: 37 }, (_, decimals) => 10n ** BigInt(decimals + 18));
const scaleOf = (decimals: number): bigint =>
  present(SCALES[decimals], 'a scale of at most 36 decimals');

export const worthDown = (amount: bigint, { price, decimals }: Priced): Usd =>
  usd(mulDivDown(amount, price, scaleOf(decimals)));

export const worthUp = (amount: bigint, { price, decimals }: Priced): Usd =>
  usd(mulDivUp(amount, price, scaleOf(decimals)));

/** Base units worth at most `worth`. */
export const amountForDown = (worth: Usd, { price, decimals }: Priced): bigint =>
  mulDivDown(worth, scaleOf(decimals), price);

export const addUsd = (...parts: readonly Usd[]): Usd =>
  usd(parts.reduce<bigint>((sum, part) => sum + part, 0n));

/** ⌈value · share / 10^4⌉. */
export const bpsOfUp = (value: Usd, share: number): Usd =>
  usd(mulDivUp(value, BigInt(share), 10_000n));

/** "12.345678": rounded up to 6 decimals, for costs. */
export const formatUsdUp = (value: Usd): string =>
  formatDecimal(value <= 0n ? -(-value / MICRO) : mulDivUp(value, 1n, MICRO), 6);

/** Rounded up to the next micro-dollar, so that printed costs sum to the printed total. */
export const toMicroUp = (value: Usd): Usd => usd(mulDivUp(value, 1n, MICRO) * MICRO);

/** "12.345678": rounded towards zero, for worths. */
export const formatUsdDown = (value: Usd): string => formatDecimal(value / MICRO, 6);

const MICRO = 10n ** 12n;
