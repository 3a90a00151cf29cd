// trimtab quote and rebalance: targets on the command line, a quote that is checked here (order rebuilt,
// certificate verified without the solver), and for rebalance everything up to settlement. The key signs
// what was rebuilt, never what the service sent.
//   0 quoted, settled · 1 refused, rejected, refunded, failed, not agreed to · 2 bad input · 3 a fault

import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { InvalidInput } from '../../../solver/types/errors.ts';
import {
  type Api,
  approve,
  getCertificate,
  type Offer,
  type Order,
  quoteRebalance,
  type RebalanceParameters,
  signOrder,
  submitOrder,
  type VerifiedCertificate,
  verifyCertificate,
  waitForOrder,
} from '../../client/index.ts';
import { writeText } from './files.ts';
import { eventText, explanationText, orderText, quoteText, signedText } from './quoteText.ts';
import {
  apiOf,
  chainName,
  clientsOf,
  interruptible,
  ownerOf,
  print,
  type WalletOptions,
  withWallet,
} from './service.ts';
import { KEY_HELP, KEY_OPTION, walletOf } from './wallet.ts';

export interface QuoteOptions extends WalletOptions {
  readonly owner?: string;
  readonly chains?: string;
  readonly assets?: string;
  readonly bandBps?: string;
  readonly maxCostBps?: string;
  readonly maxSlippageBps?: string;
  readonly maxLossBps?: string;
  readonly maxGapBps?: string;
  readonly explain?: true;
  readonly out?: string;
}
export interface SignOptions extends WalletOptions {
  readonly yes?: true;
  readonly wait: boolean;
}

const TARGETS_HELP =
  'ETH=60 USDC=40: percent of the portfolio, 100 together; ETH@31339=60 on one chain';

export function registerQuote(program: Command): void {
  const asking = (name: string, about: string) =>
    withWallet(program.command(name).description(about))
      .argument('<targets...>', TARGETS_HELP)
      .option(KEY_OPTION, KEY_HELP)
      .option('--chains <ids>', 'chain ids to trade on, with commas; default all')
      .option('--assets <names>', 'assets to trade, with commas; default those of the targets')
      .option('--band-bps <bps>', 'drift per target that is left alone')
      .option('--max-cost-bps <bps>', 'refuse when fees exceed this share of the portfolio')
      .option('--max-slippage-bps <bps>', 'how far the signed minimum may stand below; default 30')
      .option('--max-loss-bps <bps>', 'refuse to sign away more worth than this; default 1000')
      .option('--max-gap-bps <bps>', 'refuse a plan that is not proven this close to the best')
      .option('--explain', 'why each trade was made or skipped, its marginal cost, and the bound');
  asking('quote', 'price a rebalance, rebuild its order, verify its certificate; signs nothing')
    .option('--owner <address>', 'whose portfolio; default the key’s')
    .option('--out <file>', 'write what `trimtab submit` reads')
    .action(quote);
  withSigning(
    asking('rebalance', 'quote, verify, approve, sign, submit and follow to settlement'),
  ).action(rebalance);
}

export const withSigning = (command: Command): Command =>
  command
    .option('--yes', 'do not ask before approving and signing')
    .option('--no-wait', 'end once it is submitted');

async function quote(targets: readonly string[], options: QuoteOptions): Promise<void> {
  const api = apiOf(options);
  const { offer, certified } = await checkedQuote(api, ownerOf(options), targets, options);
  const { asked, quote: offered, network } = offer;
  const file = { asked, quote: offered, network };
  if (options.out !== undefined) {
    writeText(options.out, `${JSON.stringify(file)}\n`);
    console.error(`written: ${options.out}; sign it with \`trimtab submit ${options.out}\``);
  }
  const explanation = options.explain ? { explanation: certified.explain() } : {};
  print(options.json, { ...file, verified: true, ...explanation }, () => [
    ...quoteText(offer, certified),
    ...(options.explain ? explanationText(certified) : []),
  ]);
}

async function rebalance(
  targets: readonly string[],
  options: QuoteOptions & SignOptions,
): Promise<void> {
  const api = apiOf(options);
  const owner = walletOf(options.keyFile).address;
  const { offer, certified } = await checkedQuote(api, owner, targets, options);
  const say = stepsOf(options.json);
  say('quoted', { quoteId: offer.quoteId, preview: offer.quote.preview }, [
    ...quoteText(offer, certified),
    ...(options.explain ? explanationText(certified) : []),
  ]);
  await signAndFollow(api, offer, options);
}

interface Checked {
  readonly offer: Offer;
  readonly certified: VerifiedCertificate;
}

async function checkedQuote(
  api: Api,
  owner: string,
  targets: readonly string[],
  options: QuoteOptions,
): Promise<Checked> {
  console.error('asking for a quote');
  const offer = await quoteRebalance(api, parametersOf(owner, targets, options));
  console.error('verifying its certificate');
  const maxGapBps = numberOf(options.maxGapBps, '--max-gap-bps');
  const files = await getCertificate(api, { quoteId: offer.quoteId });
  return { offer, certified: verifyCertificate(offer.quote, files, { maxGapBps }) };
}

/** From the words of the command line. Throws InvalidInput. */
export function parametersOf(
  account: string,
  targets: readonly string[],
  options: QuoteOptions,
): RebalanceParameters {
  const list = (text: string | undefined) =>
    text
      ?.split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  const chains = list(options.chains)?.map((text) => chainIdOf(text, '--chains'));
  const assets = list(options.assets);
  const bandBps = numberOf(options.bandBps, '--band-bps');
  const maxCostBps = numberOf(options.maxCostBps, '--max-cost-bps');
  const maxSlippageBps = numberOf(options.maxSlippageBps, '--max-slippage-bps');
  const maxLossBps = numberOf(options.maxLossBps, '--max-loss-bps');
  return {
    account,
    targets: targets.map(targetOf),
    scope: {
      ...(chains === undefined ? {} : { chains }),
      ...(assets === undefined ? {} : { assets }),
    },
    ...(bandBps === undefined ? {} : { bandBps }),
    ...(maxCostBps === undefined ? {} : { maxCostBps }),
    ...(maxSlippageBps === undefined ? {} : { maxSlippageBps }),
    rules: { maxLossBps },
  };
}

/** `ETH=60`, `ETH@31339=12.5`, with or without a % behind. */
function targetOf(text: string) {
  const [, asset = '', chain, share = ''] =
    /^([^@=\s]{1,40})(?:@([0-9]{1,15}))?=([0-9]{1,3}(?:\.[0-9]{1,2})?)%?$/.exec(text) ?? [];
  if (asset === '') {
    const message = `takes ${TARGETS_HELP}; got ${text.slice(0, 80)}`;
    throw new InvalidInput(message, { pointer: '<targets>' });
  }
  const weightBps = Math.round(Number(share) * 100);
  return {
    asset,
    weightBps,
    ...(chain === undefined ? {} : { chain: chainIdOf(chain, '<targets>') }),
  };
}

function chainIdOf(text: string, pointer: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new InvalidInput(`takes chain ids, got ${text.slice(0, 80)}`, { pointer });
}

function numberOf(text: string | undefined, pointer: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,5}(\.[0-9]{1,6})?$/.test(text)) return Number(text);
  throw new InvalidInput(`takes bps, got ${text.slice(0, 80)}`, { pointer });
}

/** For people lines, for programs one JSON object per step. */
export function stepsOf(json: true | undefined) {
  return (step: string, value: object, lines: readonly string[]): void =>
    print(json, { step, ...value }, () => lines);
}

/** Says what is signed, asks, approves, signs, submits and, unless told not to, follows. */
export async function signAndFollow(api: Api, offer: Offer, options: SignOptions): Promise<void> {
  const say = stepsOf(options.json);
  const account = walletOf(options.keyFile);
  const words = signedText(offer);
  say('toSign', { orderId: offer.orderId, words }, words);
  await agree(options);
  const clientOf = clientsOf(account, offer.network, options.rpc);
  await approve(offer, {
    clientOf,
    onApproved: ({ chainId, token, required }, hash) => {
      const where = chainName(offer.network, chainId);
      say('approved', { chainId, token, amount: required.toString(), hash }, [
        `approved ${required} of ${token} on ${where}: ${hash}`,
      ]);
    },
  });
  const [chain] = offer.order.origins;
  const signed = await signOrder(clientOf(Number(chain?.chainId)), offer);
  console.error(`if this is interrupted: trimtab watch ${signed.orderId}`);
  await submitOrder(api, signed);
  say('submitted', { orderId: signed.orderId }, [`submitted ${signed.orderId}`]);
  if (options.wait) await followOrder(api, signed.orderId, options);
}

async function agree({ yes }: SignOptions): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new InvalidInput('nobody is there to ask: nothing was signed', { pointer: '--yes' });
  }
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const said = await ask.question('approve and sign this? [y/N] ');
  ask.close();
  if (/^y(es)?$/i.test(said.trim())) return;
  throw new Declined();
}

/** The owner said no. */
export class Declined extends Error {
  override readonly name = 'Declined';
  constructor() {
    super('not agreed to; nothing was signed');
  }
}

/** Every event, then the order. Exit code 1 unless it settled. */
export async function followOrder(
  api: Api,
  orderId: string,
  { json }: { readonly json?: true },
): Promise<Order> {
  const network = await api.network();
  const order = await waitForOrder(api, {
    orderId,
    signal: interruptible(),
    onEvent: (event) => print(json, { step: 'event', ...event }, () => [eventText(event)]),
  });
  print(json, { step: 'over', order }, () => orderText(order, network));
  if (order.status !== 'finalized') process.exitCode = 1;
  return order;
}
