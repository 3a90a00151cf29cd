// Documents that must be refused: what is wrong, where, and a word of the remedy.

const plain = { targets: { BTC: '0.5', ETH: '0.3', CASH: '0.2' } };
const withPlain = (rest: object): unknown => ({ ...plain, ...rest });
const two = { BTC: '0.5', CASH: '0.5' };

export interface BadDocument {
  readonly what: string;
  readonly document: unknown;
  readonly pointer: string;
  /** Of the message: the remedy, or what leads to it. */
  readonly remedy: RegExp;
}

const bad = (what: string, document: unknown, pointer: string, remedy: RegExp): BadDocument => ({
  what,
  document,
  pointer,
  remedy,
});

const chain = (rest: object): unknown => withPlain({ chains: [1, 10], chainLimits: [rest] });

export const BAD_DOCUMENTS: readonly BadDocument[] = [
  bad('no object', 'BTC', '', /must be an object/),
  bad('an array', [plain], '', /must be an object/),
  bad('an instance of a class', new Date(0), '', /plain object/),
  bad('no targets', {}, '/targets', /missing field "targets"; write it/),
  bad('no assets', { targets: {} }, '/targets', /write \{"BTC"/),
  bad('a misspelt field', withPlain({ shedule: {} }), '/shedule', /did you mean "schedule"/),
  bad('__proto__', JSON.parse('{"targets":{"BTC":"1"},"__proto__":{}}'), '/__proto__', /unknown/),
  bad(
    'an asset __proto__',
    { targets: JSON.parse('{"__proto__":"1"}') },
    '/targets/__proto__',
    /1 to 32/,
  ),
  bad(
    'an asset constructor',
    { targets: { constructor: '1' } },
    '/targets/constructor',
    /no asset/,
  ),
  bad(
    'an asset of 33 letters',
    { targets: { ['A'.repeat(33)]: '1' } },
    `/targets/${'A'.repeat(33)}`,
    /1 to 32/,
  ),
  bad(
    'names that differ in case',
    { targets: { BTC: '0.5', btc: '0.5' } },
    '/targets/btc',
    /keep one/,
  ),
  bad(
    '65 assets',
    { targets: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`A${i}`, '0'])) },
    '/targets',
    /at most 64/,
  ),
  bad('a float weight', { targets: { BTC: 0.5, CASH: '0.5' } }, '/targets/BTC', /put it in quotes/),
  bad(
    'a weight with an exponent',
    { targets: { BTC: '5e-1', CASH: '0.5' } },
    '/targets/BTC',
    /such as "12.5"/,
  ),
  bad(
    'a weight in percent',
    { targets: { BTC: '50', CASH: '50' } },
    '/targets/BTC',
    /50 % is "0.5"/,
  ),
  bad('a negative weight', { targets: { BTC: '-0.5', CASH: '1' } }, '/targets/BTC', /without sign/),
  bad('a sum below 1', { targets: { BTC: '0.5', CASH: '0.4' } }, '/targets', /add 0\.1$/),
  bad(
    'a sum above 1 by 1e-20',
    { targets: { BTC: '0.5', CASH: '0.50000000000000000001' } },
    '/targets',
    /take off 0\.00000000000000000001$/,
  ),
  bad('a single asset', { targets: { BTC: '1' } }, '/targets', /add another/),
  bad('a name that is too long', withPlain({ name: 'x'.repeat(65) }), '/name', /1 to 64/),
  bad('a control character', withPlain({ name: 'a\u0007' }), '/name', /printable/),
  bad(
    'an asset of the universe without target',
    withPlain({ universe: { BTCC: 'btc' } }),
    '/universe/BTCC',
    /did you mean "BTC"/,
  ),
  bad(
    'one network asset twice',
    withPlain({ universe: { BTC: 'x', ETH: 'x' } }),
    '/universe',
    /as one asset/,
  ),
  bad('no chains', withPlain({ chains: [] }), '/chains', /null for all/),
  bad('a chain twice', withPlain({ chains: [1, 1] }), '/chains', /keep one/),
  bad('a chain by name', withPlain({ chains: ['base'] }), '/chains/0', /such as 8453/),
  bad(
    'a limit on another chain',
    chain({ chain: 5, floor: '0.1' }),
    '/chainLimits/0/chain',
    /add it/,
  ),
  bad(
    'floor above cap',
    chain({ chain: 1, floor: '0.4', cap: '0.3' }),
    '/chainLimits/0/floor',
    /lower the floor/,
  ),
  bad('a limit of nothing', chain({ chain: 1 }), '/chainLimits/0', /write a floor/),
  bad(
    'a target beside a cap',
    chain({ chain: 1, target: '0.1', cap: '0.3' }),
    '/chainLimits/0',
    /leave the others out/,
  ),
  bad(
    'floors above 1',
    withPlain({
      chainLimits: [
        { chain: 1, floor: '0.6' },
        { chain: 10, floor: '0.5' },
      ],
    }),
    '/chainLimits',
    /sum to 1\.1, above 1/,
  ),
  bad(
    'floors above the target',
    withPlain({
      chainLimits: [
        { chain: 1, asset: 'ETH', floor: '0.2' },
        { chain: 10, asset: 'ETH', floor: '0.2' },
      ],
    }),
    '/chainLimits',
    /raise its target/,
  ),
  bad(
    'caps below 1',
    withPlain({
      chains: [1, 10],
      chainLimits: [
        { chain: 1, cap: '0.4' },
        { chain: 10, cap: '0.5' },
      ],
    }),
    '/chainLimits',
    /raise one or add a chain/,
  ),
  bad(
    "assets' floors above the chain's cap",
    withPlain({
      chainLimits: [
        { chain: 1, cap: '0.3' },
        { chain: 1, asset: 'BTC', floor: '0.4' },
      ],
    }),
    '/chainLimits/0',
    /lower them or raise it/,
  ),
  bad(
    'the same limit twice',
    withPlain({
      chainLimits: [
        { chain: 1, cap: '0.3' },
        { chain: 1, floor: '0.1' },
      ],
    }),
    '/chainLimits/1',
    /keep one/,
  ),
  bad(
    'a risk budget for cash',
    withPlain({ riskBudget: { BTC: '0.5', CASH: '0.5' } }),
    '/riskBudget/CASH',
    /leave it out/,
  ),
  bad(
    'a risk budget below 1',
    withPlain({ riskBudget: { BTC: '0.5', ETH: '0.4' } }),
    '/riskBudget',
    /add 0\.1/,
  ),
  bad(
    'a risk budget without weight',
    { targets: { BTC: '0', CASH: '1' }, riskBudget: { BTC: '1' } },
    '/riskBudget',
    /give them weight/,
  ),
  bad(
    'a volatility target without cash',
    { targets: { BTC: '0.5', ETH: '0.5' }, volatilityTarget: { annual: '0.2' } },
    '/volatilityTarget/cash',
    /add CASH/,
  ),
  bad(
    'a volatility target with risky cash',
    withPlain({ volatilityTarget: { annual: '0.2', cash: 'ETH' } }),
    '/volatilityTarget/cash',
    /take one of CASH/,
  ),
  bad(
    'a volatility target without volatility',
    withPlain({ volatilityTarget: {} }),
    '/volatilityTarget/annual',
    /write it/,
  ),
  bad(
    'a covariance that is not semidefinite',
    {
      targets: two,
      prior: {
        covariance: [
          [0.04, 0.05],
          [0.05, 0.04],
        ],
      },
    },
    '/prior/covariance',
    /not positive semidefinite/,
  ),
  bad(
    'a covariance that is not symmetric',
    {
      targets: two,
      prior: {
        covariance: [
          [0.04, 0.01],
          [0.02, 0.04],
        ],
      },
    },
    '/prior/covariance',
    /make it symmetric/,
  ),
  bad(
    'a covariance of another size',
    { targets: two, prior: { covariance: [[0.04]] } },
    '/prior/covariance',
    /2 rows of 2 numbers/,
  ),
  bad(
    'correlations no returns have',
    withPlain({
      prior: {
        volatilities: { CASH: '0.1' },
        correlations: { 'BTC/ETH': '0.9', 'BTC/CASH': '0.9', 'ETH/CASH': '-0.9' },
      },
    }),
    '/prior/correlations',
    /lower its correlations/,
  ),
  bad(
    'a correlation both ways',
    withPlain({ prior: { correlations: { 'BTC/ETH': '0.9', 'ETH/BTC': '0.9' } } }),
    '/prior/correlations/ETH~1BTC',
    /keep one/,
  ),
  bad(
    'two objectives',
    withPlain({ objective: { trackingErrorBps: 200, aversion: 4 } }),
    '/objective',
    /got trackingErrorBps and aversion/,
  ),
  bad('no objective', withPlain({ objective: {} }), '/objective', /must hold one of/),
  bad(
    'a budget of nothing',
    withPlain({ objective: { trackingErrorBps: 0 } }),
    '/objective/trackingErrorBps',
    /such as 200/,
  ),
  bad(
    'a budget that is no number',
    withPlain({ objective: { trackingErrorBps: Number.NaN } }),
    '/objective/trackingErrorBps',
    /got NaN/,
  ),
  bad(
    'a band wider than its weight',
    withPlain({ objective: { bands: { width: '0.25' } } }),
    '/objective/bands/width',
    /narrow it/,
  ),
  bad(
    'a band of 0',
    withPlain({ objective: { bands: { width: '0' } } }),
    '/objective/bands/width',
    /trades at every look/,
  ),
  bad(
    'a relative band around 0',
    {
      targets: { BTC: '0', CASH: '1' },
      objective: { bands: { width: '0.1', measure: 'relative' } },
    },
    '/objective/bands/width',
    /use an absolute one/,
  ),
  bad(
    'a band for one asset alone',
    withPlain({ objective: { bands: { width: { BTC: '0.1' } } } }),
    '/objective/bands/width',
    /no width for ETH; add it/,
  ),
  bad(
    'a landing nobody knows',
    withPlain({ objective: { bands: { width: '0.1', landing: 'middle' } } }),
    '/objective/bands/landing',
    /target, half, edge/,
  ),
  bad(
    'a clock without schedule',
    withPlain({ objective: { calendar: true } }),
    '/objective',
    /add "schedule"/,
  ),
  bad('all without two triggers', withPlain({ combine: 'all' }), '/combine', /add a schedule/),
  bad(
    'all with the clock alone',
    withPlain({ combine: 'all', objective: { calendar: true }, schedule: { every: '7d' } }),
    '/combine',
    /objective with a threshold/,
  ),
  bad(
    'every and cron',
    withPlain({ schedule: { every: '7d', cron: '@daily' } }),
    '/schedule',
    /keep one/,
  ),
  bad('neither', withPlain({ schedule: {} }), '/schedule', /got neither/),
  bad(
    'a duration in seconds',
    withPlain({ schedule: { every: 3600 } }),
    '/schedule/every',
    /"30m", "12h" or "7d"/,
  ),
  bad(
    'a duration too short',
    withPlain({ schedule: { every: '5s' } }),
    '/schedule/every',
    /from 1m/,
  ),
  bad(
    'a cron line of six fields',
    withPlain({ schedule: { cron: '0 0 9 * * 1' } }),
    '/schedule/cron',
    /seconds are not known/,
  ),
  bad(
    '30 February',
    withPlain({ schedule: { cron: '0 0 30 2 *' } }),
    '/schedule/cron',
    /never comes/,
  ),
  bad(
    'a zone nobody keeps',
    withPlain({ schedule: { every: '7d', timeZone: 'Mars/Olympus' } }),
    '/schedule/timeZone',
    /IANA/,
  ),
  bad(
    'blackouts all week',
    withPlain({ schedule: { every: '7d', blackouts: [{ from: '00:00', until: '24:00' }] } }),
    '/schedule/blackouts',
    /open some/,
  ),
  bad(
    'an empty blackout',
    withPlain({ schedule: { every: '7d', blackouts: [{ from: '09:00', until: '09:00' }] } }),
    '/schedule/blackouts/0',
    /"24:00"/,
  ),
  bad(
    'a blackout at 25:00',
    withPlain({ schedule: { every: '7d', blackouts: [{ from: '25:00', until: '09:00' }] } }),
    '/schedule/blackouts/0/from',
    /such as "22:30"/,
  ),
  bad('a huge cost', withPlain({ costs: { maxBps: 1e300 } }), '/costs/maxBps', /such as 50/),
  bad(
    'trades for nothing',
    withPlain({ costs: { expectedBps: 0, fixedUsd: 0 } }),
    '/costs/expectedBps',
    /give expectedBps or fixedUsd a value/,
  ),
  bad(
    'a fixed cost above the gas limit',
    withPlain({ costs: { fixedUsd: 60 } }),
    '/costs/fixedUsd',
    /raise maxGasUsd/,
  ),
  bad(
    'buy-only and sell-only',
    withPlain({ limits: { buyOnly: ['ETH'], sellOnly: ['ETH'] } }),
    '/limits/sellOnly',
    /take it off one list/,
  ),
  bad(
    'everything buy-only',
    withPlain({ limits: { buyOnly: ['BTC', 'ETH', 'CASH'] } }),
    '/limits/buyOnly',
    /take one off/,
  ),
  bad(
    'an unknown asset',
    withPlain({ limits: { sellOnly: ['ETX'] } }),
    '/limits/sellOnly/0',
    /did you mean "ETH"/,
  ),
  bad(
    'reduce-only without cash',
    { targets: { BTC: '0.5', ETH: '0.5' }, limits: { reduceOnly: true } },
    '/limits/reduceOnly',
    /add CASH/,
  ),
  bad(
    'gamma without instruments',
    withPlain({ hedge: { underlying: 'ETH', gammaBand: 1, band: { model: 'fixed', width: 1 } } }),
    '/hedge/gammaBand',
    /name them in "instruments"/,
  ),
  bad(
    'a band model without its number',
    withPlain({ hedge: { underlying: 'ETH', band: { model: 'zakamouline' } } }),
    '/hedge/band/aversion',
    /write it/,
  ),
  bad(
    'another model’s number',
    withPlain({ hedge: { underlying: 'ETH', band: { model: 'leland', every: '1d', width: 1 } } }),
    '/hedge/band/width',
    /leave it out/,
  ),
  bad(
    'leverage min above target',
    withPlain({ leverage: { target: 2, min: 2.1, max: 2.5, emergency: 3 } }),
    '/leverage/target',
    /min ≤ target ≤ max/,
  ),
  bad(
    'leverage target above max',
    withPlain({ leverage: { target: 2, max: 1.9 } }),
    '/leverage/max',
    /min ≤ target ≤ max/,
  ),
  bad(
    'emergency at max',
    withPlain({ leverage: { target: 2, max: 2.5, emergency: 2.5 } }),
    '/leverage/emergency',
    /max < emergency/,
  ),
  bad(
    'leverage that cannot survive',
    withPlain({ leverage: { target: 4 } }),
    '/leverage/target',
    /lower one of them/,
  ),
  bad(
    'a wait for gas without end',
    withPlain({ execution: { gasTiming: {} } }),
    '/execution/gasTiming/maxWait',
    /write it, such as "6h"/,
  ),
  bad(
    'a wait for gas of minutes',
    withPlain({ execution: { gasTiming: { maxWait: '5m' } } }),
    '/execution/gasTiming/maxWait',
    /from 1h to 7d/,
  ),
  bad(
    'a wait for gas without a measure of risk',
    withPlain({
      objective: { bands: { width: '0.05' } },
      execution: { gasTiming: { maxWait: '6h' } },
    }),
    '/execution/gasTiming',
    /trackingErrorBps or an aversion/,
  ),
  bad(
    'one slice',
    withPlain({ execution: { slices: { over: '6h', count: 1 } } }),
    '/execution/slices/count',
    /from 2 to 96/,
  ),
  bad(
    'negative urgency',
    withPlain({ execution: { slices: { over: '6h', urgency: '-1' } } }),
    '/execution/slices/urgency',
    /0 for equal slices/,
  ),
  bad(
    'slices within the cooldown',
    withPlain({ execution: { slices: { over: '6h', count: 12 } } }),
    '/execution/slices',
    /fewer slices, or lower "cooldown"/,
  ),
  bad(
    'slices that outlast the clock',
    withPlain({ schedule: { every: '1d' }, execution: { slices: { over: '2d' } } }),
    '/execution/slices/over',
    /shorten them/,
  ),
  bad('a quorum of none', withPlain({ oracles: { quorum: 0 } }), '/oracles/quorum', /such as 2/),
  bad('half a source', withPlain({ oracles: { quorum: 1.5 } }), '/oracles/quorum', /whole number/),
  bad(
    'an unknown answer to failure',
    withPlain({ breakers: { onTrip: 'sell' } }),
    '/breakers/onTrip',
    /halt, reduceOnly/,
  ),
  bad(
    'a drawdown above all',
    withPlain({ breakers: { drawdown: { max: '1.5' } } }),
    '/breakers/drawdown/max',
    /such as "0.25"/,
  ),
  bad('milliseconds', withPlain({ expires: 1_893_456_000_000 }), '/expires', /milliseconds/),
  bad('31 February', withPlain({ expires: '2027-02-31T00:00:00Z' }), '/expires', /no such time/),
  bad(
    'a time without zone',
    withPlain({ expires: '2027-02-01T00:00:00' }),
    '/expires',
    /with a zone/,
  ),
];
