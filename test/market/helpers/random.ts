// Seeded randomness for property tests. The seed comes from TRIMTAB_SEED or the clock and is printed, so
// that a failure can be run again.

export interface Random {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Uniform integer in [min, max]. */
  int(min: number, max: number): number;
  /** Uniform bigint in [0, below). */
  big(below: bigint): bigint;
  /** 10^u with u uniform in [min, max], as a bigint of at least 1. */
  scale(min: number, max: number): bigint;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
}

export function seeded(name: string): Random {
  const seed = Number(process.env.TRIMTAB_SEED ?? Date.now() % 1_000_000_007);
  console.info(`${name}: TRIMTAB_SEED=${seed}`);
  return randomFrom(seed);
}

/** mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const word = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const unit = () => word() / 2 ** 32;
  const big = (below: bigint) => {
    let value = 0n;
    for (let bits = below.toString(2).length + 32; bits > 0; bits -= 32) {
      value = (value << 32n) | BigInt(word());
    }
    return value % below;
  };
  return {
    unit,
    int: (min, max) => min + Math.floor(unit() * (max - min + 1)),
    big,
    scale: (min, max) => {
      const exponent = min + unit() * (max - min);
      const whole = Math.floor(exponent);
      const lead = BigInt(Math.floor(10 ** (exponent - whole) * 1e6));
      const value = (lead * 10n ** BigInt(whole)) / 1_000_000n;
      return value > 0n ? value : 1n;
    },
    pick: (items) => {
      const item = items[Math.floor(unit() * items.length)];
      if (item === undefined) throw new Error('pick from nothing');
      return item;
    },
    chance: (probability) => unit() < probability,
  };
}
