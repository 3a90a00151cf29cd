// trimtab policy: write, arm, follow, revoke and resume standing policies; trimtab drift. What is signed
// is rebuilt here from the document: the service's word is not taken for it. `--json` prints what the
// service answered, one value. Exits 0, 1 when the answer is no, 2 on bad input, 3 when nobody answers.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Command } from 'commander';
import type { Hex } from 'viem';
import {
  hashPolicy,
  policyDigest,
  readPolicyDigest,
  resumePolicyDigest,
  revokePolicyDigest,
} from '../../../contracts-abi/policyTypedData.ts';
import { canonicalJson, parseJsonText } from '../../../solver/market/jsonText.ts';
import { parsePolicy, policyProblems } from '../../../solver/policy/parse.ts';
import { readTime } from '../../../solver/policy/parseFields.ts';
import { Fault, InvalidInput } from '../../../solver/types/errors.ts';
import type { JsonObject } from '../../../solver/types/json.ts';
import type {
  DryRun,
  PolicyEventView,
  PolicyView,
  PortfolioView,
  ProposalView,
} from '../../../solver/types/policyService.ts';
import { follow, RefusedByService, request } from '../http.ts';
import { readParsed } from './files.ts';
import {
  dryRunText,
  eventText,
  listText,
  percent,
  policyText,
  portfolioText,
  print,
} from './policyText.ts';
import { chainsFrom, proposalText, type SigningOptions, signProposal } from './proposal.ts';
import { hasKey, KEY_HELP, KEY_OPTION, walletOf } from './wallet.ts';

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

const EXAMPLE = `
A policy in one line: {"targets":{"BTC":"0.5","ETH":"0.3","CASH":"0.2"}}; every field: docs/policy.md
In order: check, dry-run, arm, decisions --follow, proposal --sign --approve; revoke ends it.
Against \`npm start\`, sign as its sample wallet: --key-file .trimtab/lab/accounts.json#wallet`;

const withService = (command: Command): Command =>
  command
    .option('--json', 'print the answer as JSON')
    .option(
      '--api <url>',
      'the service; or TRIMTAB_API',
      bare,
      bare(process.env.TRIMTAB_API ?? DEFAULT_API),
    );

const bare = (url: string): string => url.replace(/\/+$/, '');

export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .description('standing policies: the keeper watches, proposes; the owner signs')
    .addHelpText('after', EXAMPLE);
  const command = (name: string, about: string) =>
    withService(policy.command(name).description(about)).option(KEY_OPTION, KEY_HELP);
  policy
    .command('check')
    .description('read a policy file and list everything that is wrong with it; asks nobody')
    .argument('<policy.json>')
    .option('--json', 'print {"policy", "problems"}: as it was read, defaults filled in')
    .action(check);
  command('dry-run', 'what the policy would do now, and why; writes nothing')
    .argument('<policy.json>')
    .option('--owner <address>', 'whose portfolio; default the key’s')
    .action(dryRun);
  command('arm', 'sign a policy and have it watched; again: the same policy')
    .argument('<policy.json>')
    .option('--nonce <number>', 'one policy per owner and nonce; default made of the document')
    .option('--expires <time>', 'when it ends, ISO 8601 or Unix seconds; default never')
    .action(arm);
  command('list', 'an owner’s policies')
    .option('--owner <address>', 'default the key’s')
    .action(list);
  command('show', 'a policy’s state, its last decision, what happens next')
    .argument('<policyId>')
    .action(show);
  command('decisions', 'why it acted and why it waited, from the first on')
    .argument('<policyId>')
    .option('--follow', 'go on as decisions are made; with --json one event per line')
    .action(decisions);
  command('proposal', 'the order that waits for a signature')
    .argument('<policyId>')
    .option('--sign', 'sign and submit it; says which approvals are missing')
    .option('--approve', 'with --sign: send the missing approvals first, exact amounts')
    .option(
      '--rpc <chainId=url>',
      'a node to ask for allowances and to approve at; repeat',
      collect,
      [],
    )
    .option('--network <file>', 'nodes, tokens, contracts; default the lab’s network.json')
    .action(proposal);
  command('revoke', 'end a policy for good').argument('<policyId>').action(revoke);
  command('resume', 'let a halted policy go on').argument('<policyId>').action(resume);
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function registerDrift(program: Command): void {
  withService(program.command('drift').description('how far a portfolio stands from its targets'))
    .argument('<policy.json>', 'a policy; `{"targets": …}` is enough')
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
  const problems = policyProblems(document).map(({ pointer, message }) => ({ pointer, message }));
  for (const { pointer, message } of problems) console.error(`${path}#${pointer}: ${message}`);
  if (problems.length > 0) {
    process.exitCode = 2;
    if (json) print(json, { policy: null, problems }, () => []);
    return;
  }
  const policy = parsePolicy(document);
  // JSON has no infinity: what is unlimited reads as null.
  print(json, { policy: policy as unknown as JsonObject, problems }, () => [
    `${policy.name}: ${policy.assets
      .map((asset, i) => `${asset} ${percent(policy.targets[i] ?? 0)}`)
      .join(', ')}`,
    'every default as it was read: --json; what the fields mean: docs/policy.md',
  ]);
}

async function dryRun(path: string, options: Owned): Promise<void> {
  const body = { document: documentOf(path), owner: ownerOf(options) };
  const answer = await request(`${options.api}/v1/policies/dry-run`, { body });
  print(options.json, answer, () => dryRunText(answer as unknown as DryRun));
}

async function arm(
  path: string,
  options: Keyed & { readonly nonce?: string; readonly expires?: string },
): Promise<void> {
  const document = documentOf(path);
  const account = walletOf(options.keyFile);
  const expires = expiryOf(options.expires);
  const canonical = canonicalJson(document);
  const nonce = options.nonce ?? nonceOf(`${canonical} until ${expires}`);
  if (!/^(0|[1-9]\d{0,76})$/.test(nonce)) {
    throw new InvalidInput(`takes a whole number, got ${nonce}`, { pointer: '--nonce' });
  }
  const signed = {
    owner: account.address,
    document: keccak(canonical),
    nonce: BigInt(nonce),
    expires,
  };
  const signature = await account.sign({ hash: policyDigest(signed) });
  const body = { document, owner: account.address, nonce, expires, signature };
  const answer = await request(`${options.api}/v1/policies`, { body });
  const { policyId, created, policy } = answer as unknown as Armed;
  if (policyId !== hashPolicy(signed)) {
    const message = `the service calls the policy ${policyId}, which is not what was signed`;
    throw new Fault(message, { retryable: false });
  }
  print(options.json, answer, () => [
    `${created ? 'armed' : `armed before, ${policy.state} now`}: ${policyId}`,
    ...(isOver(policy) ? [] : [`follow it: trimtab policy decisions ${policyId} --follow`]),
  ]);
  if (!isOver(policy)) return;
  console.error(`it is ${policy.state} for good; to arm the document again, give another --nonce`);
  process.exitCode = 1;
}

interface Armed {
  readonly policyId: Hex;
  readonly created: boolean;
  readonly policy: PolicyView;
}
const isOver = ({ state }: PolicyView): boolean => state === 'revoked' || state === 'expired';

const keccak = (text: string): Hex => `0x${bytesToHex(keccak_256(utf8ToBytes(text)))}`;

/** 128 bits of what is armed: a request that is sent again arms nothing twice. */
const nonceOf = (text: string): string => BigInt(keccak(text).slice(0, 34)).toString();

function expiryOf(text: string | undefined): number {
  if (text === undefined || text === '0') return 0;
  const value = /^\d+$/.test(text) ? Number(text) : text;
  return readTime({ value, pointer: '--expires' });
}

async function list(options: Owned): Promise<void> {
  const owner = encodeURIComponent(ownerOf(options));
  const answer = await request(`${options.api}/v1/policies?owner=${owner}&limit=100`);
  print(options.json, answer, () => listText(answer.policies as unknown as readonly PolicyView[]));
}

async function show(id: string, options: Keyed): Promise<void> {
  const url = policyUrl(options.api, id);
  const answer = await request(url, { headers: await readerOf(id, options) });
  print(options.json, answer, () => policyText(answer as unknown as PolicyView));
}

async function decisions(id: string, options: Keyed & { readonly follow?: true }): Promise<void> {
  const url = policyUrl(options.api, id);
  const headers = await readerOf(id, options);
  if (options.follow) return followDecisions(url, headers, options);
  const log: JsonObject[] = [];
  // Ends with the log: every page starts behind the last one.
  for (let after: number | null = 0; after !== null; ) {
    const page: JsonObject = await request(`${url}/decisions?after=${after}&limit=100`, {
      headers,
    });
    const events = page.decisions as unknown as readonly PolicyEventView[];
    if (options.json) log.push(...(events as unknown as readonly JsonObject[]));
    else for (const event of events) print(undefined, {}, () => eventText(event));
    after = page.next as number | null;
  }
  if (options.json) print(true, { decisions: log }, () => []);
}

async function followDecisions(
  url: string,
  headers: Readonly<Record<string, string>>,
  { json }: Common,
): Promise<void> {
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const isLast = ({ type }: { type: string }) => /^policy\.(revoked|expired)$/.test(type);
  try {
    for await (const event of follow(`${url}/events`, isLast, stopping.signal, headers)) {
      print(json, event as unknown as JsonObject, () =>
        eventText(event as unknown as PolicyEventView),
      );
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
}

async function proposal(
  id: string,
  options: Keyed & SigningOptions & { readonly sign?: true },
): Promise<void> {
  if (options.approve && !options.sign) {
    throw new InvalidInput('approves what is signed; add --sign', { pointer: '--approve' });
  }
  const { network } = chainsFrom(options);
  const headers = await readerOf(id, options);
  const answer = await request(`${policyUrl(options.api, id)}/proposals`, { headers });
  const [live] = answer.proposals as unknown as readonly ProposalView[];
  if (!options.sign) {
    print(options.json, answer, () =>
      live === undefined ? ['nothing is proposed now'] : proposalText(live, network),
    );
    return;
  }
  const account = walletOf(options.keyFile);
  if (live === undefined) {
    throw new RefusedByService({
      status: 409,
      detail: 'nothing is proposed now, so nothing was signed',
      remedy: `Wait for policy.proposed: trimtab policy decisions ${id} --follow`,
    });
  }
  if (!options.json) print(undefined, {}, () => proposalText(live, network));
  const submitted = await signProposal(live, account, options);
  print(options.json, submitted, () => [
    `order ${submitted.orderId} is submitted`,
    `follow it: trimtab policy decisions ${id} --follow`,
  ]);
}

async function revoke(id: string, options: Keyed): Promise<void> {
  const url = policyUrl(options.api, id);
  const signature = await walletOf(options.keyFile).sign({ hash: revokePolicyDigest(hex(id)) });
  const answer = await request(url, { method: 'DELETE', body: { signature } });
  print(options.json, answer, () => [`${id}  ${answer.state}`, String(answer.note)]);
}

async function resume(id: string, options: Keyed): Promise<void> {
  const url = policyUrl(options.api, id);
  const account = walletOf(options.keyFile);
  const view = await request(url, { headers: await readerOf(id, options) });
  const { haltedEvent, state } = view as unknown as PolicyView;
  if (haltedEvent === null) {
    throw new RefusedByService({
      status: 409,
      detail: `the policy is ${state}: there is nothing to resume`,
    });
  }
  const signature = await account.sign({ hash: resumePolicyDigest(hex(id), haltedEvent) });
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

function ownerOf({ owner, keyFile }: Owned): string {
  if (owner !== undefined) return owner;
  if (hasKey(keyFile)) return walletOf(keyFile).address;
  throw new InvalidInput('whose portfolio? give --owner, --key-file or TRIMTAB_PRIVATE_KEY');
}

const policyUrl = (api: string, id: string) => `${api}/v1/policies/${hex(id)}`;

function hex(id: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(id)) return id.toLowerCase() as Hex;
  throw new InvalidInput('is not a policy id: 0x and 64 hex digits', { pointer: id });
}

/** With a key, the owner's word that we may see a private policy. */
async function readerOf(id: string, { keyFile }: Keyed): Promise<Record<string, string>> {
  if (!hasKey(keyFile)) return {};
  const validUntil = Math.floor(Date.now() / 1000) + READ_SECONDS;
  const signature = await walletOf(keyFile).sign({ hash: readPolicyDigest(hex(id), validUntil) });
  return { 'trimtab-reader': `${validUntil};${signature}` };
}
