// The README's viem example, run as it stands there against a world of its own.

import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { projectRoot } from '../../api/cli/home.ts';
import { withWorld } from './harness.ts';

test("README: a portfolio quoted, signed and followed from viem's fifteen lines", async () => {
  const readme = await readFile(join(projectRoot, 'README.md'), 'utf8');
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(code).toBeDefined();
  const statements = (code ?? '').split('\n').filter((line) => /\S/.test(line));
  expect(statements.length).toBeLessThanOrEqual(15);
  await withWorld({}, async (world, home) => {
    // The example runs in a folder where `.trimtab` is this world's state.
    const folder = join(projectRoot, '.build', `readme-${process.pid}`);
    await mkdir(folder, { recursive: true });
    try {
      await symlink(home, join(folder, '.trimtab'));
      const script = join(folder, 'example.mjs');
      await writeFile(script, (code ?? '').replace('http://127.0.0.1:8787', world.api.url));
      const { stdout } = await promisify(execFile)(process.execPath, [script], {
        cwd: folder,
        timeout: 120_000,
      });
      expect(stdout).toContain('order.settled');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
