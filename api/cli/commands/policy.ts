// trimtab policy: write, arm, follow, revoke and resume standing policies; trimtab drift. What is signed
// is rebuilt here from the document: the service's word is not taken for it. `--json` prints what the
// service answered. Exits 0, 1 when the answer is no, 2 on bad input, 3 when nobody answers.

import { randomBytes } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Command } from 'commander';
import { type Hex, hexToBigInt, toHex } from 'viem';
import {
  policyDigest,
  readPolicyDigest,
  resumePolicyDigest,
  revokePolicyDigest,
} from '../../../contracts-abi/policyTypedData.ts';
import { canonicalJson, parseJsonText } from '../../../solver/market/jsonText.ts';
import { parsePolicy, policyProblems } from '../../../solver/policy/parse.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import type { Json, JsonObject } from '../../../solver/types/json.ts';
import type {
  DecisionView,
  DryRun,
  PolicyEventView,
  PolicyView,
  PortfolioView,
  ProposalView,
  ReasonView,
} from '../../../solver/types/policyService.ts';
import { follow, request } from '../http.ts';
import { readParsed } from './files.ts';
import { KEY_HELP, KEY_OPTION, walletOf } from './wallet.ts';

const DEFAULT_API = 'http://127.0.0.1:8787';
/** A reader's signature lasts this long. */
const READ_SECONDS = 600;

interface Common {
  readonly json?: true;
  readonly api: string;
}
interface Keyed extends Common {
  readonly keyFile?: string;
}
interface Owned extends Keyed {
  readonly owner?: string;
}

export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .description('standing policies: the keeper watches, proposes; the owner signs');
  const command = (name: string, about: string) =>
    policy
      .command(name)
      .description(about)
      .option('--json', 'print the answer as JSON')
      .option('--api <url>', 'the service', process.env.TRIMTAB_API ?? DEFAULT_API);
  policy
    .command('check')
    .description('read a policy file and list everything that is wrong with it; asks nobody')
    .argument('<policy.json>')
    .option('--json', 'print the policy with every default filled in')
    .action(check);
  command('dry-run', 'what the policy would do now, and why; writes nothing')
    .argument('<policy.json>')
    .option('--owner <address>', 'whose portfolio; default the key’s')
    .option(KEY_OPTION, KEY_HELP)
    .action(dryRun);
  command('arm', 'sign a policy and have it watched')
    .argument('<policy.json>')
    .option('--nonce <number>', 'one policy per owner and nonce; default random')
    .option('--expires <seconds>', 'Unix time at which it ends; default never', '0')
    .option(KEY_OPTION, KEY_HELP)
    .action(arm);
  command('list', 'an owner’s policies')
    .option('--owner <address>', 'default the key’s')
    .option(KEY_OPTION, KEY_HELP)
    .action(list);
  command('show', 'a policy’s state, its last decision, what happens next')
    .argument('<policyId>')
    .option(KEY_OPTION, KEY_HELP)
    .action(show);
  command('decisions', 'why it acted and why it waited')
    .argument('<policyId>')
    .option('--follow', 'go on as decisions are made')
    .option(KEY_OPTION, KEY_HELP)
    .action(decisions);
  command('proposal', 'the order that waits for a signature')
    .argument('<policyId>')
    .option('--sign', 'sign and submit it')
    .option(KEY_OPTION, KEY_HELP)
    .action(proposal);
  command('revoke', 'end a policy for good')
    .argument('<policyId>')
    .option(KEY_OPTION, KEY_HELP)
    .action(revoke);
  command('resume', 'let a halted policy go on')
    .argument('<policyId>')
    .option(KEY_OPTION, KEY_HELP)
    .action(resume);
}

export function registerDrift(program: Command): void {
  program
    .command('drift')
    .description('how far a portfolio stands from its targets')
    .argument('<policy.json>', 'a policy; `{"targets": …}` is enough')
    .option('--json', 'print the answer as JSON')
    .option('--api <url>', 'the service', process.env.TRIMTAB_API ?? DEFAULT_API)
    .option('--owner <address>', 'whose portfolio; default the key’s')
    .option(KEY_OPTION, KEY_HELP)
    .action(async (path: string, options: Owned) => {
      const { api, json } = options;
      const body = { document: documentOf(path), owner: ownerOf(options) };
      const view = await request(`${api}/v1/policies/drift`, { body });
      print(json, view, () => portfolioText(view as unknown as PortfolioView));
    });
}

function check(path: string, { json }: { readonly json?: true }): void {
  const document = readParsed(path, parseJsonText);
  const problems = policyProblems(document);
  if (problems.length > 0) {
    for (const { pointer, message } of problems) console.error(`${path}#${pointer}: ${message}`);
    process.exitCode = 2;
    return;
  }
  const policy = parsePolicy(document);
  // JSON has no infinity: what is unlimited reads as null.
  print(json, policy as unknown as JsonObject, () => [
    `${policy.name || 'policy'}: ${policy.assets
      .map((asset, i) => `${asset} ${percent(policy.targets[i] ?? 0)}`)
      .join(', ')}`,
    'every field with its default: --json; what they mean: docs/policy.md',
  ]);
}

async function dryRun(path: string, options: Owned): Promise<void> {
  const body = { document: documentOf(path), owner: ownerOf(options) };
  const answer = await request(`${options.api}/v1/policies/dry-run`, { body });
  const run = answer as unknown as DryRun;
  print(options.json, answer, () => [
    ...portfolioText(run.portfolio),
    ...decisionText(run.decision),
    ...(run.quote === null
      ? []
      : [run.quote.offered ? 'a quote is offered' : `no quote: ${run.quote.message}`]),
  ]);
}

async function arm(
  path: string,
  options: Keyed & { readonly nonce?: string; readonly expires: string },
): Promise<void> {
  const document = documentOf(path);
  const account = walletOf(options.keyFile);
  const nonce = options.nonce ?? hexToBigInt(toHex(randomBytes(16))).toString();
  if (!/^(0|[1-9]\d{0,76})$/.test(nonce)) {
    throw new InvalidInput(`takes a whole number, got ${nonce}`, { pointer: '--nonce' });
  }
  const expires = Number(options.expires);
  if (!Number.isInteger(expires) || expires < 0 || expires > 0xffffffff) {
    throw new InvalidInput('takes Unix seconds, 0 for never', { pointer: '--expires' });
  }
  const hash = keccak_256(new TextEncoder().encode(canonicalJson(document as Json)));
  const signature = await account.sign({
    hash: policyDigest({
      owner: account.address,
      document: `0x${bytesToHex(hash)}`,
      nonce: BigInt(nonce),
      expires,
    }),
  });
  const body = { document, owner: account.address, nonce, expires, signature };
  const answer = await request(`${options.api}/v1/policies`, { body });
  const { policyId, created } = answer as { policyId: Hex; created: boolean };
  print(options.json, answer, () => [
    `${created ? 'armed' : 'armed before'}: ${policyId}`,
    `follow it: trimtab policy decisions ${policyId} --follow`,
  ]);
}

async function list(options: Owned): Promise<void> {
  const answer = await request(`${options.api}/v1/policies?owner=${ownerOf(options)}`);
  const policies = answer.policies as unknown as readonly PolicyView[];
  print(options.json, answer, () =>
    policies.length === 0
      ? ['no policies']
      : policies.map(({ policyId, state, note }) => `${policyId}  ${state.padEnd(10)}  ${note}`),
  );
}

async function show(id: string, options: Keyed): Promise<void> {
  const answer = await request(policyUrl(options.api, id), {
    headers: await readerOf(id, options),
  });
  const view = answer as unknown as PolicyView;
  print(options.json, answer, () => [
    `${view.policyId}  ${view.state}`,
    view.note,
    ...(view.lastDecision === null ? [] : decisionText(view.lastDecision)),
    ...(view.proposal === null
      ? []
      : [`waits for a signature: trimtab policy proposal ${view.policyId} --sign`]),
  ]);
}

async function decisions(id: string, options: Keyed & { readonly follow?: true }): Promise<void> {
  const headers = await readerOf(id, options);
  const url = policyUrl(options.api, id);
  const say = (event: PolicyEventView) =>
    print(options.json, event as unknown as JsonObject, () => eventText(event));
  if (options.follow) {
    const stopping = new AbortController();
    process.once('SIGINT', () => stopping.abort());
    const isLast = ({ type }: { type: string }) => /^policy\.(revoked|expired)$/.test(type);
    try {
      for await (const event of follow(`${url}/events`, isLast, stopping.signal, headers)) {
        say(event as unknown as PolicyEventView);
      }
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
    return;
  }
  // Ends with the log: every page starts behind the last one.
  for (let after: number | null = 0; after !== null; ) {
    const page: JsonObject = await request(`${url}/decisions?after=${after}&limit=100`, {
      headers,
    });
    for (const event of page.decisions as unknown as readonly PolicyEventView[]) say(event);
    after = page.next as number | null;
  }
}

async function proposal(id: string, options: Keyed & { readonly sign?: true }): Promise<void> {
  const headers = await readerOf(id, options);
  const answer = await request(`${policyUrl(options.api, id)}/proposals`, { headers });
  const [live] = answer.proposals as unknown as readonly ProposalView[];
  if (live === undefined || !options.sign) {
    print(options.json, answer, () =>
      live === undefined ? ['nothing is proposed now'] : proposalText(live),
    );
    return;
  }
  const account = walletOf(options.keyFile);
  const { payload } = live.response.order as unknown as {
    payload: Parameters<typeof account.signTypedData>[0];
  };
  const signature = await account.signTypedData(payload);
  const body = { quoteId: live.quoteId, signature };
  const submitted = await request(`${options.api}/v1/orders`, { body });
  print(options.json, submitted, () => [...proposalText(live), `order ${submitted.orderId}`]);
}

async function revoke(id: string, options: Keyed): Promise<void> {
  const signature = await walletOf(options.keyFile).sign({ hash: revokePolicyDigest(hex(id)) });
  const url = policyUrl(options.api, id);
  const answer = await request(url, { method: 'DELETE', body: { signature } });
  print(options.json, answer, () => [`${id}  ${answer.state}`, String(answer.note)]);
}

async function resume(id: string, options: Keyed): Promise<void> {
  const url = policyUrl(options.api, id);
  const { haltedEvent } = (await request(url, {
    headers: await readerOf(id, options),
  })) as unknown as PolicyView;
  if (haltedEvent === null) throw new InvalidInput('it does not stand halted', { pointer: id });
  const hash = resumePolicyDigest(hex(id), haltedEvent);
  const signature = await walletOf(options.keyFile).sign({ hash });
  const answer = await request(`${url}/resume`, { body: { signature } });
  print(options.json, answer, () => [`${id}  ${answer.state}`, String(answer.note)]);
}

function documentOf(path: string): JsonObject {
  return readParsed(path, (text) => {
    const document = parseJsonText(text);
    parsePolicy(document);
    return document as JsonObject;
  });
}

const ownerOf = ({ owner, keyFile }: Owned) => owner ?? walletOf(keyFile).address;

const policyUrl = (api: string, id: string) => `${api}/v1/policies/${hex(id)}`;

function hex(id: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(id)) return id.toLowerCase() as Hex;
  throw new InvalidInput('is not a policy id: 0x and 64 hex digits', { pointer: id });
}

/** With a key, the owner's word that we may see a private policy. */
async function readerOf(id: string, { keyFile }: Keyed): Promise<Record<string, string>> {
  if (keyFile === undefined && process.env.TRIMTAB_PRIVATE_KEY === undefined) return {};
  const validUntil = Math.floor(Date.now() / 1000) + READ_SECONDS;
  const signature = await walletOf(keyFile).sign({ hash: readPolicyDigest(hex(id), validUntil) });
  return { 'trimtab-reader': `${validUntil};${signature}` };
}

function print(json: true | undefined, answer: JsonObject, text: () => readonly string[]): void {
  // A matrix prints as a list, not as an object of its indices.
  const plain = (_: string, value: unknown) => (value instanceof Float64Array ? [...value] : value);
  const out = json ? JSON.stringify(answer, plain) : text().join('\n');
  process.stdout.write(`${out}\n`);
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const dollars = (amount: number) => `$${amount.toFixed(2)}`;
const time = (at: number) => new Date(at * 1000).toISOString().replace('.000Z', 'Z');

function portfolioText(view: PortfolioView): readonly string[] {
  const rows = view.assets.map(
    ({ asset, weight, target, drift, worthUsd }) =>
      `${asset.padEnd(8)} ${percent(weight).padStart(9)}  target ${percent(target).padStart(9)}  ` +
      `drift ${percent(drift).padStart(9)}  ${dollars(worthUsd)}`,
  );
  return [
    `worth ${dollars(view.worthUsd)}, in flight ${dollars(view.inFlightUsd)}`,
    ...rows,
    `largest drift ${percent(view.largestDrift)}, tracking error ${percent(view.trackingError)} a ` +
      `year (${view.forecast}), turnover to the targets ${percent(view.turnover)}`,
  ];
}

function decisionText(decision: DecisionView): readonly string[] {
  const { kind, cause, mode, aim, reasons, skipped, nextAt } = decision;
  const line = (mark: string) => (reason: ReasonView) => `  ${mark} ${reason.message}`;
  return [
    `${kind === 'act' ? `acts (${cause})` : 'waits'}${mode === 'normal' ? '' : `, ${mode}`}`,
    ...(aim === null
      ? []
      : [
          `  to ${Object.entries(aim.landing)
            .map(([asset, weight]) => `${asset} ${percent(weight)}`)
            .join(', ')}`,
        ]),
    ...reasons.map(line('because')),
    ...skipped.map(line('skipped')),
    `  looks again at ${time(nextAt)}`,
  ];
}

function eventText({ number, at, type, data }: PolicyEventView): readonly string[] {
  const decision = data.decision as unknown as DecisionView | undefined;
  const note = typeof data.message === 'string' ? `  ${data.message}` : '';
  return [
    `${String(number).padStart(5)}  ${time(at)}  ${type}${note}`,
    ...(decision === undefined ? [] : decisionText(decision).map((line) => `       ${line}`)),
  ];
}

function proposalText({ quoteId, validUntil, response }: ProposalView): readonly string[] {
  const { totalFeesUsd } = (response.metadata ?? {}) as { totalFeesUsd?: string };
  return [
    `quote ${quoteId}, to be signed before ${time(validUntil)}`,
    ...(totalFeesUsd === undefined ? [] : [`fees $${totalFeesUsd}`]),
  ];
}
