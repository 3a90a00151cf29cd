// A submitted order in any of the forms that are served: { order, signature }, { quoteId, signature },
// both, and an aggregator's { quoteResponse, signature }. Reads the order out of its typed data, checks
// that the types sent are those that are hashed, and turns admission's pointers into the body's.

import { PERMIT2_PRIMARY_TYPE, permit2Types } from '../contracts-abi/permit2.ts';
import { domain, portfolioOrderTypes } from '../contracts-abi/typedData.ts';
import type { JsonObject, SubmitRequest } from '../solver/index.ts';
import { ApiError } from './errors.ts';
import { parseAccount } from './interop.ts';
import type { PostOrderBody } from './schemas/orders.ts';

type Order = NonNullable<PostOrderBody['order']>;
type Fields = readonly { readonly name: string; readonly type: string }[];

export interface Submission {
  readonly request: SubmitRequest;
  /** Where in the body admission's pointer is; undefined: nowhere. */
  pointer(pointer: string | undefined): string | undefined;
}

/** Before the schema: another type is a refusal of its own, not a list of field errors. */
export function refuseOtherOrders(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  const { order, quoteResponse } = body as { order?: unknown; quoteResponse?: unknown };
  refuseOtherOrder(order, '/order');
  if (typeof quoteResponse === 'object' && quoteResponse !== null && 'order' in quoteResponse) {
    refuseOtherOrder(quoteResponse.order, '/quoteResponse/order');
  }
}

function refuseOtherOrder(order: unknown, at: string): void {
  if (typeof order !== 'object' || order === null || Array.isArray(order)) return;
  if (!('type' in order)) {
    throw new ApiError('missingField', `${at}/type is missing`, { pointer: `${at}/type` });
  }
  const { type } = order;
  if (typeof type !== 'string' || ['trimtab-portfolio-v1', 'oif-escrow-v0'].includes(type)) return;
  const message =
    `orders of type ${JSON.stringify(type.slice(0, 64))} are not served; ask for a quote of type ` +
    'oif-escrow-v0 or trimtab-portfolio-v1 and sign that';
  throw new ApiError('unsupportedOrderType', message, { pointer: `${at}/type` });
}

/** Throws ApiError: missingField, unsupportedIntent, orderMalformed. */
export function readSubmission(body: PostOrderBody): Submission {
  const { quoteResponse, signature, originSignatures, originSubmission } = body;
  if (quoteResponse !== undefined && body.order !== undefined) {
    const message = 'give the order once: as order, or inside quoteResponse';
    throw new ApiError('invalidField', message, { pointer: '/quoteResponse' });
  }
  const order = quoteResponse?.order ?? body.order;
  const quoteId = quoteResponse?.quoteId ?? body.quoteId;
  if (order === undefined && quoteId === undefined) {
    const message = 'give the order, the quoteId, or both';
    throw new ApiError('missingField', message, { pointer: '/order' });
  }
  if (originSubmission?.mode === 'user') {
    const message = 'the filler opens the order, not the user; send mode "protocol"';
    throw new ApiError('unsupportedIntent', message, { pointer: '/originSubmission/mode' });
  }
  if (body.sponsor !== undefined) parseAccount(body.sponsor, '/sponsor');
  const at = quoteResponse === undefined ? '' : '/quoteResponse';
  const read = order === undefined ? null : readOrder(order, `${at}/order`);
  const request = {
    signature,
    ...(quoteId === undefined ? {} : { quoteId }),
    ...read?.request,
    ...(originSignatures === undefined ? {} : { originSignatures }),
  } as SubmitRequest;
  return {
    request,
    pointer(pointer) {
      if (pointer === undefined || pointer === '') return pointer;
      if (pointer.startsWith('/quoteId')) return `${at}${pointer}`;
      if (pointer.startsWith('/permit2')) return pointer.replace('/permit2', `${at}/order/payload`);
      if (/^\/(signature|originSignatures)/.test(pointer)) return pointer;
      return read === null ? undefined : `${read.message}${pointer.replace(/^\/order/, '')}`;
    },
  };
}

/** The order's own message, and where it stands. */
function readOrder(order: Order, at: string) {
  const payload = order.payload as unknown as {
    domain: JsonObject;
    message: JsonObject;
    types: JsonObject;
  };
  const { message, types } = payload;
  if (order.type === 'trimtab-portfolio-v1') {
    const own = Object.keys(domain).map((name) => ({ name, type: 'string' }));
    refuseOtherTypes(types, { EIP712Domain: own, ...portfolioOrderTypes }, `${at}/payload/types`);
    const request = { order: message, signatureKind: 'eip712' as const };
    return { request, message: `${at}/payload/message` };
  }
  refuseOtherTypes(types, { EIP712Domain: PERMIT2_DOMAIN, ...permit2Types }, `${at}/payload/types`);
  const { witness, ...transfer } = message;
  const request = {
    order: witness,
    signatureKind: 'permit2' as const,
    permit2: { domain: payload.domain, message: transfer },
  };
  return { request, message: `${at}/payload/message/witness` };
}

const PERMIT2_DOMAIN: Fields = [
  { name: 'name', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
];

/** The types sent must be the ones that are hashed: a wallet showed the owner what they say. */
function refuseOtherTypes(
  sent: JsonObject,
  ours: Readonly<Record<string, Fields>>,
  at: string,
): void {
  const what = PERMIT2_PRIMARY_TYPE in ours ? PERMIT2_PRIMARY_TYPE : 'PortfolioOrder';
  for (const [name, fields] of Object.entries(sent)) {
    const known = Object.hasOwn(ours, name) ? ours[name] : undefined;
    if (known === undefined || !sameFields(known, fields)) {
      throw new ApiError('orderMalformed', `${name} is not the type of a ${what} of ours`, {
        pointer: `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      });
    }
  }
  for (const name of Object.keys(ours)) {
    if (sent[name] === undefined && name !== 'EIP712Domain') {
      throw new ApiError('orderMalformed', `the type ${name} is missing`, {
        pointer: `${at}/${name}`,
      });
    }
  }
}

function sameFields(ours: Fields, theirs: unknown): boolean {
  const text = (fields: Fields) => fields.map(({ name, type }) => `${type} ${name}`).join(',');
  return Array.isArray(theirs) && text(ours) === text(theirs);
}
