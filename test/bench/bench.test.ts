// The bench itself, at its tiniest: it runs, it solves what it prints, and a second run finds the same.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BENCHES, bench } from '../../api/cli/bench.ts';
import { commands } from '../../api/cli/main.ts';
import { Fault } from '../../solver/types/errors.ts';
import type { Report } from './optimizer.ts';
import { plot } from './plot.ts';

const RUN = ['--expose-gc', '--import', 'tsx', 'test/bench/run.ts'];
const COMMAND = ['api/cli/bin.mjs', 'bench'];

const run = (how: readonly string[], ...args: readonly string[]) =>
  spawnSync(process.execPath, [...how, ...args], { encoding: 'utf8' });

function quick(how: readonly string[], ...more: readonly string[]): Report {
  const { status, stdout, stderr } = run(how, 'optimizer', '--quick', '--json', ...more);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Report;
}

describe('npm run bench -- optimizer --quick', () => {
  test('behavior: every kind is solved within its bound, and twice the same', () => {
    const report = quick(RUN);
    const ours = report.rows.filter(({ engine }) => engine === 'trimtab');
    expect([...new Set(ours.map(({ kind }) => kind))].toSorted()).toEqual(
      ['fixedCost', 'linear', 'mixed', 'real', 'smooth'].toSorted(),
    );
    for (const row of ours) expect(row.lost?.p50, JSON.stringify(row)).toBeGreaterThanOrEqual(0);
    expect(report.violations).toEqual([]);
    // The command of the CLI runs the very same.
    const [again, other] = [quick(RUN, '--only', '10/5'), quick(COMMAND, '--only', '10/5')];
    expect(again.resultHash).toBe(other.resultHash);
  });

  test('behavior: the plot has one line per engine, the same for the same rows', () => {
    const times = (p50: number) => ({ cold: { p50, p99: p50, max: p50 } });
    const row = {
      kind: 'smooth',
      cases: 1,
      gap: null,
      misses: null,
      lost: null,
      invalid: {},
    } as const;
    const rows = ['trimtab', 'tines'].flatMap((engine, k) => [
      { ...row, engine, size: '10/5', times: times(3e3 * 1e3 ** k) },
      { ...row, engine, size: '100/20', times: times(3e4 * 1e3 ** k) },
    ]);
    const svg = plot(rows);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(plot(rows)).toBe(svg);
  });

  test('error: another name or option is refused with the usage; trimtab bench knows every name', async () => {
    const other = run(RUN, 'nonsense');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain(`npm run bench -- ${BENCHES.join(' | ')}`);
    expect(run(COMMAND, 'netting', '--nonsense').status).toBe(2);
    const typed = commands().parseAsync(['node', 'trimtab', 'bench', 'nonsense']);
    await expect(typed).rejects.toThrow(/the benches are api, /);
  });
});

describe('trimtab bench in a packed copy', () => {
  test('error: says that the benches are in a checkout; exit code 3', () => {
    const empty = mkdtempSync(join(tmpdir(), 'trimtab-bench-'));
    try {
      expect(() => bench(empty, ['risk'])).toThrow(Fault);
      expect(() => bench(empty, ['risk'])).toThrow(/no test\/ folder.*from a checkout.*npm ci/);
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});
