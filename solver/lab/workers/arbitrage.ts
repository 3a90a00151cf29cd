// The lab's arbitrageur: trades on the real pools of a chain until none of them pays against the price
// source. It stops where a trader who pays the pool's fee would, so pools keep apart by their fees, as
// they do outside. Played with the faucet's key, which can mint what it needs; ether comes from what it
// wrapped at deployment. Refuses nothing; a trade that reverts is a Fault.

import { encodeFunctionData, erc20Abi, parseAbi } from 'viem';
import { constantProductOut } from '../../market/exact/constantProduct.ts';
import { present } from '../../types/assert.ts';
import { Fault } from '../../types/errors.ts';
import type { EvmAddress } from '../../types/ids.ts';
import type { PoolConfig, TokenConfig } from '../../types/network.ts';
import { roleAddress } from '../accounts.ts';
import { baseUnits, priceRatio, sqrtPriceX96 } from '../deploy/poolMath.ts';
import { type AssetName, FEED_DECIMALS } from '../setup.ts';
import type { Site } from './packets.ts';
import type { PriceSource } from './prices.ts';
import type { Sender, SenderCall } from './sender.ts';

const mintAbi = parseAbi(['function mint(address to, uint256 amount)']);
const pairAbi = parseAbi([
  'function getReserves() view returns (uint112 reserve0, uint112 reserve1, uint32 at)',
  'function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes data)',
]);
const poolAbi = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)',
]);
const routerAbi = parseAbi([
  'struct SwapParams { address tokenIn; address tokenOut; uint24 fee; address recipient; uint256 deadline; uint256 amountIn; uint256 amountOutMinimum; uint160 sqrtPriceLimitX96; }',
  'function exactInputSingle(SwapParams params) payable returns (uint256 amountOut)',
]);

/** Others may trade in between; each round starts from what stands then. */
const ROUNDS_MAX = 3;
const GAS = 500_000n;
/** What the arbitrageur wants to hold of each token, dollars: more than any pool could take. */
const STOCK_DOLLARS = 20e6;
/** Trades that gain less than this share of the price are left. */
const TOLERANCE = 1e-6;
const FOREVER = 2n ** 64n;

/** Trades until every pool of the chain that holds `asset` is within its fee of the source's prices. */
export async function arbitrage(
  site: Site,
  sender: Sender,
  prices: Pick<PriceSource, 'current'>,
  asset: AssetName,
): Promise<void> {
  const owner = roleAddress('faucet');
  const tokens = new Map(site.deployment.tokens.map((token) => [token.address, token]));
  const tokenAt = (address: EvmAddress) => present(tokens.get(address), `token ${address}`);
  const pools = site.deployment.pools.filter((pool) =>
    pool.tokens.some((address) => tokenAt(address).asset === asset),
  );
  const dollarsOf = ({ asset: name }: TokenConfig) =>
    Number(prices.current(name as AssetName)) / 10 ** FEED_DECIMALS;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const held = await stock(site, sender, owner, dollarsOf);
    const calls = await Promise.all(
      pools.map((pool) => {
        const [token0, token1] = [tokenAt(pool.tokens[0]), tokenAt(pool.tokens[1])];
        const sides = [
          { decimals: token0.decimals, dollars: dollarsOf(token0) },
          { decimals: token1.decimals, dollars: dollarsOf(token1) },
        ] as const;
        return pool.kind === 'uniswapV2'
          ? tradeV2(site, pool, sides, owner)
          : tradeV3(site, pool, sides, owner, held);
      }),
    );
    const trades = calls.flat();
    if (trades.length === 0) return;
    await sendAll(site, sender, trades);
  }
}

interface Side {
  readonly decimals: number;
  readonly dollars: number;
}
type Sides = readonly [Side, Side];

/** Base units of token1 per token0 at which a trade against the pool's fee stops paying. */
function edges([side0, side1]: Sides, feePips: number) {
  const fair = (side0.dollars / side1.dollars) * 10 ** (side1.decimals - side0.decimals);
  const keep = 1 - feePips / 1e6;
  return { low: fair * keep, high: fair / keep };
}

async function tradeV2(
  site: Site,
  pool: PoolConfig,
  sides: Sides,
  owner: EvmAddress,
): Promise<readonly SenderCall[]> {
  const call = { address: pool.address, abi: pairAbi, functionName: 'getReserves' } as const;
  const [reserve0, reserve1] = await site.rpc.client.readContract(call);
  const { low, high } = edges(sides, pool.feePips);
  const price = Number(reserve1) / Number(reserve0);
  if (price < high * (1 + TOLERANCE) && price > low * (1 - TOLERANCE)) return [];
  const sells0 = price > high;
  const [reserveIn, reserveOut] = sells0 ? [reserve0, reserve1] : [reserve1, reserve0];
  const amountIn = v2Input(Number(reserveIn), Number(reserveOut), sells0 ? high : 1 / low, pool);
  const out = constantProductOut(reserveIn, reserveOut, pool.feePips, amountIn);
  if (typeof out !== 'bigint') return [];
  const [tokenIn] = sells0 ? pool.tokens : [pool.tokens[1]];
  const pay = { abi: erc20Abi, functionName: 'transfer', args: [pool.address, amountIn] } as const;
  const args = [sells0 ? 0n : out, sells0 ? out : 0n, owner, '0x'] as const;
  const swap = { abi: pairAbi, functionName: 'swap', args } as const;
  return [
    { to: tokenIn, data: encodeFunctionData(pay), gas: GAS },
    { to: pool.address, data: encodeFunctionData(swap), gas: GAS },
  ];
}

/**
 * Input after which out-reserve over in-reserve is `price`. With γ = 1 − fee, xy/((x + γd)(x + d)) = p:
 * γd² + (1 + γ)xd + x² − xy/p = 0.
 */
function v2Input(x: number, y: number, price: number, { feePips }: PoolConfig): bigint {
  const keep = 1 - feePips / 1e6;
  const [a, b, c] = [keep, (1 + keep) * x, x * x - (x * y) / price];
  return BigInt(Math.max(1, Math.floor((-b + Math.sqrt(b * b - 4 * a * c)) / (2 * a))));
}

async function tradeV3(
  site: Site,
  pool: PoolConfig,
  sides: Sides,
  owner: EvmAddress,
  held: ReadonlyMap<EvmAddress, bigint>,
): Promise<readonly SenderCall[]> {
  const call = { address: pool.address, abi: poolAbi, functionName: 'slot0' } as const;
  const [sqrtPrice] = await site.rpc.client.readContract(call);
  const { low, high } = edges(sides, pool.feePips);
  const price = (Number(sqrtPrice) / 2 ** 96) ** 2;
  if (price < high * (1 + TOLERANCE) && price > low * (1 - TOLERANCE)) return [];
  const sells0 = price > high;
  const [tokenIn, tokenOut] = sells0 ? pool.tokens : [pool.tokens[1], pool.tokens[0]];
  const keep = 1 - pool.feePips / 1e6;
  const [side0, side1] = sides;
  // The router takes what the pool wants until its price stands at the limit.
  const limit = { ...side0, dollars: sells0 ? side0.dollars / keep : side0.dollars * keep };
  const params = {
    tokenIn,
    tokenOut,
    fee: pool.feePips,
    recipient: owner,
    deadline: FOREVER,
    amountIn: held.get(tokenIn) ?? 0n,
    amountOutMinimum: 0n,
    sqrtPriceLimitX96: sqrtPriceX96(priceRatio(limit, side1)),
  };
  const swap = { abi: routerAbi, functionName: 'exactInputSingle', args: [params] } as const;
  const to = site.deployment.uniswap.v3Router;
  return [{ to, data: encodeFunctionData(swap), gas: GAS }];
}

/** Mints and approves what is missing; base units held per token. */
async function stock(
  site: Site,
  sender: Sender,
  owner: EvmAddress,
  dollarsOf: (token: TokenConfig) => number,
): Promise<ReadonlyMap<EvmAddress, bigint>> {
  const { deployment, rpc } = site;
  const router = deployment.uniswap.v3Router;
  const calls: SenderCall[] = [];
  const held = await Promise.all(
    deployment.tokens.map(async (token): Promise<readonly [EvmAddress, bigint]> => {
      const { address, decimals } = token;
      const erc20 = { address, abi: erc20Abi } as const;
      const [balance, allowance] = await Promise.all([
        rpc.client.readContract({ ...erc20, functionName: 'balanceOf', args: [owner] }),
        rpc.client.readContract({ ...erc20, functionName: 'allowance', args: [owner, router] }),
      ]);
      const add = (data: SenderCall['data']) => calls.push({ to: address, data, gas: GAS });
      if (allowance < 2n ** 200n) {
        const args = [router, 2n ** 255n] as const;
        add(encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args }));
      }
      const wanted = baseUnits(STOCK_DOLLARS / dollarsOf(token), decimals);
      if (address === deployment.wrappedNative || balance >= wanted) return [address, balance];
      const args = [owner, wanted - balance] as const;
      add(encodeFunctionData({ abi: mintAbi, functionName: 'mint', args }));
      return [address, wanted];
    }),
  );
  await sendAll(site, sender, calls);
  return new Map(held);
}

async function sendAll(site: Site, sender: Sender, calls: readonly SenderCall[]): Promise<void> {
  const hashes = await Promise.all(calls.map((call) => sender.submit(call)));
  for (const hash of hashes) {
    const { status } = await sender.mined(hash);
    if (status === 'success') continue;
    throw new Fault(`the arbitrageur's ${hash} on ${site.deployment.chainId} reverted`);
  }
}
