// When a policy may and must look at the clock: an interval or a cron line in a time zone, less the
// blackout windows.

export interface Blackout {
  /** Minutes after local midnight; `until` ≤ `from` runs over midnight. */
  readonly fromMinute: number;
  readonly untilMinute: number;
  /** 0 = Sunday; null: every day. */
  readonly days: readonly number[] | null;
}

export interface Schedule {
  readonly trigger:
    | { readonly kind: 'every'; readonly seconds: number }
    | { readonly kind: 'cron'; readonly line: string };
  /** IANA name. */
  readonly timeZone: string;
  readonly blackouts: readonly Blackout[];
}
