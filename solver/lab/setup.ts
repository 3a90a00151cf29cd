// The lab's world in numbers: chains, assets, reference prices, pools, inventories. Everything here
// is part of the cache key. It decides nothing at run time and reads no clock.

/** Worthless on purpose: the public development phrase, so that no one mistakes these for funds. */
export const LAB_MNEMONIC = 'test test test test test test test test test test test junk';

export interface LabAsset {
  readonly asset: string;
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  /** Reference dollars per whole token; feeds walk around it, pools start near it. */
  readonly dollars: number;
}

export const ASSETS = [
  { asset: 'USDC', symbol: 'USDC', name: 'Lab USD Coin', decimals: 6, dollars: 1 },
  { asset: 'ETH', symbol: 'WETH', name: 'Wrapped Ether', decimals: 18, dollars: 3200 },
  { asset: 'BTC', symbol: 'WBTC', name: 'Lab Wrapped BTC', decimals: 8, dollars: 96_000 },
  { asset: 'LINK', symbol: 'LINK', name: 'Lab Chain Link', decimals: 18, dollars: 18.5 },
] as const satisfies readonly LabAsset[];

export type AssetName = (typeof ASSETS)[number]['asset'];

/** The asset that pays for gas, wrapped as WETH, on every lab chain. */
export const NATIVE_ASSET: AssetName = 'ETH';

export const FEED_DECIMALS = 8;
/** Several pulses may be lost before a feed is stale. */
export const FEED_HEARTBEAT_SECONDS = 60;

export interface LabPool {
  readonly kind: 'uniswapV2' | 'uniswapV3';
  readonly pair: readonly [AssetName, AssetName];
  readonly feePips: number;
  /** Worth of both sides together at seeding. */
  readonly dollars: number;
  /** How far this pool's price of pair[0] lies above its chain's, 1e-4. */
  readonly skewBps: number;
}

export interface LabChain {
  readonly chainId: number;
  readonly name: string;
  /** LayerZero endpoint id: 30000 and up, smaller ones are read as V1. */
  readonly eid: number;
  /** How far the chain's pools price each asset above the reference, 1e-4. */
  readonly premiumBps: Readonly<Record<AssetName, number>>;
  readonly pools: readonly LabPool[];
  readonly wallet: Holdings;
  readonly filler: Holdings;
  /** Rival solvers of the sample market: one that buys what it needs, one that only delivers. */
  readonly rivalGreedy: Holdings;
  readonly rivalInventory: Holdings;
}

/** Whole tokens as decimal strings. */
export type Holdings = Readonly<Partial<Record<AssetName, string>>>;

const v2 = (pair: LabPool['pair'], dollars: number, skewBps: number): LabPool => ({
  kind: 'uniswapV2',
  pair,
  feePips: 3000,
  dollars,
  skewBps,
});
const v3 = (
  pair: LabPool['pair'],
  feePips: 500 | 3000 | 10000,
  dollars: number,
  skewBps: number,
): LabPool => ({ kind: 'uniswapV3', pair, feePips, dollars, skewBps });

/**
 * Prices differ between chains by 10 … 40 bps, so that moving value across them is worth planning;
 * within a chain pools differ by less than their fees, so that no free circle is on offer.
 */
export const CHAINS: readonly LabChain[] = [
  {
    chainId: 31338,
    name: 'Alder',
    eid: 31338,
    premiumBps: { USDC: 0, ETH: 14, BTC: -12, LINK: 20 },
    pools: [
      v2(['ETH', 'USDC'], 4_000_000, 6),
      v3(['ETH', 'USDC'], 500, 6_000_000, 0),
      v3(['ETH', 'USDC'], 3000, 5_000_000, -5),
      v3(['BTC', 'USDC'], 3000, 5_000_000, 4),
      v3(['BTC', 'ETH'], 500, 4_000_000, 0),
      v2(['LINK', 'ETH'], 1_500_000, -8),
      v3(['LINK', 'ETH'], 3000, 1_500_000, 5),
    ],
    wallet: { USDC: '38000', ETH: '24' },
    filler: { USDC: '140000', ETH: '42', BTC: '1.3', LINK: '3500' },
    rivalGreedy: { USDC: '180000' },
    rivalInventory: { USDC: '90000', ETH: '28', BTC: '1', LINK: '2500' },
  },
  {
    chainId: 31339,
    name: 'Birch',
    eid: 31339,
    premiumBps: { USDC: 0, ETH: -18, BTC: 10, LINK: -15 },
    pools: [
      v3(['ETH', 'USDC'], 500, 5_000_000, 2),
      v3(['ETH', 'USDC'], 3000, 3_000_000, -6),
      v2(['BTC', 'USDC'], 2_500_000, 8),
      v3(['BTC', 'USDC'], 500, 4_000_000, 0),
      v2(['BTC', 'ETH'], 2_000_000, -7),
      v3(['LINK', 'USDC'], 3000, 1_500_000, 0),
      v3(['LINK', 'ETH'], 3000, 1_000_000, 6),
    ],
    wallet: { USDC: '9000', BTC: '0.62' },
    filler: { USDC: '110000', ETH: '38', BTC: '0.9', LINK: '2500' },
    rivalGreedy: { USDC: '150000' },
    rivalInventory: { USDC: '80000', ETH: '25', BTC: '0.8', LINK: '2500' },
  },
  {
    chainId: 31340,
    name: 'Cedar',
    eid: 31340,
    premiumBps: { USDC: 0, ETH: 5, BTC: 25, LINK: -25 },
    pools: [
      v2(['ETH', 'USDC'], 3_000_000, -4),
      v3(['ETH', 'USDC'], 500, 4_000_000, 0),
      v3(['BTC', 'USDC'], 3000, 3_000_000, -6),
      v3(['BTC', 'ETH'], 3000, 2_500_000, 5),
      v2(['LINK', 'USDC'], 1_200_000, 7),
      v3(['LINK', 'ETH'], 10000, 1_200_000, -10),
    ],
    wallet: { USDC: '6500', ETH: '9', LINK: '1400' },
    filler: { USDC: '120000', ETH: '30', BTC: '0.8', LINK: '4000' },
    rivalGreedy: { USDC: '150000' },
    rivalInventory: { USDC: '80000', ETH: '25', BTC: '0.8', LINK: '2500' },
  },
];

/** How far v3 positions reach around the start price, and their share of the pool's worth. */
export const V3_RANGES: readonly {
  readonly below: number;
  readonly above: number;
  share: number;
}[] = [
  { below: 0.6, above: 1.5, share: 0.25 },
  { below: 0.12, above: 0.12, share: 0.4 },
  { below: 0.03, above: 0.03, share: 0.2 },
  { below: 0.25, above: 0.015, share: 0.1 },
  { below: -0.005, above: 0.08, share: 0.05 },
];

/** Ether for gas, whole tokens. */
export const GAS_ALLOWANCE: Readonly<Record<string, string>> = {
  dvnA: '1000',
  dvnB: '1000',
  executor: '1000',
  publisher: '1000',
  wallet: '2',
  filler: '40',
  auctioneer: '5',
  guardian: '20',
  faucet: '1000',
  spare1: '20',
  spare2: '20',
  spare3: '20',
  rivalGreedy: '20',
  rivalInventory: '20',
};
/** Ether the faucet wraps, so that tests can hand out WETH too. */
export const FAUCET_WETH = '5000';

/** What remote execution costs, as LayerZero's PriceFeed is told. */
export const LZ_GAS_PRICE_WEI = 1_500_000_000n;
export const LZ_GAS_PER_BYTE = 16;
/** Gas a DVN charges for; measured 70k, padded. */
export const DVN_VERIFY_GAS = 90_000n;
/** Gas the executor charges beside what the message asks for: commit and overhead. */
export const EXECUTOR_BASE_GAS = 150_000n;
export const MAX_MESSAGE_BYTES = 10_000;

/**
 * MIN_PROOF_WINDOW, seconds: ≥ 2 × finality + verification + execution of the slowest path
 * (2 × 3 blocks + 3 + 3 at one-second blocks), doubled for busy machines.
 */
export const MIN_PROOF_WINDOW_SECONDS = 24;
