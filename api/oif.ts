// The Open Intents Framework's words in ours: its swap request, what of it is refused by name or only
// noted, and its answers without our additions for readers that refuse additions. docs/oif.md lists
// the same. Decides nothing about markets.

import type { JsonObject, SwapAsset, SwapRequest } from '../solver/index.ts';
import { ApiError } from './errors.ts';
import { parseAccount, parseInterop } from './interop.ts';
import type { SwapRequestBody } from './schemas/quotes.ts';

type Intent = SwapRequestBody['intent'];
type Note = SwapRequest['notes'][number];

/** Throws ApiError: invalidAddress, or unsupportedIntent naming what is not served. */
export function swapRequest({ user, intent, supportedTypes }: SwapRequestBody): SwapRequest {
  const owner = parseAccount(user, '/user');
  refuseUnserved(intent);
  for (const [i, input] of intent.inputs.entries()) {
    const pointer = `/intent/inputs/${i}/user`;
    if (parseAccount(input.user, pointer) !== owner) {
      unserved('one user gives all inputs and signs; ask once per user', pointer);
    }
  }
  const [output, other] = intent.outputs;
  if (output === undefined || other !== undefined) {
    unserved('a swap has one output; ask once per output, or for a rebalance', '/intent/outputs');
  }
  const receiver = parseInterop(output.receiver, '/intent/outputs/0/receiver');
  const asset = parseAsset(output.asset, '/intent/outputs/0/asset');
  if (receiver.chain !== null && asset.chain !== undefined && receiver.chain !== asset.chain) {
    const message = `the receiver is on chain ${receiver.chain}, the asset on ${asset.chain}`;
    unserved(`${message}; name one chain`, '/intent/outputs/0/receiver');
  }
  return {
    intentType: 'oif-swap',
    owner,
    swapType: intent.swapType ?? 'exact-input',
    inputs: intent.inputs.map((input, i) => ({
      asset: parseAsset(input.asset, `/intent/inputs/${i}/asset`),
      ...(input.amount === undefined ? {} : { amount: input.amount }),
    })),
    output: {
      // A plain token address is on the receiver's chain, if that names one.
      asset:
        asset.chain === undefined && receiver.chain !== null
          ? { ...asset, chain: receiver.chain }
          : asset,
      ...(output.amount === undefined ? {} : { amount: output.amount }),
      receiver: receiver.address,
    },
    ...(intent.minValidUntil == null ? {} : { minValidUntil: intent.minValidUntil }),
    ...(supportedTypes === undefined ? {} : { supportedTypes }),
    notes: notesOf(intent),
  };
}

function parseAsset(text: string, pointer: string): SwapAsset {
  const { address, chain } = parseInterop(text, pointer);
  return chain === null ? { token: address } : { token: address, chain };
}

/** What would change where money goes or who acts: refused. */
function refuseUnserved({
  inputs,
  outputs,
  originSubmission,
  failureHandling,
  partialFill,
}: Intent): void {
  for (const [i, { lock }] of inputs.entries()) {
    if (lock === undefined || lock === null) continue;
    const message = 'inputs in a resource lock are not taken; give the free token, without lock';
    unserved(message, `/intent/inputs/${i}/lock`);
  }
  for (const [i, { calldata }] of outputs.entries()) {
    if (calldata === undefined || calldata === '' || calldata === '0x') continue;
    const message = 'no calls are made at the destination; leave calldata out';
    unserved(message, `/intent/outputs/${i}/calldata`);
  }
  if (originSubmission?.mode === 'user') {
    const message = 'the filler opens the order, not the user; ask for mode "protocol"';
    unserved(message, '/intent/originSubmission/mode');
  }
  const schemes = originSubmission?.schemes ?? [];
  if (schemes.length > 0 && !schemes.includes('permit2')) {
    const message =
      'of the schemes permit2 is served (and a plain signature of the order); add permit2';
    unserved(message, '/intent/originSubmission/schemes');
  }
  if (failureHandling !== undefined && !failureHandling.includes('refund-automatic')) {
    const message = 'what fails is refunded without being asked; add refund-automatic';
    unserved(message, '/intent/failureHandling');
  }
  if (partialFill === true) {
    const message = 'an order is filled whole or refunded; leave partialFill out';
    unserved(message, '/intent/partialFill');
  }
}

/** Wishes that change nothing about what is signed: said, not refused. */
function notesOf({ preference, inputs }: Intent): readonly Note[] {
  if (preference === undefined || preference === 'price') return [];
  // One input is always taken first; every filler is held by the same contracts.
  if (preference.startsWith('trust')) return [];
  if (preference.startsWith('input') && inputs.length === 1) return [];
  const message =
    `preference ${preference} is not followed: the best price is quoted` +
    (preference === 'speed' ? '' : ', and every input is taken in full');
  return [{ code: 'preferenceIgnored', message }];
}

function unserved(message: string, pointer: string): never {
  throw new ApiError('unsupportedIntent', message, { pointer });
}

/**
 * Whether a caller reads OIF's members and refuses others: its aggregator, by the name it gives
 * itself. It gets the same answers without what we add.
 */
export const readsOifAlone = (userAgent: string | undefined): boolean =>
  userAgent?.startsWith('OIF-Aggregator/') === true;

/** OIF's GetOrder out of ours. */
export function oifOrder(view: JsonObject): JsonObject {
  const { id, status, createdAt, updatedAt, quoteId, settlement, fillTransaction } = view;
  const amounts = (key: string) =>
    (view[key] as readonly JsonObject[]).map(({ asset, amount }) => ({
      asset: asset ?? null,
      amount: amount ?? null,
    }));
  return {
    ...{ id: id ?? null, status: status ?? null },
    ...{ createdAt: createdAt ?? null, updatedAt: updatedAt ?? null },
    ...(quoteId === undefined ? {} : { quoteId }),
    inputAmounts: amounts('inputAmounts'),
    outputAmounts: amounts('outputAmounts'),
    settlement: settlement ?? null,
    ...(fillTransaction === undefined ? {} : { fillTransaction }),
  };
}
