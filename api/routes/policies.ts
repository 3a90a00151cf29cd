// /v1/policies: arm, read, follow, revoke and resume standing policies; dry runs and drift. Thin:
// shapes in, the service's word out. A private policy is read with the owner's signature in the
// `trimtab-reader` header, so that it stays out of addresses and their logs.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { policyPayload } from '../../contracts-abi/policyTypedData.ts';
import {
  type PolicyId as Id,
  isRefusal,
  type JsonObject,
  type PolicyReader,
  type PolicyRefusal,
  type PolicyService,
  policyId as toPolicyId,
} from '../../solver/index.ts';
import { ApiError, refusalError } from '../errors.ts';
import { parseAccount } from '../interop.ts';
import { weighing } from '../limits.ts';
import { Account, answer, problems } from '../schemas/common.ts';
import {
  ArmPolicyAnswer,
  ArmPolicyBody,
  DriftBody,
  DryRunAnswer,
  DryRunBody,
  PolicyEvents,
  PolicyId,
  PolicyList,
  PolicyView,
  Portfolio,
  Proposals,
  SignatureBody,
} from '../schemas/policies.ts';
import { answerStream, type Streams } from '../stream.ts';

const Params = Type.Object({ policyId: PolicyId });
const READER = 'trimtab-reader';
const ReaderHeaders = Type.Object({
  [READER]: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,10};0x([0-9a-fA-F]{2}){1,4096}$',
      description:
        '`validUntil;signature`: the owner’s signature over ReadPolicy {policyId, validUntil}. ' +
        'Without it a policy of privacy `commitment` shows its state only.',
    }),
  ),
});
const LIST_MAX = 100;

/**
 * Dry runs, drifts and armings at work at once. Each reads every chain and the first may solve, for
 * anybody who asks: the engine and the nodes are the keeper's too.
 */
const COSTLY_MAX = 8;

export interface PolicyRouteDeps {
  readonly policies: PolicyService;
  readonly streams: Streams;
}
type App = Parameters<FastifyPluginAsyncTypebox>[0];

export function policyRoutes(deps: PolicyRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    const costly = costlyRoutes(deps);
    armRoute(app, costly);
    dryRunRoute(app, costly);
    driftRoute(app, costly);
    readRoutes(app, deps.policies);
    logRoutes(app, deps.policies);
    eventsRoute(app, deps);
    endRoutes(app, deps.policies);
  };
}

type Costly = Pick<PolicyRouteDeps, 'policies'> & { readonly config: object };

/** The same service with a limit on what anybody may make it do, refused as `rateLimited`. */
function costlyRoutes({ policies }: PolicyRouteDeps): Costly {
  let running = 0;
  const bounded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= COSTLY_MAX) {
      const message = 'too many dry runs, drifts and armings at once';
      throw new ApiError('rateLimited', message, { retryAfterSeconds: 1 });
    }
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
    }
  };
  return {
    config: weighing('costly'),
    policies: {
      ...policies,
      arm: (request) => bounded(() => policies.arm(request)),
      dryRun: (request) => bounded(() => policies.dryRun(request)),
      drift: (request) => bounded(() => policies.drift(request)),
    },
  };
}

function armRoute(app: App, { policies, config }: Costly): void {
  app.post(
    '/v1/policies',
    {
      config,
      schema: {
        operationId: 'armPolicy',
        summary: 'Arms a standing policy that its owner signed',
        description:
          'The keeper watches it from now on and proposes orders; each is signed by the owner. ' +
          'The same policy again is the same policy.',
        tags: ['policies'],
        body: ArmPolicyBody,
        response: {
          200: answer('This very policy had been armed before.', ArmPolicyAnswer),
          201: answer('Armed.', ArmPolicyAnswer),
          ...problems({
            400: 'A field is wrong; the pointer leads into the document. Nothing is armed.',
            409: 'nonceUsed, policyExpired, alreadyEnded',
            422: 'wrongSigner, unknownAsset, unsupportedPolicy, …',
            503: 'chainDown, upstreamFault',
          }),
        },
      },
    },
    async ({ body }, reply) => {
      const { nonce, expires, signature } = body;
      const armed = granted(
        await policies.arm({
          document: body.document as JsonObject,
          owner: parseAccount(body.owner, '/owner'),
          nonce,
          ...(expires === undefined ? {} : { expires }),
          signature: signature as `0x${string}`,
        }),
      );
      reply.code(armed.created ? 201 : 200).header('location', `/v1/policies/${armed.policyId}`);
      return armed;
    },
  );
}

function dryRunRoute(app: App, { policies, config }: Costly): void {
  app.post(
    '/v1/policies/dry-run',
    {
      config,
      schema: {
        operationId: 'dryRunPolicy',
        summary: 'What a policy would do now, and why; writes nothing',
        tags: ['policies'],
        body: DryRunBody,
        response: {
          200: answer('The decision.', DryRunAnswer),
          ...problems({
            400: 'A field is wrong; the pointer leads into the document.',
            422: 'unknownAsset, emptyPortfolio, unsupportedPolicy, …',
            503: 'chainDown, upstreamFault',
          }),
        },
      },
    },
    async ({ body }) => {
      const { holdings, arm } = body;
      const owner = parseAccount(body.owner, '/owner');
      const run = granted(
        await policies.dryRun({
          document: body.document as JsonObject,
          owner,
          ...(holdings === undefined ? {} : { holdings }),
        }),
      );
      if (arm === undefined) return run;
      const nonce = uint256(arm.nonce, '/arm/nonce');
      const signed = { owner, document: run.commitment, nonce, expires: arm.expires ?? 0 };
      return { ...run, payload: policyPayload(signed) };
    },
  );
}

function driftRoute(app: App, { policies, config }: Costly): void {
  app.post(
    '/v1/policies/drift',
    {
      config,
      schema: {
        operationId: 'portfolioDrift',
        summary: 'How far a portfolio stands from its targets; writes nothing',
        tags: ['policies'],
        body: DriftBody,
        response: {
          200: answer('The portfolio as the keeper sees it.', Portfolio),
          ...problems({
            400: 'A field is wrong; the pointer leads into the document.',
            422: 'unknownAsset, emptyPortfolio, …',
            503: 'chainDown, upstreamFault',
          }),
        },
      },
    },
    async ({ body }) =>
      granted(
        await policies.drift({
          document: body.document as JsonObject,
          owner: parseAccount(body.owner, '/owner'),
        }),
      ),
  );
}

function readRoutes(app: App, policies: PolicyService): void {
  app.get(
    '/v1/policies',
    {
      schema: {
        operationId: 'listPolicies',
        summary: 'An owner’s policies, newest first, as the public sees them',
        tags: ['policies'],
        querystring: Type.Object({
          owner: Account,
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
        }),
        response: { 200: answer('The policies.', PolicyList), ...problems({ 400: 'bad owner' }) },
      },
    },
    async ({ query }) => {
      const owner = parseAccount(query.owner, '/owner');
      return { policies: await policies.list(owner, pageSize(query.limit)) };
    },
  );
  app.get(
    '/v1/policies/:policyId',
    {
      schema: {
        operationId: 'getPolicy',
        summary: 'A policy: its state, what it decided last, what happens next',
        tags: ['policies'],
        params: Params,
        headers: ReaderHeaders,
        response: {
          200: answer('The policy.', PolicyView),
          ...problems({ 403: 'ownerOnly, readExpired', 404: 'policyNotFound' }),
        },
      },
    },
    async ({ params, headers }, reply) => {
      reply.header('cache-control', 'no-store');
      return read(await policies.get(toPolicyId(params.policyId), readerOf(headers)));
    },
  );
  app.get(
    '/v1/policies/:policyId/proposals',
    {
      schema: {
        operationId: 'policyProposals',
        summary: 'The order that waits for the owner’s signature, if there is one',
        description: 'Sign `response.order.payload`, then POST /v1/orders with the quoteId.',
        tags: ['policies'],
        params: Params,
        headers: ReaderHeaders,
        response: {
          200: answer('At most one.', Proposals),
          ...problems({ 403: 'ownerOnly, readExpired', 404: 'policyNotFound' }),
        },
      },
    },
    async ({ params, headers }, reply) => {
      reply.header('cache-control', 'no-store');
      const id = toPolicyId(params.policyId);
      return { proposals: read(await policies.proposals(id, readerOf(headers))) };
    },
  );
}

function logRoutes(app: App, policies: PolicyService): void {
  app.get(
    '/v1/policies/:policyId/decisions',
    {
      schema: {
        operationId: 'policyDecisions',
        summary: 'Why it acted, and why it waited: every decision and change of state',
        tags: ['policies'],
        params: Params,
        headers: ReaderHeaders,
        querystring: Type.Object({
          after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
        }),
        response: {
          200: answer('A page, oldest first.', PolicyEvents),
          ...problems({ 403: 'ownerOnly, readExpired', 404: 'policyNotFound' }),
        },
      },
    },
    async ({ params, headers, query }, reply) => {
      reply.header('cache-control', 'no-store');
      const limit = pageSize(query.limit);
      const decisions = read(
        await policies.decisions(
          toPolicyId(params.policyId),
          Number(query.after ?? 0),
          limit,
          readerOf(headers),
        ),
      );
      const next = decisions.length === limit ? (decisions.at(-1)?.seq ?? null) : null;
      return { decisions, next };
    },
  );
}

function eventsRoute(app: App, { policies, streams }: PolicyRouteDeps): void {
  app.get(
    '/v1/policies/:policyId/events',
    {
      schema: {
        operationId: 'streamPolicyEvents',
        summary: 'The policy’s log as server-sent events, from the first or a given one on',
        description:
          'Event names are prefixed (policy.proposed, …). Resumes after Last-Event-ID. Ends after ' +
          'policy.revoked or policy.expired; then answers 204.',
        tags: ['policies'],
        params: Params,
        headers: Type.Intersect([
          ReaderHeaders,
          Type.Object({
            'last-event-id': Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
          }),
        ]),
        response: {
          200: answer('The stream.', Type.String(), 'text/event-stream'),
          204: { description: 'The policy has ended and the client has every event.' },
          ...problems({
            403: 'ownerOnly, readExpired',
            404: 'policyNotFound',
            503: 'tooManyStreams',
          }),
        },
      },
    },
    async (request, reply) => {
      const id: Id = toPolicyId(request.params.policyId);
      const reader = readerOf(request.headers);
      const { state } = read(await policies.get(id, reader));
      return answerStream(streams, request, reply, {
        over: state === 'revoked' || state === 'expired',
        read: async (after, limit) => {
          const events = read(await policies.decisions(id, after, limit, reader));
          return events.map((event) => ({
            seq: event.seq,
            type: event.type,
            body: { policyId: id, ...event },
            last: event.type === 'policy.revoked' || event.type === 'policy.expired',
          }));
        },
        subscribe: (listener) => policies.subscribe(id, listener),
      });
    },
  );
}

function endRoutes(app: App, policies: PolicyService): void {
  app.delete(
    '/v1/policies/:policyId',
    {
      schema: {
        operationId: 'revokePolicy',
        summary: 'Ends a policy for good; an order in flight goes on settling',
        description: 'The signature is the owner’s over RevokePolicy {policyId}.',
        tags: ['policies'],
        params: Params,
        body: SignatureBody,
        response: {
          200: answer('Revoked, now or before.', PolicyView),
          ...problems({ 404: 'policyNotFound', 422: 'wrongSigner' }),
        },
      },
    },
    async ({ params, body }) =>
      granted(await policies.revoke(toPolicyId(params.policyId), body.signature as `0x${string}`)),
  );
  app.post(
    '/v1/policies/:policyId/resume',
    {
      schema: {
        operationId: 'resumePolicy',
        summary: 'Lets a halted policy go on',
        description:
          'The signature is the owner’s over ResumePolicy {policyId, haltedEvent}: one halt only.',
        tags: ['policies'],
        params: Params,
        body: SignatureBody,
        response: {
          200: answer('Going on.', PolicyView),
          ...problems({
            404: 'policyNotFound',
            409: 'notHalted, alreadyEnded',
            422: 'wrongSigner',
          }),
        },
      },
    },
    async ({ params, body }) =>
      granted(await policies.resume(toPolicyId(params.policyId), body.signature as `0x${string}`)),
  );
}

/** The answer, or the refusal as a problem. */
function granted<T>(outcome: T | PolicyRefusal): T {
  if (isRefusal(outcome)) throw refusalError(outcome, outcome.pointer);
  return outcome as T;
}

/** The same of a request without a body: what is wrong with a header has no pointer into one. */
function read<T>(outcome: T | PolicyRefusal): T {
  if (isRefusal(outcome)) throw refusalError(outcome, undefined);
  return outcome as T;
}

function readerOf(headers: Readonly<Record<string, unknown>>): PolicyReader | undefined {
  const header = headers[READER];
  if (typeof header !== 'string') return undefined;
  const [validUntil = '', signature = ''] = header.split(';');
  return { validUntil: Number(validUntil), signature: signature as `0x${string}` };
}

const pageSize = (text: string | undefined) => Math.min(Number(text ?? 20), LIST_MAX);

function uint256(text: string, pointer: string): bigint {
  const value = BigInt(text);
  if (value < 2n ** 256n) return value;
  throw new ApiError('invalidField', `${pointer} must be below 2^256`, { pointer });
}
