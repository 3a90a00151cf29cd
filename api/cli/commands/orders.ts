// trimtab submit, watch, cancel, orders: what became of orders, from their ids alone; and the signing
// of a quote that was written to a file.
//   0 done, settled · 1 refused, refunded, failed · 2 bad input · 3 a fault outside

import type { Command } from 'commander';
import { parseJsonText } from '../../../solver/market/jsonText.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import {
  cancelOrder,
  checkQuote,
  listOrders,
  type Offer,
  submitOrder,
} from '../../client/index.ts';
import { readParsed } from './files.ts';
import { followOrder, type SignOptions, signAndFollow, withSigning } from './quote.ts';
import { ordersText, orderText } from './quoteText.ts';
import {
  apiOf,
  clientsOf,
  ownerOf,
  print,
  type ServiceOptions,
  type WalletOptions,
  withService,
  withWallet,
} from './service.ts';
import { KEY_HELP, KEY_OPTION, walletOf } from './wallet.ts';

interface ListOptions extends ServiceOptions {
  readonly owner?: string;
  readonly keyFile?: string;
  readonly cursor?: string;
  readonly limit?: string;
}

export function registerOrders(program: Command): void {
  withSigning(
    withWallet(program.command('submit').description('sign and submit a quote from a file'))
      .argument('<quote.json>', 'what `trimtab quote --out` wrote')
      .option(KEY_OPTION, KEY_HELP)
      .option('--signature <hex>', 'made elsewhere over this very order; approvals are yours then'),
  ).action(submit);
  withService(
    program.command('watch').description('follow an order to its end, from its first event on'),
  )
    .argument('<orderId>')
    .action((id: string, options: ServiceOptions) =>
      followOrder(apiOf(options), orderIdOf(id), options).then(() => {}),
    );
  withWallet(program.command('cancel').description('call an order back that is not awarded yet'))
    .argument('<orderId>')
    .option(KEY_OPTION, KEY_HELP)
    .action(cancel);
  withService(program.command('orders').description('an owner’s orders, newest first'))
    .option('--owner <address>', 'default the key’s')
    .option(KEY_OPTION, KEY_HELP)
    .option('--limit <number>', 'per page, at most 100')
    .option('--cursor <cursor>', 'the page after')
    .action(list);
}

async function submit(
  path: string,
  options: SignOptions & { readonly signature?: string },
): Promise<void> {
  const saved = readParsed(path, parseJsonText) as unknown as Partial<Offer> | null;
  if (saved?.quote === undefined || saved.asked === undefined || saved.network === undefined) {
    throw new InvalidInput('holds no quote: give what `trimtab quote --out` wrote', {
      pointer: path,
    });
  }
  const api = apiOf(options);
  const network = options.network === undefined ? saved.network : await api.network();
  const offer = checkQuote(saved.asked, saved.quote, network);
  if (options.signature === undefined) return signAndFollow(api, offer, options);
  if (!/^0x([0-9a-fA-F]{2})+$/.test(options.signature)) {
    throw new InvalidInput('takes hex bytes with 0x in front', { pointer: '--signature' });
  }
  const signature = options.signature as `0x${string}`;
  const { quoteId, orderId } = offer;
  const order = await submitOrder(api, { quoteId, orderId, signature });
  print(options.json, { step: 'submitted', orderId }, () => orderText(order, network));
  if (options.wait) await followOrder(api, orderId, options);
}

async function cancel(id: string, options: WalletOptions): Promise<void> {
  const api = apiOf(options);
  const network = await api.network();
  const account = walletOf(options.keyFile);
  const [chain] = network.chains;
  // Signing needs no node; the client is of any chain.
  const wallet = clientsOf(account, network, options.rpc)(chain?.chainId ?? 0);
  const order = await cancelOrder(api, wallet, { orderId: orderIdOf(id) });
  print(options.json, order, () => orderText(order, network));
}

async function list(options: ListOptions): Promise<void> {
  const { cursor, limit } = options;
  const page = await listOrders(apiOf(options), {
    owner: ownerOf(options),
    cursor,
    limit: limit === undefined ? undefined : Number(limit),
  });
  print(options.json, page, () => ordersText(page));
}

function orderIdOf(id: string): string {
  if (/^0x[0-9a-fA-F]{64}$/.test(id)) return id.toLowerCase();
  throw new InvalidInput('is not an order id: 0x and 64 hex digits', { pointer: id.slice(0, 80) });
}
