// docs/api.md says of errors and routes what the code does.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { ERRORS } from '../../api/errors.ts';
import { errorsMarkdown } from '../../api/routes/docs.ts';
import { fakeTrimtab } from './fakeTrimtab.ts';

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

it('lists every error with its status, whether to retry, and the remedy', () => {
  const rows = page.split('\n').filter((line) => /^\| `[a-zA-Z]+` \| \d{3} \|/.test(line));
  const expected = Object.entries(ERRORS).map(
    ([code, { status, retryable, title, remedy }]) =>
      `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${title} | ${remedy} |`,
  );
  expect(rows).toEqual(expected);
});

it('has a page per error code, and docs/errors.md has them all', async () => {
  await expect(errorsMarkdown()).toMatchFileSnapshot('../../docs/errors.md');
});

it('names every route', async () => {
  const app = await buildApp({ trimtab: fakeTrimtab() });
  const { paths } = (await app.inject('/openapi.json')).json();
  await app.close();
  for (const path of Object.keys(paths)) {
    const [, name] = /\/([a-z]+)$/.exec(path) ?? /^(\/v1\/[a-z]+)/.exec(path) ?? [];
    expect(page, path).toContain(name);
  }
});
