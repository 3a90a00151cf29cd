// CoW Protocol's solver-engine request (POST /solve) as plain values. Reads what solving needs and
// leaves the rest alone: drivers add members, and an engine that refused them would stop at every
// release of theirs. What it does read it reads strictly: InvalidInput with the pointer. Shapes:
// CoW's solver engine API, August 2026.

import { InvalidInput } from '../types/errors.ts';

export interface CowToken {
  /** Lower case. */
  readonly address: string;
  /** Unknown to some drivers; then 18, which only scales how prices are written. */
  readonly decimals: number;
  /** Wei of the native token per 10^18 base units; null: the driver knows no price. */
  readonly referencePrice: bigint | null;
}

export interface CowOrder {
  readonly uid: string;
  readonly sellToken: string;
  readonly buyToken: string;
  /** What may still be sold, base units. */
  readonly sellAmount: bigint;
  /** Sell orders: the least bought for all of it. Buy orders: what is bought exactly. */
  readonly buyAmount: bigint;
  readonly kind: 'sell' | 'buy';
  readonly partiallyFillable: boolean;
  /** `limit`: the solver takes its costs as a fee in the sell token. `market`: no fee. */
  readonly class: 'market' | 'limit';
}

interface LiquidityBase {
  readonly id: string;
  /** Gas units. */
  readonly gasEstimate: bigint;
}
export interface CowConstantProduct extends LiquidityBase {
  readonly kind: 'constantProduct';
  readonly tokens: ReadonlyMap<string, { readonly balance: bigint }>;
  readonly fee: string;
}
export interface CowWeighted extends LiquidityBase {
  readonly kind: 'weightedProduct';
  readonly tokens: ReadonlyMap<
    string,
    { readonly balance: bigint; readonly scalingFactor: string | null; readonly weight: string }
  >;
  readonly fee: string;
  readonly version: 'v0' | 'v3Plus';
}
export interface CowStable extends LiquidityBase {
  readonly kind: 'stable';
  readonly tokens: ReadonlyMap<
    string,
    { readonly balance: bigint; readonly scalingFactor: string }
  >;
  readonly amplificationParameter: string;
  readonly fee: string;
}
export interface CowConcentrated extends LiquidityBase {
  readonly kind: 'concentratedLiquidity';
  readonly tokens: readonly [string, string];
  readonly sqrtPrice: string;
  readonly liquidity: string;
  readonly tick: number;
  readonly liquidityNet: readonly (readonly [number, bigint])[];
  readonly fee: string;
}
export interface CowLimitOrder extends LiquidityBase {
  readonly kind: 'limitOrder';
  readonly makerToken: string;
  readonly takerToken: string;
  readonly makerAmount: bigint;
  readonly takerAmount: bigint;
  readonly takerTokenFeeAmount: bigint;
}
export type CowLiquidity =
  | CowConstantProduct
  | CowWeighted
  | CowStable
  | CowConcentrated
  | CowLimitOrder;

export interface CowAuction {
  /** null: a quote, not an auction. */
  readonly id: string | null;
  readonly tokens: ReadonlyMap<string, CowToken>;
  readonly orders: readonly CowOrder[];
  readonly liquidity: readonly CowLiquidity[];
  /** Kinds that were not read, with how many there were. */
  readonly unknownLiquidity: number;
  /** Wei per gas. */
  readonly gasPrice: bigint;
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
}

export const ORDERS_MAX = 20_000;
export const LIQUIDITY_MAX = 50_000;
const TOKENS_MAX = 20_000;

/** Throws InvalidInput with the JSON pointer of what cannot be read. */
export function readAuction(json: unknown): CowAuction {
  const root = new Value(json, '');
  const tokens = root.member('tokens').entries(TOKENS_MAX).map(readToken);
  const liquidity = root.member('liquidity').items(LIQUIDITY_MAX);
  const read = liquidity.map(readLiquidity).filter((found) => found !== null);
  const id = root.member('id');
  return {
    id: id.isAbsent ? null : id.text(),
    tokens: new Map(tokens.map((token) => [token.address, token])),
    orders: root.member('orders').items(ORDERS_MAX).map(readOrder),
    liquidity: read,
    unknownLiquidity: liquidity.length - read.length,
    gasPrice: root.member('effectiveGasPrice').amount(),
    deadlineMs: readTime(root.member('deadline')),
  };
}

/** One JSON value and where it stands. */
class Value {
  readonly value: unknown;
  readonly pointer: string;
  constructor(value: unknown, pointer: string) {
    this.value = value;
    this.pointer = pointer;
  }
  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }
  refuse(expected: string): never {
    const got = JSON.stringify(this.value)?.slice(0, 60) ?? 'nothing';
    throw new InvalidInput(`must be ${expected}, got ${got}`, { pointer: this.pointer });
  }
  member(key: string): Value {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      this.refuse('an object');
    }
    const value = Object.hasOwn(this.value, key)
      ? (this.value as Record<string, unknown>)[key]
      : undefined;
    return new Value(value, `${this.pointer}/${key}`);
  }
  items(max: number): readonly Value[] {
    if (!Array.isArray(this.value)) this.refuse('an array');
    if (this.value.length > max) this.refuse(`an array of at most ${max}`);
    return this.value.map((item, i) => new Value(item, `${this.pointer}/${i}`));
  }
  entries(max: number): readonly (readonly [string, Value])[] {
    if (typeof this.value !== 'object' || this.value === null) this.refuse('an object');
    const entries = Object.entries(this.value);
    if (entries.length > max) this.refuse(`an object of at most ${max} members`);
    return entries.map(([key, value]) => [key, new Value(value, `${this.pointer}/${key}`)]);
  }
  /** A string, or an integer written as a number: drivers differ in ids. */
  text(): string {
    if (typeof this.value === 'string' && this.value.length <= 256) return this.value;
    if (Number.isSafeInteger(this.value)) return String(this.value);
    return this.refuse('a string of at most 256 characters');
  }
  amount(): bigint {
    const text = this.value;
    if (typeof text === 'string' && /^(0|[1-9][0-9]{0,77})$/.test(text)) return BigInt(text);
    if (Number.isSafeInteger(text) && Number(text) >= 0) return BigInt(Number(text));
    return this.refuse('a decimal string of an unsigned integer');
  }
  signed(): bigint {
    const text = this.value;
    if (typeof text === 'string' && /^-?(0|[1-9][0-9]{0,77})$/.test(text)) return BigInt(text);
    return this.refuse('a decimal string of an integer');
  }
  decimal(): string {
    const text = typeof this.value === 'number' ? String(this.value) : this.value;
    if (typeof text === 'string' && /^(0|[1-9][0-9]{0,29})(\.[0-9]{1,36})?$/.test(text))
      return text;
    return this.refuse('a decimal such as "0.003"');
  }
  integer(min: number, max: number): number {
    const { value } = this;
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) {
      return Number(value);
    }
    return this.refuse(`an integer from ${min} to ${max}`);
  }
  address(): string {
    if (typeof this.value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(this.value)) {
      return this.value.toLowerCase();
    }
    return this.refuse('a 20-byte address');
  }
  oneOf<Word extends string>(words: readonly Word[]): Word {
    const found = words.find((word) => word === this.value);
    return found ?? this.refuse(`one of ${words.join(', ')}`);
  }
}

function readToken([key, at]: readonly [string, Value]): CowToken {
  const decimals = at.member('decimals');
  const price = at.member('referencePrice');
  return {
    address: new Value(key, at.pointer).address(),
    decimals: decimals.isAbsent ? 18 : decimals.integer(0, 36),
    referencePrice: price.isAbsent || price.amount() === 0n ? null : price.amount(),
  };
}

function readOrder(at: Value): CowOrder {
  const partial = at.member('partiallyFillable');
  if (typeof partial.value !== 'boolean') partial.refuse('true or false');
  const order = {
    uid: at.member('uid').text(),
    sellToken: at.member('sellToken').address(),
    buyToken: at.member('buyToken').address(),
    sellAmount: at.member('sellAmount').amount(),
    buyAmount: at.member('buyAmount').amount(),
    kind: at.member('kind').oneOf(['sell', 'buy'] as const),
    partiallyFillable: partial.value === true,
    class: at.member('class').oneOf(['market', 'limit'] as const),
  };
  if (order.sellAmount === 0n) at.member('sellAmount').refuse('more than 0');
  return order;
}

/** Null for a kind this engine does not know: liquidity it leaves unused. */
function readLiquidity(at: Value): CowLiquidity | null {
  const kind = at.member('kind').text();
  const base = { id: at.member('id').text(), gasEstimate: at.member('gasEstimate').amount() };
  switch (kind) {
    case 'constantProduct': {
      const tokens = tokensOf(at, (token) => ({ balance: token.member('balance').amount() }));
      return { ...base, kind, tokens, fee: at.member('fee').decimal() };
    }
    case 'weightedProduct': {
      const tokens = tokensOf(at, (token) => {
        const scalingFactor = token.member('scalingFactor');
        return {
          balance: token.member('balance').amount(),
          scalingFactor: scalingFactor.isAbsent ? null : scalingFactor.decimal(),
          weight: token.member('weight').decimal(),
        };
      });
      const version = at.member('version');
      return {
        ...base,
        kind,
        tokens,
        fee: at.member('fee').decimal(),
        version: version.isAbsent ? 'v0' : version.oneOf(['v0', 'v3Plus'] as const),
      };
    }
    case 'stable': {
      const tokens = tokensOf(at, (token) => ({
        balance: token.member('balance').amount(),
        scalingFactor: token.member('scalingFactor').decimal(),
      }));
      const amplificationParameter = at.member('amplificationParameter').decimal();
      return { ...base, kind, tokens, amplificationParameter, fee: at.member('fee').decimal() };
    }
    case 'concentratedLiquidity':
      return { ...base, kind, ...readConcentrated(at) };
    case 'limitOrder':
      return {
        ...base,
        kind,
        makerToken: at.member('makerToken').address(),
        takerToken: at.member('takerToken').address(),
        makerAmount: at.member('makerAmount').amount(),
        takerAmount: at.member('takerAmount').amount(),
        takerTokenFeeAmount: at.member('takerTokenFeeAmount').amount(),
      };
    default:
      return null;
  }
}

function readConcentrated(at: Value) {
  const tokens = at.member('tokens').items(2);
  const [first, second] = tokens;
  if (first === undefined || second === undefined) return at.member('tokens').refuse('two tokens');
  const net = at.member('liquidityNet').entries(20_000);
  return {
    tokens: [first.address(), second.address()] as const,
    sqrtPrice: at.member('sqrtPrice').amount().toString(),
    liquidity: at.member('liquidity').amount().toString(),
    tick: at.member('tick').integer(-887_272, 887_272),
    liquidityNet: net.map(([tick, value]) => {
      const number = new Value(Number(tick), value.pointer).integer(-887_272, 887_272);
      return [number, value.signed()] as const;
    }),
    fee: at.member('fee').decimal(),
  };
}

function tokensOf<T>(at: Value, read: (token: Value) => T): ReadonlyMap<string, T> {
  const entries = at.member('tokens').entries(8);
  return new Map(
    entries.map(([key, value]) => [new Value(key, value.pointer).address(), read(value)]),
  );
}

function readTime(at: Value): number {
  const ms = typeof at.value === 'string' ? Date.parse(at.value) : Number.NaN;
  return Number.isNaN(ms) ? at.refuse('an ISO 8601 time') : ms;
}
