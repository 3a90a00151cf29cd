// One throw-away anvil for conformance tests: on a free port, killed by its pid on every exit path.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  type Abi,
  type Address,
  createPublicClient,
  createWalletClient,
  defineChain,
  type Hex,
  http,
  type PublicClient,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const BUNDLED = 'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil';
// anvil's first published development account.
const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const CHAIN_ID = 31399;

export interface Artifact {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

export interface TestChain {
  readonly client: PublicClient;
  readonly sender: Address;
  deploy(artifact: Artifact, args: readonly unknown[]): Promise<Address>;
  /** Sends and waits; rejects when reverted. */
  send(to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<void>;
  call<T>(to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<T>;
  /** What a transaction would return; then sends it. */
  create<T>(to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<T>;
  /** Any method of the node, such as anvil_setCode. */
  rpc(method: string, params: readonly unknown[]): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startChain(): Promise<TestChain> {
  const { child, port } = await spawnAnvil();
  const url = `http://127.0.0.1:${port}`;
  const chain = defineChain({
    id: CHAIN_ID,
    name: 'conformance',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const transport = http(url, { batch: { batchSize: 200 }, timeout: 60_000, retryCount: 0 });
  const client = createPublicClient({ chain, transport, pollingInterval: 20 }) as PublicClient;
  const account = privateKeyToAccount(KEY);
  const wallet = createWalletClient({ account, chain, transport });
  let nonce = 0;
  // The chain mines on arrival; viem's own waiting subscribes to blocks and may miss that one.
  const mined = async (hash: Hex) => {
    for (let attempt = 0; attempt < 500; attempt++) {
      const receipt = await client.getTransactionReceipt({ hash }).catch(() => null);
      if (receipt?.status === 'success') return receipt;
      if (receipt !== null) throw new Error(`reverted: ${hash}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`not mined in 5 s: ${hash}`);
  };
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gas: 20_000_000n };
  const send: TestChain['send'] = async (address, abi, functionName, args) => {
    const request = { address, abi, functionName, args, nonce: nonce++, ...fees };
    const hash = await wallet.writeContract(request);
    await mined(hash).catch(async (error: unknown) => {
      await client.simulateContract({ account, address, abi, functionName, args });
      throw error;
    });
  };
  return {
    client,
    send,
    create: async <T>(
      address: Address,
      abi: Abi,
      functionName: string,
      args: readonly unknown[],
    ) => {
      const { result } = await client.simulateContract({
        account,
        address,
        abi,
        functionName,
        args,
      });
      await send(address, abi, functionName, args);
      return result as T;
    },
    rpc: (method, params) => client.request({ method, params } as never),
    sender: account.address,
    deploy: async ({ abi, bytecode }, args) => {
      const hash = await wallet.deployContract({ abi, bytecode, args, nonce: nonce++, ...fees });
      const { contractAddress } = await mined(hash);
      if (!contractAddress) throw new Error('no contract was created');
      return contractAddress;
    },
    call: async <T>(address: Address, abi: Abi, functionName: string, args: readonly unknown[]) =>
      (await client.readContract({ address, abi, functionName, args })) as T,
    stop: () => stop(child),
  };
}

async function spawnAnvil(): Promise<{ child: ChildProcess; port: number }> {
  const command = existsSync(BUNDLED) ? BUNDLED : 'anvil';
  const args = ['--port', '0', '--chain-id', String(CHAIN_ID), '--gas-limit', '1000000000'];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.removeListener('exit', kill));
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('anvil did not start in 20 s')), 20_000);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(text);
      if (match === null) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`anvil ended with ${code}`)));
  }).catch((error: unknown) => {
    kill();
    throw error;
  });
  return { child, port };
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
