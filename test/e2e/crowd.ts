// Many small wallets over HTTP: funded from the faucet role, each quoting, signing, submitting and
// following orders through whichever API process answers, as a client with two addresses would.

import { randomBytes } from 'node:crypto';
import { erc20Abi, maxUint256, parseAbi, parseUnits } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { follow, RefusedByService, request, type StreamedEvent } from '../../api/cli/http.ts';
import type { OfferedQuote } from '../../api/cli/sampleWallet.ts';
import type { LabHandle } from '../../solver/lab/lab.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault } from '../../solver/types/errors.ts';
import type { Hex } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { ChainConfig } from '../../solver/types/network.ts';
import { clientOf } from './harness.ts';

const GAS_ETHER = '1';
/** Whole tokens per wallet and chain; every order spends its own part of them. */
const PURSE = { USDC: '9000', WETH: '3' } as const;
const purseAbi = parseAbi(['function mint(address to, uint256 amount)']);

/** Wallets with gas, tokens and approvals on every chain. */
export async function gatherCrowd(lab: LabHandle, size: number): Promise<PrivateKeyAccount[]> {
  const wallets = Array.from({ length: size }, () =>
    privateKeyToAccount(`0x${randomBytes(32).toString('hex')}`),
  );
  await Promise.all(lab.network.chains.map((chain) => fund(lab, chain, wallets)));
  return wallets;
}

async function fund(lab: LabHandle, chain: ChainConfig, wallets: readonly PrivateKeyAccount[]) {
  const faucet = privateKeyToAccount(lab.accounts.faucet.privateKey);
  const client = clientOf(chain, faucet);
  let nonce = await client.getTransactionCount({ address: faucet.address });
  const fees = { gas: 200_000n, chain: null } as const;
  let last: Hex = '0x';
  for (const { address: to } of wallets) {
    const value = parseUnits(GAS_ETHER, 18);
    await client.sendTransaction({ ...fees, to, value, nonce: nonce++ });
    for (const [symbol, amount] of Object.entries(PURSE)) {
      const token = present(
        chain.tokens.find((one) => one.symbol === symbol),
        symbol,
      );
      const units = parseUnits(amount, token.decimals);
      const { address } = token;
      const mints = symbol !== 'WETH';
      last = await client.writeContract({
        ...fees,
        address,
        abi: [...purseAbi, ...erc20Abi],
        functionName: mints ? 'mint' : 'transfer',
        args: [to, units],
        nonce: nonce++,
      });
    }
  }
  await client.waitForTransactionReceipt({ hash: last, pollingInterval: 100 });
  await Promise.all(
    wallets.map(async (wallet) => {
      const own = clientOf(chain, wallet);
      const hashes = await Promise.all(
        Object.keys(PURSE).map((symbol, at) =>
          own.writeContract({
            ...fees,
            address: present(
              chain.tokens.find((one) => one.symbol === symbol),
              symbol,
            ).address,
            abi: erc20Abi,
            functionName: 'approve',
            args: [chain.contracts.portfolioSettler, maxUint256],
            nonce: at,
          }),
        ),
      );
      for (const hash of hashes) {
        await own.waitForTransactionReceipt({ hash, pollingInterval: 100 });
      }
    }),
  );
}

/** What the n-th order asks for: a trade on one chain, a transfer, or a trade over two chains. */
export function wish(n: number, chains: readonly ChainConfig[]): JsonObject {
  const from = present(chains[n % chains.length], 'a chain').chainId;
  const to = present(chains[(n + 1) % chains.length], 'a chain').chainId;
  // Never two of the same size, so that nothing matches by accident.
  const usdc = { chain: from, asset: 'USDC', amount: `${200_000_000 + n * 10_007}` };
  const eth = { chain: from, asset: 'ETH', amount: `${60_000_000_000_000_000n + BigInt(n)}` };
  const all = 10_000;
  switch (n % 4) {
    case 0:
      return {
        scope: { chains: [from], assets: ['USDC', 'ETH'] },
        holdings: [usdc],
        targets: [{ asset: 'ETH', weightBps: all }],
      };
    case 1:
      return {
        scope: { chains: [from, to], assets: ['USDC'] },
        holdings: [usdc],
        targets: [{ asset: 'USDC', chain: to, weightBps: all }],
      };
    case 2:
      return {
        scope: { chains: [from], assets: ['USDC', 'ETH'] },
        holdings: [eth],
        targets: [{ asset: 'USDC', weightBps: all }],
      };
    default:
      return {
        scope: { chains: [from, to], assets: ['USDC', 'ETH'] },
        holdings: [usdc],
        targets: [{ asset: 'ETH', chain: to, weightBps: all }],
      };
  }
}

const ATTEMPTS_MAX = 60;
const RETRY_MS = 250;

/** Asks one API process after the other until one answers; refusals of the service are answers. */
async function ask<T>(urls: readonly string[], first: number, what: (url: string) => Promise<T>) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await what(present(urls[(first + attempt) % urls.length], 'an API'));
    } catch (error) {
      const passing =
        error instanceof Fault ||
        (error instanceof RefusedByService && Number(error.problem.status) >= 500) ||
        error instanceof TypeError;
      if (!passing || attempt >= ATTEMPTS_MAX) throw error;
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

export interface Placed {
  readonly orderId: Hex;
  readonly owner: Hex;
}

/** Quote, one signature, submission; a submission whose answer was lost is sent again as it is. */
export async function place(
  urls: readonly string[],
  wallet: PrivateKeyAccount,
  n: number,
  intent: JsonObject,
): Promise<Placed> {
  for (let tries = 0; ; tries += 1) {
    const body = {
      user: wallet.address,
      intent: { intentType: 'rebalance', owner: wallet.address, ...intent },
      supportedTypes: ['trimtab-portfolio-v1'],
    };
    try {
      const answer = await ask(urls, n, (url) => request(`${url}/v1/quotes`, { body }));
      const [quote] = answer.quotes as unknown as readonly OfferedQuote[];
      const { quoteId, order } = present(quote, 'a quote');
      const signature = await wallet.signTypedData(order.payload);
      const posted = await ask(urls, n + 1, (url) =>
        request(`${url}/v1/orders`, { body: { quoteId, signature } }),
      );
      return { orderId: posted.orderId as Hex, owner: wallet.address };
    } catch (error) {
      // No inventory free just now, a chain that hung, an offer that ran out meanwhile or that the
      // killed database forgot (postgresQuotes.ts): an honest client asks again later.
      const { retryable, code } = error instanceof RefusedByService ? error.problem : {};
      const later = retryable === true || code === 'quoteExpired' || code === 'quoteNotFound';
      if (!later || tries >= ATTEMPTS_MAX) throw error;
      await new Promise((done) => setTimeout(done, 1_000));
    }
  }
}

const LAST = /^order\.(settled|refunded|failed)$/;

export interface Followed {
  readonly seqs: readonly number[];
  readonly end: string;
  /** How often the stream moved to the other API process. */
  readonly moves: number;
}

/** The order's stream to its end, resumed after the last event on the other API when one is gone. */
export async function followOver(
  urls: readonly string[],
  first: number,
  orderId: Hex,
  signal: AbortSignal,
): Promise<Followed> {
  const seqs: number[] = [];
  for (let moves = 0; ; moves += 1) {
    const url = present(urls[(first + moves) % urls.length], 'an API');
    try {
      const after = seqs.at(-1) ?? 0;
      for await (const event of streamOnce(`${url}/v1/orders/${orderId}/events`, after, signal)) {
        seqs.push(event.seq);
        if (LAST.test(event.type)) return { seqs, end: event.type, moves };
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Fault || error instanceof TypeError)) throw error;
    }
    await new Promise((done) => setTimeout(done, RETRY_MS));
  }
}

/** Every event of an order that is over, from its beginning. */
export async function allEvents(urls: readonly string[], orderId: Hex): Promise<StreamedEvent[]> {
  return ask(urls, 0, async (url) => {
    const events: StreamedEvent[] = [];
    const path = `${url}/v1/orders/${orderId}/events`;
    for await (const event of follow(
      path,
      ({ type }) => LAST.test(type),
      AbortSignal.timeout(20_000),
    )) {
      events.push(event);
    }
    return events;
  });
}

/** One connection: ends or throws when it is lost. */
async function* streamOnce(
  url: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<{ readonly seq: number; readonly type: string }> {
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
    signal,
  });
  if (!response.ok || response.body === null) throw new Fault(`${url}: ${response.status}`);
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const seq = /^id: (\d+)$/m.exec(frame)?.[1];
      const type = /^event: (.+)$/m.exec(frame)?.[1];
      if (seq !== undefined && type !== undefined) yield { seq: Number(seq), type };
    }
  }
}
