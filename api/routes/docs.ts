// What there is to read: the OpenAPI document, its reference as a page, and a page per error code, as
// HTML or JSON by the Accept header. Everything is served from here: nothing is fetched from elsewhere,
// and the content policy allows nothing else.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { wantedOf } from '../accept.ts';
import { PROSE } from '../errorProse.ts';
import { ApiError, ERRORS, type ErrorCode, errorType } from '../errors.ts';
import { answer, problems } from '../schemas/common.ts';

const ErrorPage = Type.Object({
  code: Type.String(),
  type: Type.String({ description: 'The `type` of problems with this code.' }),
  status: Type.Integer(),
  title: Type.String(),
  means: Type.String(),
  retry: Type.Boolean({ description: 'The same request may succeed later, unchanged.' }),
  fix: Type.String(),
  tell: Type.String({ description: 'What to tell the user.' }),
});
const ErrorPages = Type.Object({ errors: Type.Array(ErrorPage) });

export const ERROR_CODES = Object.keys(ERRORS) as readonly ErrorCode[];

export function errorPage(code: ErrorCode) {
  const { status, title, remedy, retryable } = ERRORS[code];
  const { means, tell } = PROSE[code];
  return { code, type: errorType(code), status, title, means, retry: retryable, fix: remedy, tell };
}
type Page = ReturnType<typeof errorPage>;

const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/** The reference draws its own styles and keeps its fonts and pictures in its script. */
const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
  "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; base-uri 'none'; " +
  "form-action 'none'";

export const docsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  app.get(
    '/v1/errors',
    {
      config: { answers: 'page' },
      schema: {
        operationId: 'listErrors',
        summary: 'Every error this API answers with',
        tags: ['system'],
        response: { 200: answer('All of them.', ErrorPages), ...problems() },
      },
    },
    async (request, reply) => {
      const pages = ERROR_CODES.map(errorPage);
      if (!wantsPage(request.headers.accept)) return { errors: pages };
      const rows = pages.map(
        ({ code, status, title }) =>
          `<li><a href="/v1/errors/${code}"><code>${code}</code></a> ${status} ${escaped(title)}</li>`,
      );
      return sendPage(reply, 'Errors', `<h1>Errors</h1><ul>${rows.join('')}</ul>`);
    },
  );

  app.get(
    '/v1/errors/:code',
    {
      config: { answers: 'page' },
      schema: {
        operationId: 'getError',
        summary: 'What an error means: retry? fix? what to tell the user',
        tags: ['system'],
        params: Type.Object({ code: Type.String({ maxLength: 64, examples: ['quoteExpired'] }) }),
        response: { 200: answer('The error.', ErrorPage), ...problems({ 404: 'routeNotFound' }) },
      },
    },
    async ({ params, headers }, reply) => {
      const code = ERROR_CODES.find((one) => one === params.code);
      if (code === undefined) throw new ApiError('routeNotFound', 'there is no error of that code');
      const page = errorPage(code);
      return wantsPage(headers.accept) ? sendPage(reply, page.title, htmlOf(page)) : page;
    },
  );

  app.get('/docs', { config: { answers: 'any' }, schema: { hide: true } }, async (_, reply) => {
    reply.header('content-security-policy', REFERENCE_POLICY);
    return reply.type('text/html; charset=utf-8').send(REFERENCE);
  });
  app.get(
    '/docs/reference.js',
    { config: { answers: 'any' }, schema: { hide: true } },
    async (_, reply) => {
      reply.header('cache-control', 'public, max-age=86400');
      return reply.type('text/javascript; charset=utf-8').send(await referenceScript());
    },
  );
  app.get(
    '/docs/start.js',
    { config: { answers: 'any' }, schema: { hide: true } },
    async (_, reply) => reply.type('text/javascript; charset=utf-8').send(START),
  );
};

let script: Promise<Buffer> | null = null;
/** The reference's own bundle, read once. */
function referenceScript(): Promise<Buffer> {
  script ??= readFile(
    join(
      dirname(createRequire(import.meta.url).resolve('@scalar/fastify-api-reference')),
      'js/standalone.js',
    ),
  );
  return script;
}

const START = `Scalar.createApiReference('#reference', {
  url: '/openapi.json', withDefaultFonts: false, telemetry: false, showDeveloperTools: 'never',
  agent: { disabled: true }, mcp: { disabled: true } });
`;
const REFERENCE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>trimtab: API reference</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><div id="reference"></div><noscript>The document itself: <a href="/openapi.json">/openapi.json</a>,
errors: <a href="/v1/errors">/v1/errors</a>.</noscript>
<script src="/docs/reference.js"></script><script src="/docs/start.js"></script></body></html>
`;

/** Browsers name text/html; whoever names JSON, or nothing, gets JSON. */
function wantsPage(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const wanted = wantedOf(accept);
  const html = wanted.indexOf('text/html');
  const json = wanted.findIndex((type) => type.startsWith('application/') && type.endsWith('json'));
  return html >= 0 && (json < 0 || html < json);
}

function sendPage(reply: FastifyReply, title: string, body: string): FastifyReply {
  reply.header('content-security-policy', PAGE_POLICY);
  reply.header('vary', 'accept');
  return reply
    .type('text/html; charset=utf-8')
    .serializer(String)
    .send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)} · trimtab</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}</style>
</head><body>${body}</body></html>
`);
}

const htmlOf = ({ code, status, title, means, retry, fix, tell }: Page): string =>
  `<p><a href="/v1/errors">Errors</a></p><h1>${escaped(title)}</h1>` +
  `<p><code>${code}</code>, HTTP ${status}</p><p>${escaped(means)}</p><dl>` +
  `<dt>Retry?</dt><dd>${retry ? 'Yes: the same request may succeed later.' : 'No: not unchanged.'}</dd>` +
  `<dt>Fix</dt><dd>${escaped(fix)}</dd><dt>Tell the user</dt><dd>${escaped(tell)}</dd></dl>`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};
const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);

/** docs/errors.md. */
export function errorsMarkdown(): string {
  const sections = ERROR_CODES.map((code) => {
    const { status, title, means, retry, fix, tell } = errorPage(code);
    return `## ${code}\n\n${title}. HTTP ${status}.\n\n${means}\n\n- Retry? ${
      retry ? 'Yes, the same request may succeed later.' : 'No, not unchanged.'
    }\n- Fix: ${fix}\n- Tell the user: ${tell}\n`;
  });
  return `# Errors\n\nEvery problem's \`type\` leads to its page: \`GET /v1/errors/{code}\`, HTML or JSON by the Accept header.
This file is made from api/errors.ts and api/errorProse.ts
(\`npx vitest run --project=unit test/api/docs.test.ts -u\`).\n\n${sections.join('\n')}`;
}
