// The host's view of the core's memory: offsets, sizes and codes of assembly/layout.ts, problem.ts
// and plan.ts. The core states its own record sizes (`sizes`), and createEngine compares: a layout
// that changed on one side only is a Defect at load, never a wrong answer.

export const ABI_VERSION = 3;

/** Sorted, as `instantiate` compares them. */
export const EXPORTS = [
  'abi',
  'arrange',
  'header',
  'load',
  'memory',
  'riskArea',
  'riskBandLand',
  'riskBandPrepare',
  'riskCovariance',
  'riskGreeks',
  'riskParity',
  'riskPivot',
  'riskReplayBlocks',
  'riskReplayInputs',
  'riskReplayLoad',
  'riskReplayRun',
  'riskTwoBand',
  'sizes',
  'solve',
] as const;

export const STATUS = {
  ok: 0,
  noRoute: 1,
  infeasible: 2,
  limit: 3,
  tooLarge: 4,
  badInput: 5,
} as const;

export const OBJECTIVE = { swap: 0, rebalance: 1, riskRebalance: 2, batch: 3 } as const;
export const KIND = {
  constantProduct: 0,
  weighted: 1,
  stable: 2,
  concentrated: 3,
  order: 4,
  bridge: 5,
  batchOrder: 7,
} as const;
export const DIRECTION = { forward: 1, reverse: 2, both: 3 } as const;

/** Bytes per record, in the order of the core's `sizes(k)`. */
export const SIZE = {
  header: 192,
  node: 72,
  venue: 128,
  tick: 32,
  group: 16,
  target: 16,
  leg: 40,
  poolNode: 48,
  branch: 16,
} as const;

/** Bytes from the header to the nodes, which follow it. */
export const HEADER_BYTES = 256;

/** Byte offsets of fields a host reads or writes. */
export const HEADER = {
  abiVersion: 0,
  status: 4,
  nodeCount: 8,
  venueCount: 12,
  tickCount: 16,
  groupCount: 20,
  memberCount: 24,
  targetCount: 28,
  objective: 32,
  buyNode: 36,
  workMax: 40,
  nodes: 48,
  venues: 52,
  ticks: 56,
  groups: 60,
  members: 64,
  targets: 68,
  covariance: 72,
  legs: 76,
  scratch: 80,
  poolNodes: 88,
  poolNodeCount: 92,
  gapTarget: 96,
  aversion: 104,
  warm: 112,
  value: 120,
  bound: 128,
  legCount: 136,
  work: 140,
  solves: 148,
  residual: 152,
  loops: 168,
  branches: 176,
  leafPrices: 180,
  leavesMax: 184,
  branchCount: 188,
} as const;

export const NODE = {
  supply: 0,
  price: 8,
  start: 16,
  target: 24,
  dual: 32,
  left: 40,
  loop: 64,
} as const;

export const VENUE = {
  kind: 0,
  from: 4,
  to: 8,
  directions: 12,
  a: 16,
  b: 24,
  keep: 32,
  fixedFee: 40,
  fixedCost: 48,
  capFrom: 56,
  capTo: 64,
  down: 72,
  downCount: 76,
  up: 80,
  upCount: 84,
  nodes: 88,
  nodeCount: 92,
  whole: 96,
} as const;

export const TICK = { near: 0, liquidity: 8 } as const;
export const GROUP = { fixedCost: 0, members: 8, memberCount: 12 } as const;
export const TARGET = { weight: 0 } as const;
export const POOL_NODE = { node: 0, balance: 8, weight: 16, rate: 24, cap: 32 } as const;
export const LEG = {
  venue: 0,
  direction: 4,
  input: 8,
  output: 16,
  stiffness: 24,
  from: 32,
  to: 36,
} as const;

export const BRANCH = { kind: 0, index: 4, used: 8, unused: 12 } as const;
export const BRANCH_KIND = { leaf: 0, venue: 1, group: 2 } as const;
/** Most cases a bound is proved by. */
export const LEAVES_MAX = 256;

/** What a quote on a snapshot may change: [first byte, bytes] of the header and of each node. */
export const QUOTE = {
  header: [
    [HEADER.buyNode, 8],
    [HEADER.gapTarget, 8],
    [HEADER.warm, 4],
  ],
  /** Supply; start and target, which stand together. */
  node: [
    [NODE.supply, 8],
    [NODE.start, 12],
  ],
} as const;

/** Core units per base unit, by node index: what encode.ts wrote with and decode.ts reads with. */
export type Scales = readonly number[];

export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  abi(): number;
  header(): number;
  sizes(record: number): number;
  arrange(): number;
  load(): number;
  solve(): number;
}

/** The risk kernels of assembly/risk: status codes; numbers pass in cells from `riskArea`. */
export interface RiskExports {
  readonly memory: WebAssembly.Memory;
  riskArea(): number;
  riskBandLand(assets: number, mode: number): number;
  riskBandPrepare(assets: number, aversion: number, proportional: number, fixed: number): number;
  riskCovariance(rows: number, assets: number, decay: number, perYear: number): number;
  riskGreeks(count: number): number;
  riskParity(assets: number): number;
  riskPivot(assets: number): number;
  riskReplayBlocks(): number;
  riskReplayInputs(): number;
  riskReplayLoad(
    assets: number,
    rows: number,
    perYear: number,
    decay: number,
    share: number,
    every: number,
    from: number,
    block: number,
  ): number;
  riskReplayRun(
    family: number,
    parameter: number,
    landing: number,
    proportional: number,
    fixed: number,
  ): number;
  riskTwoBand(aversion: number, varianceRate: number, proportional: number, fixed: number): number;
}
