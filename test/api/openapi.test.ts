// /openapi.json: every route has an operationId and documented answers, request examples fit their
// own schema, and the document changes only on purpose (the snapshot).

import { Check } from 'typebox/value';
import { expect, it } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { PostOrderBody } from '../../api/schemas/orders.ts';
import { ArmPolicyBody, DriftBody, DryRunBody, SignatureBody } from '../../api/schemas/policies.ts';
import { QuoteRequestBody } from '../../api/schemas/quotes.ts';
import { fakeTrimtab } from './fakeTrimtab.ts';

const POLICY_BODIES = [ArmPolicyBody, DryRunBody, DriftBody, SignatureBody];

async function document() {
  const app = await buildApp({ trimtab: fakeTrimtab() });
  const answer = await app.inject('/openapi.json');
  await app.close();
  return answer.json();
}

it('is OpenAPI 3.1 with an operationId, a summary and problems on every operation', async () => {
  const { openapi, paths } = await document();
  expect(openapi).toBe('3.1.0');
  const operations = Object.values<Record<string, Record<string, unknown>>>(paths).flatMap((path) =>
    Object.values(path),
  );
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { operationId, summary, responses } of operations) {
    expect(operationId).toEqual(expect.any(String));
    expect(summary).toEqual(expect.any(String));
    expect(Object.keys(responses ?? {}).length).toBeGreaterThan(0);
  }
  expect(Object.keys(paths).sort()).toEqual([
    '/healthz',
    '/notify',
    '/readyz',
    '/solve',
    '/v1/assets',
    '/v1/auctions',
    '/v1/auctions/{auctionId}',
    '/v1/chains',
    '/v1/errors',
    '/v1/errors/{code}',
    '/v1/orders',
    '/v1/orders/{orderId}',
    '/v1/orders/{orderId}/events',
    '/v1/policies',
    '/v1/policies/drift',
    '/v1/policies/dry-run',
    '/v1/policies/{policyId}',
    '/v1/policies/{policyId}/decisions',
    '/v1/policies/{policyId}/events',
    '/v1/policies/{policyId}/proposals',
    '/v1/policies/{policyId}/resume',
    '/v1/quotes',
    '/v1/quotes/{quoteId}/problem',
    '/v1/quotes/{quoteId}/result',
    '/v1/solvers',
    '/v1/tokens',
    '/v1/venues',
    '/v1/webhooks',
    '/v1/webhooks/{webhookId}',
    '/v1/webhooks/{webhookId}/deliveries',
    '/v1/webhooks/{webhookId}/ping',
  ]);
});

it('has examples that its own schemas accept', () => {
  for (const schema of [QuoteRequestBody, PostOrderBody, ...POLICY_BODIES]) {
    const { examples } = schema as unknown as { readonly examples: readonly unknown[] };
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(Check(schema, example)).toBe(true);
  }
});

it('changes only on purpose', async () => {
  await expect(JSON.stringify(await document(), null, 2)).toMatchFileSnapshot(
    './data/openapi.json',
  );
});
