// The policy as its owner writes it: JSON with decimal strings for weights, "12h" for durations and
// the names of assets for everything that is said of one. Owns the shape alone; parse.ts refuses
// what does not fit, defaults.ts says what an absent field means, docs/policy.md is the reference.

/** A decimal as text, such as "0.5": weights are never floats in a document. */
export type DecimalText = string;
/** A JSON number or its decimal text. */
export type NumberOrText = number | string;
/** A whole number and a unit: "30s", "30m", "12h", "7d", "2w". */
export type DurationText = string;
/** ISO 8601 with its zone ("2026-01-31T12:00:00Z"), a date (midnight UTC), or Unix seconds. */
export type TimeValue = string | number;
export type WeekdayName = 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat';

export type ObjectiveDocument =
  | { readonly trackingErrorBps: NumberOrText }
  | { readonly aversion: NumberOrText }
  | { readonly bands: BandsDocument }
  | { readonly calendar: true };

export interface BandsDocument {
  /** One width for all assets, or one for each. */
  readonly width: DecimalText | Readonly<Record<string, DecimalText>>;
  readonly measure?: 'absolute' | 'relative';
  readonly landing?: 'target' | 'half' | 'edge' | NumberOrText;
}

export interface ScheduleDocument {
  readonly every?: DurationText;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly blackouts?: readonly {
    readonly from: string;
    readonly until: string;
    readonly days?: readonly WeekdayName[];
  }[];
}

export interface ChainLimitDocument {
  readonly chain: number;
  readonly asset?: string;
  /** A target for this chain: floor and cap at once. */
  readonly target?: DecimalText;
  readonly floor?: DecimalText;
  readonly cap?: DecimalText;
}

/** null: no limit. */
export interface CostsDocument {
  readonly maxBps?: NumberOrText;
  readonly budgetBps30d?: NumberOrText | null;
  readonly maxSlippageBps?: NumberOrText;
  readonly maxGasUsd?: NumberOrText | null;
  readonly minTradeUsd?: NumberOrText;
  readonly expectedBps?: NumberOrText;
  readonly fixedUsd?: NumberOrText;
}

export interface LimitsDocument {
  /** null: no limit. */
  readonly turnover30d?: NumberOrText | null;
  readonly buyOnly?: readonly string[];
  readonly sellOnly?: readonly string[];
  readonly reduceOnly?: boolean;
}

export interface PriorDocument {
  readonly volatilities?: Readonly<Record<string, DecimalText>>;
  /** "BTC/ETH" → correlation. */
  readonly correlations?: Readonly<Record<string, DecimalText>>;
  /** Annual, in the order of `targets`, row by row; instead of the other two. */
  readonly covariance?: readonly (readonly NumberOrText[])[];
}

export type HedgeBandDocument =
  /** `model` left out: discrete. */
  | {
      readonly model?: 'discrete' | 'whalleyWilmott' | 'zakamouline' | 'twoBand';
      readonly aversion: NumberOrText;
    }
  | { readonly model: 'leland'; readonly every: DurationText }
  | { readonly model: 'fixed'; readonly width: NumberOrText };

export interface HedgeDocument {
  readonly underlying: string;
  readonly netDelta?: NumberOrText;
  readonly band: HedgeBandDocument;
  readonly gammaBand?: NumberOrText | null;
  readonly vegaBand?: NumberOrText | null;
  readonly instruments?: readonly string[];
  readonly costBps?: NumberOrText;
  readonly fixedUsd?: NumberOrText;
  readonly check?: DurationText;
}

export interface LeverageDocument {
  readonly target: NumberOrText;
  readonly min?: NumberOrText;
  readonly max?: NumberOrText;
  readonly recenteringSpeed?: NumberOrText;
  readonly interval?: DurationText;
  readonly emergency?: NumberOrText;
  readonly emergencyCooldown?: DurationText;
  readonly maxChunkUsd?: NumberOrText;
  readonly healthFloor?: NumberOrText;
  readonly account?: string;
  readonly worstMove?: NumberOrText;
  readonly cost?: {
    readonly proportionalBps?: NumberOrText;
    readonly impactBpsPerMillion?: NumberOrText;
    readonly flashFeeBps?: NumberOrText | null;
  };
  readonly chunkPause?: DurationText;
}

export interface OraclesDocument {
  readonly quorum?: number;
  readonly maxAge?: DurationText;
  readonly maxDeviationBps?: NumberOrText;
  /** null: not checked. */
  readonly maxTwapGapBps?: NumberOrText | null;
  readonly depegFloors?: Readonly<Record<string, DecimalText>>;
  readonly onFailure?: 'halt' | 'reduceOnly';
}

/** null: not done. */
export interface ExecutionDocument {
  readonly gasTiming?: { readonly maxWait: DurationText } | null;
  readonly slices?: {
    readonly over: DurationText;
    readonly count?: number;
    readonly urgency?: NumberOrText;
  } | null;
}

/** null: that breaker is off. */
export interface BreakersDocument {
  readonly drawdown?: { readonly window?: DurationText; readonly max?: DecimalText } | null;
  readonly maxMovePerHour?: DecimalText | null;
  readonly maxConsecutiveFailures?: number;
  readonly maxMessagingOutage?: DurationText | null;
  /** null: it waits until the owner resumes. */
  readonly resumeAfter?: DurationText | null;
  readonly onTrip?: 'halt' | 'reduceOnly';
}

export interface PolicyDocument {
  readonly name?: string;
  readonly targets: Readonly<Record<string, DecimalText>>;
  readonly universe?: Readonly<Record<string, string>>;
  /** null: all chains. */
  readonly chains?: readonly number[] | null;
  readonly chainLimits?: readonly ChainLimitDocument[];
  readonly riskBudget?: Readonly<Record<string, DecimalText>> | null;
  readonly volatilityTarget?: {
    readonly annual: DecimalText;
    readonly cap?: DecimalText;
    readonly cash?: string;
  } | null;
  readonly prior?: PriorDocument;
  readonly objective?: ObjectiveDocument;
  readonly schedule?: ScheduleDocument | null;
  readonly combine?: 'any' | 'all';
  readonly costs?: CostsDocument;
  readonly limits?: LimitsDocument;
  readonly execution?: ExecutionDocument;
  readonly hedge?: HedgeDocument | null;
  readonly leverage?: LeverageDocument | null;
  readonly oracles?: OraclesDocument;
  readonly breakers?: BreakersDocument;
  readonly cooldown?: DurationText;
  readonly privacy?: 'public' | 'commitment';
  readonly expires?: TimeValue | null;
}
