// The reference at /docs in a real browser: it draws every operation from what this service serves, and
// its content policy stops nothing it needs.

import { describe, expect, test } from 'vitest';
import { startServer } from '../../api/server.ts';
import { fakeTrimtab } from '../api/fakeTrimtab.ts';
import { findChromium, startChromium } from '../browser/chromium.ts';

const chromium = findChromium();
if ('missing' in chromium) console.log(chromium.missing);

describe.skipIf('missing' in chromium)('/docs in a browser', () => {
  test('behavior: draws the operations, asks nobody else, and no policy is violated', async () => {
    const server = await startServer({ trimtab: fakeTrimtab(), port: 0 });
    const browser = await startChromium('path' in chromium ? chromium.path : '');
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (line) => {
        if (/Content Security Policy/i.test(line.text())) complaints.push(line.text());
      });
      page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(server.url) && !/^(data|blob):/.test(url)) complaints.push(url);
      });
      await page.goto(`${server.url}/docs`);
      for (const text of ['exactly as it was digested', 'webhooks', 'solvers']) {
        await page.getByText(text).first().waitFor({ timeout: 60_000 });
      }
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
