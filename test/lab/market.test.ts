// What the lab trades on: pools quote what they execute, prices differ between chains as promised,
// feeds are fresh and follow their source, wallet and filler hold what they should.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  domainSeparator,
  encodeFunctionData,
  erc20Abi,
  formatUnits,
  parseAbi,
  parseUnits,
} from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roleAddress } from '../../solver/lab/accounts.ts';
import { type LabHandle, startLab } from '../../solver/lab/lab.ts';
import { ASSETS } from '../../solver/lab/setup.ts';
import { present } from '../../solver/types/assert.ts';
import type { EvmAddress } from '../../solver/types/ids.ts';
import type { PoolConfig, TokenConfig } from '../../solver/types/network.ts';
import { eventually, type TestChain, testChains } from './chains.ts';
import { LAB_CACHE } from './withLab.ts';

const mintAbi = parseAbi(['function mint(address to, uint256 amount)']);
const pairAbi = parseAbi([
  'function getReserves() view returns (uint112 reserve0, uint112 reserve1, uint32 at)',
  'function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes data)',
]);
const poolAbi = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)',
  'function liquidity() view returns (uint128)',
]);
const quoterAbi = parseAbi([
  'struct QuoteParams { address tokenIn; address tokenOut; uint256 amountIn; uint24 fee; uint160 sqrtPriceLimitX96; }',
  'function quoteExactInputSingle(QuoteParams params) returns (uint256 amountOut, uint160 sqrtPriceX96After, uint32 ticksCrossed, uint256 gas)',
]);
const routerAbi = parseAbi([
  'struct SwapParams { address tokenIn; address tokenOut; uint24 fee; address recipient; uint256 deadline; uint256 amountIn; uint256 amountOutMinimum; uint160 sqrtPriceLimitX96; }',
  'function exactInputSingle(SwapParams params) payable returns (uint256 amountOut)',
]);
const feedAbi = parseAbi([
  'function latestRoundData() view returns (uint80 round, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn)',
  'function decimals() view returns (uint8)',
]);

let home: string;
let lab: LabHandle;
let chains: readonly TestChain[];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'trimtab-lab-'));
  lab = await startLab({
    home,
    cacheDir: LAB_CACHE,
    blockMs: 250,
    volatilityBps: 0,
    pulseMs: 2000,
  });
  chains = testChains(lab);
});
afterAll(async () => {
  await lab?.stop();
  rmSync(home, { recursive: true, force: true });
});

const tokenAt = (chain: TestChain, address: EvmAddress): TokenConfig =>
  present(
    chain.deployment.tokens.find((token) => token.address === address),
    `token ${address}`,
  );
const dollarsOf = (asset: string) =>
  present(
    ASSETS.find((candidate) => candidate.asset === asset),
    asset,
  ).dollars;
const balanceOf = (chain: TestChain, token: EvmAddress, owner: EvmAddress) =>
  chain.client.readContract({
    address: token,
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [owner],
  });

/** Dollars of pair[0]'s asset that the pool's current price says, given dollars of the other. */
async function impliedDollars(chain: TestChain, pool: PoolConfig): Promise<number> {
  const [token0, token1] = pool.tokens.map((address) => tokenAt(chain, address));
  const { decimals: d0 } = present(token0, 'token0');
  const { decimals: d1, asset } = present(token1, 'token1');
  let raw: number;
  if (pool.kind === 'uniswapV2') {
    const read = { address: pool.address, abi: pairAbi, functionName: 'getReserves' } as const;
    const [reserve0, reserve1] = await chain.client.readContract(read);
    raw = Number(reserve1) / Number(reserve0);
  } else {
    const read = { address: pool.address, abi: poolAbi, functionName: 'slot0' } as const;
    const [sqrtPriceX96] = await chain.client.readContract(read);
    raw = (Number(sqrtPriceX96) / 2 ** 96) ** 2;
  }
  return raw * 10 ** (d0 - d1) * dollarsOf(asset);
}

describe('Permit2', () => {
  it('default: the real one stands at its canonical address on every chain, each with its own domain', async () => {
    const abi = parseAbi(['function DOMAIN_SEPARATOR() view returns (bytes32)']);
    for (const { deployment, client } of chains) {
      const address = deployment.permit2;
      expect(address).toBe('0x000000000022d473030f116ddee9f6b43ac78ba3');
      const domain = { name: 'Permit2', chainId: deployment.chainId, verifyingContract: address };
      const separator = await client.readContract({
        address,
        abi,
        functionName: 'DOMAIN_SEPARATOR',
      });
      expect(separator).toBe(domainSeparator({ domain }));
    }
  });
});

describe('lab pools', () => {
  it('default: every pool starts within 60 bps of the reference', async () => {
    for (const chain of chains) {
      for (const pool of chain.deployment.pools) {
        const reference = dollarsOf(tokenAt(chain, pool.tokens[0]).asset);
        const gapBps = (await impliedDollars(chain, pool)) / reference - 1;
        expect(Math.abs(gapBps), pool.id).toBeLessThan(0.006);
      }
    }
  });

  it('behavior: ether costs 10 to 40 bps more on Alder than on Birch', async () => {
    const at = async (index: number) => {
      const chain = present(chains[index], 'chain');
      const id = `${chain.deployment.chainId}:v3:WETH/USDC:500`;
      const pool = present(
        chain.deployment.pools.find((candidate) => candidate.id === id),
        id,
      );
      const implied = await impliedDollars(chain, pool);
      return tokenAt(chain, pool.tokens[0]).asset === 'ETH'
        ? implied / dollarsOf('ETH')
        : 1 / (implied / dollarsOf('USDC'));
    };
    const spreadBps = ((await at(0)) / (await at(1)) - 1) * 10_000;
    expect(spreadBps).toBeGreaterThan(10);
    expect(spreadBps).toBeLessThan(40);
  });

  it('behavior: tokens of one symbol have another address on every chain', () => {
    const all = chains.flatMap(({ deployment }) =>
      deployment.tokens.filter(({ asset }) => asset !== 'ETH').map(({ address }) => address),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it.each(['uniswapV2', 'uniswapV3'] as const)(
    'behavior: %s quotes equal execution to the wei',
    async (kind) => {
      await Promise.all(
        chains.map(async (chain) => {
          for (const pool of chain.deployment.pools.filter((each) => each.kind === kind)) {
            const amountIn = await give(chain, pool.tokens[0], 20_000);
            const [quoted, got] =
              kind === 'uniswapV2'
                ? await swapV2(chain, pool, amountIn)
                : await swapV3(chain, pool, amountIn);
            expect(got, pool.id).toBe(quoted);
            const token = tokenAt(chain, pool.tokens[1]);
            const worth = Number(formatUnits(got, token.decimals)) * dollarsOf(token.asset);
            // Fee up to 1 %, price gaps, and the impact of $20,000: the depth is real.
            expect(worth, pool.id).toBeGreaterThan(20_000 * (1 - pool.feePips / 1e6) * 0.96);
            expect(worth, pool.id).toBeLessThan(20_000 * 1.005);
          }
        }),
      );
    },
  );
});

/** Hands spare2 dollars' worth of a token, from the faucet. */
async function give(chain: TestChain, address: EvmAddress, dollars: number): Promise<bigint> {
  const token = tokenAt(chain, address);
  const amount = parseUnits((dollars / dollarsOf(token.asset)).toFixed(6), token.decimals);
  const to = roleAddress('spare2');
  const data =
    token.asset === 'ETH'
      ? encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] })
      : encodeFunctionData({ abi: mintAbi, functionName: 'mint', args: [to, amount] });
  await chain.send('faucet', { to: address, data });
  return amount;
}

async function swapV2(chain: TestChain, pool: PoolConfig, amountIn: bigint) {
  const read = { address: pool.address, abi: pairAbi, functionName: 'getReserves' } as const;
  const [reserve0, reserve1] = await chain.client.readContract(read);
  const withFee = amountIn * 997n;
  const quoted = (withFee * reserve1) / (reserve0 * 1000n + withFee);
  const to = roleAddress('spare2');
  const before = await balanceOf(chain, pool.tokens[1], to);
  const pay = { abi: erc20Abi, functionName: 'transfer', args: [pool.address, amountIn] } as const;
  await chain.send('spare2', { to: pool.tokens[0], data: encodeFunctionData(pay) });
  const swap = { abi: pairAbi, functionName: 'swap', args: [0n, quoted, to, '0x'] } as const;
  await chain.send('spare2', { to: pool.address, data: encodeFunctionData(swap) });
  return [quoted, (await balanceOf(chain, pool.tokens[1], to)) - before] as const;
}

async function swapV3(chain: TestChain, pool: PoolConfig, amountIn: bigint) {
  const { v3Quoter, v3Router } = chain.deployment.uniswap;
  const [tokenIn, tokenOut] = pool.tokens;
  const fee = pool.feePips;
  const { result } = await chain.client.simulateContract({
    address: v3Quoter,
    abi: quoterAbi,
    functionName: 'quoteExactInputSingle',
    args: [{ tokenIn, tokenOut, amountIn, fee, sqrtPriceLimitX96: 0n }],
  });
  const recipient = roleAddress('spare2');
  const before = await balanceOf(chain, tokenOut, recipient);
  const approve = { abi: erc20Abi, functionName: 'approve', args: [v3Router, amountIn] } as const;
  await chain.send('spare2', { to: tokenIn, data: encodeFunctionData(approve) });
  const deadline = 2n ** 40n;
  const params = {
    ...{ tokenIn, tokenOut, fee, recipient, deadline, amountIn },
    ...{ amountOutMinimum: 0n, sqrtPriceLimitX96: 0n },
  };
  const swap = { abi: routerAbi, functionName: 'exactInputSingle', args: [params] } as const;
  await chain.send('spare2', { to: v3Router, data: encodeFunctionData(swap) });
  return [result[0], (await balanceOf(chain, tokenOut, recipient)) - before] as const;
}

async function roundOf(chain: TestChain, asset: string) {
  const feed = present(
    chain.deployment.feeds.find((candidate) => candidate.asset === asset),
    asset,
  );
  const read = { address: feed.proxy, abi: feedAbi } as const;
  const [round, answer, , updatedAt] = await chain.client.readContract({
    ...read,
    functionName: 'latestRoundData',
  });
  expect(await chain.client.readContract({ ...read, functionName: 'decimals' })).toBe(8);
  return { round, answer, updatedAt };
}

describe('lab feeds', () => {
  it('default: fresh by the chain’s clock, which is the machine’s', async () => {
    for (const chain of chains) {
      const { timestamp } = await chain.client.getBlock();
      expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(30);
      for (const { asset, feedHeartbeatSeconds } of chain.deployment.tokens) {
        const { answer, updatedAt } = await roundOf(chain, asset);
        expect(Number(timestamp - updatedAt)).toBeLessThan(feedHeartbeatSeconds);
        expect(answer).toBe(BigInt(Math.round(dollarsOf(asset) * 1e8)));
      }
    }
  });

  it('behavior: a set price is read on every chain, and only that asset moves', async () => {
    await lab.control.setPrice('LINK', 21.5);
    for (const chain of chains) {
      expect((await roundOf(chain, 'LINK')).answer).toBe(2_150_000_000n);
      expect((await roundOf(chain, 'BTC')).answer).toBe(9_600_000_000_000n);
    }
    await lab.control.releasePrices();
    expect((await roundOf(present(chains[0], 'chain'), 'LINK')).answer).toBe(1_850_000_000n);
  });

  it('behavior: with the pulse paused prices age; resumed, they are fresh again', async () => {
    const chain = present(chains[0], 'chain');
    const blocks = async (count: bigint) => {
      const from = await chain.client.getBlockNumber({ cacheTime: 0 });
      const now = () => chain.client.getBlockNumber({ cacheTime: 0 });
      await eventually(`${count} blocks`, async () => (await now()) >= from + count);
    };
    await lab.control.pause('pulse');
    // A publication under way may still land; one after that would come within eight blocks.
    await blocks(4n);
    const before = await roundOf(chain, 'ETH');
    await blocks(16n);
    expect((await roundOf(chain, 'ETH')).updatedAt).toBe(before.updatedAt);
    await lab.control.resume('pulse');
    await eventually('a new round', async () => (await roundOf(chain, 'ETH')).round > before.round);
  });

  it('error: the control refuses an unknown asset, and a caller without the token', async () => {
    await expect(lab.control.setPrice('DOGE' as 'LINK', 1)).rejects.toThrow('no asset DOGE');
    await expect(lab.control.setPrice('LINK', -1)).rejects.toThrow('dollars');
    await expect(lab.control.stopChain(1)).rejects.toThrow('no lab chain 1');
  });
});

describe('lab accounts', () => {
  it('default: the sample wallet is worth about 250,000 dollars', async () => {
    const byAsset = new Map<string, number>();
    for (const chain of chains) {
      for (const { asset, address, decimals } of chain.deployment.tokens) {
        const amount = await balanceOf(chain, address, roleAddress('wallet'));
        const worth = Number(formatUnits(amount, decimals)) * dollarsOf(asset);
        byAsset.set(asset, (byAsset.get(asset) ?? 0) + worth);
      }
      const gas = await chain.client.getBalance({ address: roleAddress('wallet') });
      expect(gas).toBeGreaterThan(10n ** 18n);
    }
    const total = [...byAsset.values()].reduce((sum, worth) => sum + worth, 0);
    expect(total).toBeGreaterThan(230_000);
    expect(total).toBeLessThan(270_000);
    expect(present(byAsset.get('ETH'), 'ETH') / total).toBeGreaterThan(0.3);
  });

  it('default: the filler holds a finite inventory and gas on every chain', async () => {
    for (const chain of chains) {
      for (const { address } of chain.deployment.tokens) {
        expect(await balanceOf(chain, address, roleAddress('filler'))).toBeGreaterThan(0n);
      }
      for (const role of ['filler', 'auctioneer', 'guardian'] as const) {
        const gas = await chain.client.getBalance({ address: roleAddress(role) });
        expect(gas).toBeGreaterThan(10n ** 18n);
      }
    }
  });
});

describe('movePrice', () => {
  /** How far a pool stands from the dollars of its two assets, as a share. */
  async function distance(chain: TestChain, pool: PoolConfig, dollars: Record<string, number>) {
    const [asset0, asset1] = pool.tokens.map((address) => tokenAt(chain, address).asset);
    const at = (asset: string | undefined) => dollars[asset ?? ''] ?? dollarsOf(asset ?? '');
    const implied = (await impliedDollars(chain, pool)) / dollarsOf(asset1 ?? '');
    return (implied * at(asset1)) / at(asset0) - 1;
  }

  it('behavior: real trades take every pool of the asset to the feeds’ new price, down and back', async () => {
    for (const ETH of [2752, 3360]) {
      const before = await present(chains[0], 'chain').client.getBlockNumber({ cacheTime: 0 });
      await lab.control.movePrice('ETH', ETH);
      let traded = 0;
      for (const chain of chains) {
        expect((await roundOf(chain, 'ETH')).answer).toBe(BigInt(ETH) * 100_000_000n);
        for (const pool of chain.deployment.pools) {
          const assets = pool.tokens.map((address) => tokenAt(chain, address).asset);
          if (!assets.includes('ETH')) continue;
          const off = await distance(chain, pool, { ETH });
          // Where a trade that pays the fee gains nothing: at most 1/(1 − fee) off, and rounding.
          const edge = 1 / (1 - pool.feePips / 1e6) - 1 + 1e-5;
          expect(Math.abs(off), `${pool.id} at ${ETH}`).toBeLessThan(edge);
          traded++;
        }
        const events = await chain.client.getLogs({
          fromBlock: before,
          address: chain.deployment.pools.map(({ address }) => address),
        });
        expect(events.length, `${chain.deployment.name}: trades leave events`).toBeGreaterThan(0);
      }
      expect(traded).toBe(14);
    }
  });

  it('error: prices that no pool trades', async () => {
    await expect(lab.control.movePrice('ETH', 1)).rejects.toThrow('pools trade ETH between');
  });
});
