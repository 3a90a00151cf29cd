// One lab chain over JSON-RPC: viem's client plus the few node calls the lab needs. Every request
// has a time limit and none is repeated here: loops above decide that.

import {
  type Chain,
  createPublicClient,
  defineChain,
  type HttpTransport,
  http,
  type PublicClient,
} from 'viem';
import type { Hex } from '../types/ids.ts';

export interface LabRpc {
  readonly chainId: number;
  readonly url: string;
  readonly client: PublicClient<HttpTransport, Chain>;
  /** A method viem has no type for. */
  request<T>(method: string, params?: readonly unknown[]): Promise<T>;
}

const REQUEST_TIMEOUT_MS = 10_000;

export function labRpc(chainId: number, url: string): LabRpc {
  const chain = defineChain({
    id: chainId,
    name: `lab ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const transport = http(url, {
    timeout: REQUEST_TIMEOUT_MS,
    retryCount: 0,
    batch: { batchSize: 100, wait: 0 },
  });
  const client = createPublicClient({ chain, transport, cacheTime: 0, pollingInterval: 100 });
  const request = client.request as (args: {
    method: string;
    params?: readonly unknown[];
  }) => Promise<unknown>;
  return {
    chainId,
    url,
    client,
    request: async <T>(method: string, params: readonly unknown[] = []) =>
      (await request({ method, params })) as T,
  };
}

/** Sets the chain's clock to the machine's; the next block carries it. */
export async function setClockToNow(rpc: LabRpc): Promise<void> {
  await rpc.request('evm_setTime', [Math.floor(Date.now() / 1000)]);
}

export const toQuantity = (value: bigint | number): Hex => `0x${BigInt(value).toString(16)}`;
