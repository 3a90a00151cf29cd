// The meter port and the one table of everything that is measured: name, kind, labels, help. Rooms
// and adapters count through the port; what exposes it is an adapter's business. Labels are a fixed
// set per metric with few values each: never an order, an owner or an address.

interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, in the metric's unit. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export const METRICS = {
  trimtab_http_request_seconds: {
    kind: 'histogram',
    help: 'Requests answered, by route pattern and status; streams until they end',
    labels: ['method', 'route', 'status'],
    buckets: SECONDS,
  },
  trimtab_quotes_total: {
    kind: 'counter',
    help: 'Quotes asked for: ok, the refusal code, invalid, or fault',
    labels: ['outcome'],
  },
  trimtab_quote_seconds: {
    kind: 'histogram',
    help: 'From request to quote or refusal',
    labels: [],
    buckets: SECONDS,
  },
  trimtab_solve_seconds: {
    kind: 'histogram',
    help: 'One problem: waiting for the core, the search, and the exact re-execution',
    labels: [],
    buckets: SECONDS,
  },
  trimtab_quote_gap_bps: {
    kind: 'histogram',
    help: 'How far below its proven bound a quoted plan may be, 1e-4 of worth',
    labels: [],
    buckets: [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 50, 200],
  },
  trimtab_submissions_total: {
    kind: 'counter',
    help: 'Orders submitted: created, known (the same again), the refusal code, invalid, or fault',
    labels: ['outcome'],
  },
  trimtab_order_transitions_total: {
    kind: 'counter',
    help: 'Changes of state that this process made, by the state entered',
    labels: ['to'],
  },
  trimtab_orders: {
    kind: 'gauge',
    help: 'Orders that are not over, by state, over all processes',
    labels: ['state'],
  },
  trimtab_transactions_total: {
    kind: 'counter',
    help: 'Transactions of orders: sent, final or reverted, by what they do',
    labels: ['chain', 'step', 'state'],
  },
  trimtab_fills_total: {
    kind: 'counter',
    help: 'Fill transactions that became final',
    labels: ['chain'],
  },
  trimtab_messages_total: {
    kind: 'counter',
    help: 'Proof messages: sent (final where filled), proven (all of an order stand on an origin)',
    labels: ['state'],
  },
  trimtab_auctions_total: {
    kind: 'counter',
    help: 'Auctions that this process opened, closed with a winner, or closed with no bid',
    labels: ['event'],
  },
  trimtab_bids_total: {
    kind: 'counter',
    help: 'Bids that arrived here: accepted, known (the same again), or the refusal code',
    labels: ['result'],
  },
  trimtab_jobs_total: {
    kind: 'counter',
    help: 'Job runs: done, again, failed, stopped, or leaseLost',
    labels: ['kind', 'outcome'],
  },
  trimtab_job_seconds: {
    kind: 'histogram',
    help: 'One run of a job',
    labels: ['kind'],
    buckets: SECONDS,
  },
  trimtab_jobs: {
    kind: 'gauge',
    help: 'Jobs in the queue, by kind: waiting for their time, due, or running',
    labels: ['kind', 'state'],
  },
  trimtab_jobs_oldest_due_seconds: {
    kind: 'gauge',
    help: 'How long the oldest due job has waited; 0 when none is due',
    labels: ['kind'],
  },
  trimtab_webhook_attempts_total: {
    kind: 'counter',
    help: 'Deliveries tried here: delivered, retried (comes again), givenUp (it was the last)',
    labels: ['outcome'],
  },
  trimtab_webhook_deliveries_waiting: {
    kind: 'gauge',
    help: 'Deliveries that are still to arrive, over all processes',
    labels: [],
  },
  trimtab_webhooks: {
    kind: 'gauge',
    help: 'Webhooks by state: active, or disabled after failures in a row, what waited dropped',
    labels: ['state'],
  },
  trimtab_rpc_seconds: {
    kind: 'histogram',
    help: 'Answers of chains, by call',
    labels: ['chain', 'call'],
    buckets: SECONDS,
  },
  trimtab_rpc_errors_total: {
    kind: 'counter',
    help: 'Calls that a chain failed to answer; reverts are answers',
    labels: ['chain', 'call'],
  },
  trimtab_chain_up: {
    kind: 'gauge',
    help: '1 while the chain answers this process',
    labels: ['chain'],
  },
  trimtab_chain_head: {
    kind: 'gauge',
    help: 'Number of the newest block',
    labels: ['chain'],
  },
  trimtab_chain_lag_seconds: {
    kind: 'gauge',
    help: 'Age of the newest block by this machine’s clock',
    labels: ['chain'],
  },
  trimtab_account_gas: {
    kind: 'gauge',
    help: 'Native coin of the accounts that send, whole coins',
    labels: ['chain', 'account'],
  },
  trimtab_streams: {
    kind: 'gauge',
    help: 'Event streams open on this process',
    labels: [],
  },
  trimtab_ws_solvers: {
    kind: 'gauge',
    help: 'Solvers connected to this process',
    labels: [],
  },
  trimtab_db_connections: {
    kind: 'gauge',
    help: 'The pool: connections in use, idle, and requests that wait for one',
    labels: ['state'],
  },
  trimtab_store_up: {
    kind: 'gauge',
    help: '1 while PostgreSQL answers this process',
    labels: [],
  },
  trimtab_faults_total: {
    kind: 'counter',
    help: 'Failures of background work and answers of 500 and more, by where',
    labels: ['where'],
  },
  trimtab_info: {
    kind: 'gauge',
    help: 'Always 1: the roles of this process and the hash of its core',
    labels: ['roles', 'core'],
  },
} as const satisfies Record<string, Metric>;

type Metrics = typeof METRICS;
export type MetricName = keyof Metrics;
type NameOf<K extends Metric['kind']> = {
  [N in MetricName]: Metrics[N]['kind'] extends K ? N : never;
}[MetricName];
export type CounterName = NameOf<'counter'>;
export type HistogramName = NameOf<'histogram'>;
export type GaugeName = NameOf<'gauge'>;
export type LabelsOf<N extends MetricName> = Readonly<Record<Metrics[N]['labels'][number], string>>;

/** One value of a gauge with its labels. */
export interface Sample<N extends GaugeName> {
  readonly labels: LabelsOf<N>;
  readonly value: number;
}

export interface Meter {
  /** Adds one, or `by` ≥ 0. */
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  observe<N extends HistogramName>(name: N, value: number, labels: LabelsOf<N>): void;
  /**
   * A gauge is asked when somebody looks, and then only: `read` must answer fast or from a cache. What
   * it throws leaves the gauge out. One reader per gauge; a later one takes its place.
   */
  gauge<N extends GaugeName>(name: N, read: GaugeReader<N>): void;
}
export type GaugeReader<N extends GaugeName> = () =>
  | readonly Sample<N>[]
  | Promise<readonly Sample<N>[]>;

/** Measures nothing. */
export const NO_METER: Meter = { count: () => {}, observe: () => {}, gauge: () => {} };
