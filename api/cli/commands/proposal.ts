// trimtab policy proposal: shows the order that waits for a signature; with --sign approves what is
// missing, signs and submits it. The order is read and hashed here; one that is another's, pays another
// or names other contracts than the network file is not signed, whatever the service says.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createWalletClient, erc20Abi, formatUnits, type Hex, http, publicActions } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { orderFromJson } from '../../../contracts-abi/orderJson.ts';
import { orderDigest, type PortfolioOrder } from '../../../contracts-abi/typedData.ts';
import { parseJsonText } from '../../../solver/market/jsonText.ts';
import { parseNetwork } from '../../../solver/market/networkFile.ts';
import { Fault, InvalidInput } from '../../../solver/types/errors.ts';
import type { JsonObject } from '../../../solver/types/json.ts';
import type { NetworkConfig } from '../../../solver/types/network.ts';
import type { ProposalView } from '../../../solver/types/policyService.ts';
import { stateHome } from '../home.ts';
import { RefusedByService, request } from '../http.ts';
import { readParsed } from './files.ts';
import { time } from './policyText.ts';

export interface SigningOptions {
  readonly api: string;
  readonly approve?: true;
  readonly rpc: readonly string[];
  readonly network?: string;
}

/** What the wallet's own view of the chains is: nodes to ask, tokens and contracts it knows. */
export interface Chains {
  /** URL by chain id. */
  readonly rpcs: ReadonlyMap<number, string>;
  readonly network: NetworkConfig | null;
}

/** One input of the order, and what its settler may take of it. */
export interface Allowance {
  readonly chainId: number;
  readonly token: Hex;
  readonly spender: Hex;
  /** Base units. */
  readonly required: bigint;
  /** null: no node was asked. */
  readonly allowance: bigint | null;
}

/** Throws InvalidInput for a node that is written wrongly, or a network file that is none. */
export function chainsFrom({ rpc, network }: Pick<SigningOptions, 'rpc' | 'network'>): Chains {
  const lab = join(stateHome(), 'lab', 'network.json');
  const path = network ?? (existsSync(lab) ? lab : null);
  const config =
    path === null ? null : readParsed(path, (text) => parseNetwork(parseJsonText(text)));
  const rpcs = new Map(
    (config?.chains ?? []).map(({ chainId, rpcUrl }) => [Number(chainId), rpcUrl]),
  );
  for (const text of rpc) rpcs.set(...rpcOf(text));
  return { rpcs, network: config };
}

/** `31338=http://127.0.0.1:8545` */
export function rpcOf(text: string): readonly [number, string] {
  const [, id = '', url = ''] = /^([1-9][0-9]{0,15})=(https?:\/\/\S+)$/.exec(text) ?? [];
  if (id !== '' && URL.canParse(url)) return [Number(id), url];
  const message = `takes chainId=url, such as 31338=http://127.0.0.1:8545; got ${text.slice(0, 200)}`;
  throw new InvalidInput(message, { pointer: '--rpc' });
}

/** The order that is proposed. Throws Fault where it is none, or not one that `owner` should sign. */
export function orderOf(
  live: ProposalView,
  owner: Hex,
  network: NetworkConfig | null,
): PortfolioOrder {
  const { payload } = (live.response.order ?? {}) as { payload?: { message?: unknown } };
  let order: PortfolioOrder;
  try {
    order = orderFromJson(payload?.message);
  } catch (cause) {
    throw new Fault('the service proposes an order that cannot be read; nothing was signed', {
      cause,
      retryable: false,
    });
  }
  const not = (why: string): never => {
    throw new Fault(`the proposed order ${why}; nothing was signed`, { retryable: false });
  };
  if (order.owner !== owner.toLowerCase()) {
    const message = `the key is ${owner}'s, the proposed order ${order.owner}'s; nothing was signed`;
    throw new InvalidInput(message);
  }
  const recipient = `0x${owner.slice(2).toLowerCase().padStart(64, '0')}`;
  const stray = order.outputs.find((output) => output.recipient !== recipient);
  if (stray !== undefined) not(`pays ${stray.recipient}, not its owner`);
  for (const { chainId, settler } of order.origins) {
    const known = network?.chains.find((chain) => BigInt(chain.chainId) === chainId)?.contracts;
    if (known !== undefined && known.portfolioSettler !== settler) {
      not(`names ${settler} as settler on chain ${chainId}; the network file has another`);
    }
  }
  return order;
}

/** Every input, with what its chain says where a node is known. A node that is silent is a Fault. */
async function allowancesOf(
  order: PortfolioOrder,
  account: PrivateKeyAccount,
  { rpcs }: Chains,
): Promise<readonly Allowance[]> {
  const perOrigin = order.origins.map(async ({ chainId, settler, inputs }) => {
    const id = Number(chainId);
    const url = rpcs.get(id);
    const client = url === undefined ? null : await clientOf(id, url, account);
    return Promise.all(
      inputs.map(async ({ token, amount }): Promise<Allowance> => {
        const allowance =
          client === null
            ? null
            : await asking(id, () =>
                client.readContract({
                  address: token,
                  abi: erc20Abi,
                  functionName: 'allowance',
                  args: [account.address, settler],
                }),
              );
        return { chainId: id, token, spender: settler, required: amount, allowance };
      }),
    );
  });
  return (await Promise.all(perOrigin)).flat();
}

/** What stands in the way: by the chain's word, or by the service's where no node was asked. */
export function missingOf(
  allowances: readonly Allowance[],
  live: ProposalView,
): readonly Allowance[] {
  const { approvals = [] } = (live.response.metadata ?? {}) as {
    approvals?: readonly { chainId: number; token: string }[];
  };
  return allowances.filter(({ chainId, token, allowance, required }) =>
    allowance === null
      ? approvals.some((one) => one.chainId === chainId && one.token.toLowerCase() === token)
      : allowance < required,
  );
}

export function approvalText(one: Allowance, network: NetworkConfig | null): string {
  const { chainId, token, spender, required, allowance } = one;
  const had = allowance === null ? '' : `, ${allowance} now`;
  const amount = amountText(chainId, token, required, network);
  return `chain ${chainId}: token ${token}, spender ${spender}, amount ${required} (${amount}${had})`;
}

function amountText(
  chainId: number,
  token: string,
  amount: bigint,
  network: NetworkConfig | null,
): string {
  const known = network?.chains
    .find((chain) => Number(chain.chainId) === chainId)
    ?.tokens.find(({ address }) => address === token.toLowerCase());
  return known === undefined
    ? 'base units'
    : `${formatUnits(amount, known.decimals)} ${known.symbol}`;
}

/** What the order takes and gives, its fees, and what was missing when it was quoted. */
export function proposalText(live: ProposalView, network: NetworkConfig | null): readonly string[] {
  const { preview, metadata } = live.response as unknown as {
    preview?: { inputs?: readonly Flow[]; outputs?: readonly Flow[] };
    metadata?: { totalFeesUsd?: string };
  };
  const flow = (word: string) => (one: Flow) => {
    const token = `0x${one.asset.slice(-40)}`;
    const whole = (amount: string) => {
      const text = amountText(one.chainId, token, BigInt(amount), network);
      return text === 'base units' ? `${amount} base units of ${one.symbol}` : text;
    };
    const least = one.minimumAmount === undefined ? '' : `, at least ${whole(one.minimumAmount)}`;
    return `  ${word} on chain ${one.chainId}: ${whole(one.amount)}${least}`;
  };
  return [
    `quote ${live.quoteId}, to be signed before ${time(live.validUntil)}`,
    ...(preview?.inputs ?? []).map(flow('takes')),
    ...(preview?.outputs ?? []).map(flow('gives')),
    ...(metadata?.totalFeesUsd === undefined ? [] : [`  fees $${metadata.totalFeesUsd}, included`]),
  ];
}

interface Flow {
  readonly asset: string;
  readonly symbol: string;
  readonly chainId: number;
  readonly amount: string;
  readonly minimumAmount?: string;
}

/** Approvals, signature, submission; the service's answer. Progress goes to stderr. */
export async function signProposal(
  live: ProposalView,
  account: PrivateKeyAccount,
  options: SigningOptions,
): Promise<JsonObject> {
  const chains = chainsFrom(options);
  const order = orderOf(live, account.address, chains.network);
  const missing = missingOf(await allowancesOf(order, account, chains), live);
  if (missing.length > 0) {
    for (const one of missing) {
      const seen = one.allowance === null ? 'may be missing' : 'missing';
      console.error(`approval ${seen}: ${approvalText(one, chains.network)}`);
    }
    if (options.approve) await approveAll(missing, account, chains);
    else if (missing.some(({ allowance }) => allowance !== null)) {
      throw new RefusedByService({
        status: 422,
        detail: `${missing.length} approvals are missing; nothing was signed`,
        remedy: 'Add --approve, or approve these amounts with your wallet and sign then.',
      });
    } else {
      console.error('no node is known that could tell (--rpc, --network): the service decides');
    }
  }
  const signature = await account.sign({ hash: orderDigest(order) });
  const body = { quoteId: live.quoteId, signature };
  return request(`${options.api}/v1/orders`, { body });
}

/** One after another, the exact amounts; every chain must be the one it is taken for. */
async function approveAll(
  missing: readonly Allowance[],
  account: PrivateKeyAccount,
  { rpcs }: Chains,
): Promise<void> {
  const unknown = missing.find(({ chainId }) => !rpcs.has(chainId));
  if (unknown !== undefined) {
    const { chainId } = unknown;
    const message = `a node of chain ${chainId} is needed to approve: --rpc ${chainId}=https://…`;
    throw new InvalidInput(message, { pointer: '--approve' });
  }
  for (const one of missing) {
    const client = await clientOf(one.chainId, rpcs.get(one.chainId) ?? '', account);
    // Some tokens refuse to change an allowance that is not 0.
    const amounts = (one.allowance ?? 0n) > 0n ? [0n, one.required] : [one.required];
    for (const amount of amounts) {
      const { token, spender, chainId } = one;
      const hash = await asking(chainId, () =>
        client.writeContract({
          chain: null,
          address: token,
          abi: erc20Abi,
          functionName: 'approve',
          args: [spender, amount],
        }),
      );
      const { status } = await asking(chainId, () => client.waitForTransactionReceipt({ hash }));
      if (status !== 'success') {
        throw new Fault(`approving ${token} on chain ${chainId} reverted: ${hash}`, {
          retryable: false,
        });
      }
      console.error(`approved on chain ${chainId}: ${amount} of ${token} (${hash})`);
    }
  }
}

/** Throws InvalidInput when the node is another chain's. */
async function clientOf(chainId: number, url: string, account: PrivateKeyAccount) {
  const client = createWalletClient({ account, transport: http(url) }).extend(publicActions);
  const said = await asking(chainId, () => client.getChainId());
  if (said === chainId) return client;
  const message = `the node given for chain ${chainId} is of chain ${said}`;
  throw new InvalidInput(message, { pointer: '--rpc' });
}

async function asking<T>(chainId: number, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const why = cause as { shortMessage?: string };
    const message = `chain ${chainId}'s node: ${why.shortMessage ?? 'no answer'}`;
    throw new Fault(message, { cause, code: 'nodeFault' });
  }
}
