// `trimtab backtest` as a command: the JSON others read, the same bytes from the same seed, exit codes,
// and refusals that name their line or option.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { main } from '../../api/cli/main.ts';
import { market, mulberry, path } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'trimtab-backtest-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const full = join(folder, name);
  writeFileSync(full, text);
  return full;
}
const policy = file('policy.json', '{"targets":{"BTC":"0.5","ETH":"0.3","CASH":"0.2"}}');

function csv(rows: number): string {
  const random = mulberry(21);
  const prices = path(market(3, random), rows, random, true);
  const lines = Array.from({ length: rows }, (_, k) =>
    [1_600_000_000 + 3600 * k, prices[3 * k], prices[3 * k + 1]].join(','),
  );
  return ['timestamp,BTC,ETH', ...lines].join('\n');
}
const prices = file('prices.csv', csv(6_000));

/** The command in this process: starting another takes longer than the backtest. */
async function trimtab(...options: readonly string[]) {
  const said = { stdout: '', stderr: '' };
  const listen = (stream: 'stdout' | 'stderr') =>
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      said[stream] += String(chunk);
      return true;
    });
  const spies = [
    listen('stdout'),
    listen('stderr'),
    vi.spyOn(console, 'error').mockImplementation((line) => {
      said.stderr += `${line}\n`;
    }),
  ];
  try {
    process.exitCode = 0;
    await main(['node', 'trimtab', 'backtest', ...options]);
    return { ...said, status: process.exitCode };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = 0;
  }
}

describe('trimtab backtest', () => {
  test('default: the JSON the issue names, fractions a year, intervals around their figures', async () => {
    const run = () =>
      trimtab(
        policy,
        prices,
        '--frontier',
        '0.01,0.02',
        '--cost-bps',
        '30',
        '--fixed-cost',
        '0',
        '--json',
      );
    const { status, stdout } = await run();
    expect(status).toBe(0);
    const answer = JSON.parse(stdout);
    for (const key of ['cost', 'te', 'turnover', 'trades', 'maxDrawdown']) {
      expect(answer.policy[key], key).toBeGreaterThan(0);
      const [low, high] = answer.policy[`${key}Interval`];
      expect(low, key).toBeLessThan(high);
    }
    expect(answer.policy.te).toBeLessThan(0.05);
    expect(answer.frontier.map((row: { te: number }) => row.te)).toEqual([0.01, 0.02]);
    for (const row of answer.frontier) {
      for (const key of ['calendar', 'toTarget', 'toHalf', 'toEdge', 'rule']) {
        expect(row[key], key).toBeGreaterThan(0);
        const [low, high] = row[`${key}Interval`];
        expect(low, key).toBeLessThan(row[key]);
        expect(high, key).toBeGreaterThan(row[key]);
      }
      expect(row.rule).toBeLessThan(row.toTarget);
    }
    expect(answer.foresightRatio).toBeGreaterThan(0.4);
    expect(answer.foresightRatio).toBeLessThan(0.9);
    expect((await run()).stdout).toBe(stdout);
  });

  test('behavior: a page for people, progress on stderr, a chart', async () => {
    const chart = join(folder, 'chart.svg');
    const { status, stdout, stderr } = await trimtab(
      policy,
      prices,
      '--frontier',
      '0.02',
      '--chart',
      chart,
    );
    expect(status).toBe(0);
    expect(stdout).toContain('rivals tuned on this history');
    expect(stdout).toContain('seed 1');
    expect(stderr).toContain('sweeping');
    const svg = readFileSync(chart, 'utf8');
    expect(svg.startsWith('<svg')).toBe(true);
    expect(svg).toContain('<title');
    expect(svg).toContain('<desc');
    expect(svg).not.toContain('NaN');
  });

  const BAD: readonly (readonly [string, readonly string[], string])[] = [
    ['a missing file', [policy, join(folder, 'none.csv')], 'none.csv'],
    ['a gap', [policy, file('gap.csv', csv(50).replace(/\n1600018000,.*/, ''))], 'line 7'],
    [
      'an unknown asset',
      [file('sol.json', '{"targets":{"SOL":"0.5","BTC":"0.5"}}'), prices],
      'SOL',
    ],
    [
      'weights that do not sum to 1',
      [file('sum.json', '{"targets":{"BTC":"0.5"}}'), prices],
      '/targets',
    ],
    ['a cost that is none', [policy, prices, '--cost-bps', 'thirty'], '--cost-bps'],
    ['a negative fixed cost', [policy, prices, '--fixed-cost', '-1'], '--fixed-cost'],
    ['an empty frontier', [policy, prices, '--frontier', ''], '--frontier'],
    ['a seed that is no integer', [policy, prices, '--seed', '1.5'], '--seed'],
    ['another chart', [policy, prices, '--chart', 'chart.png'], '--chart'],
    ['an unknown option', [policy, prices, '--whatever'], '--whatever'],
  ];
  test.each(BAD)('error: %s', async (_name, options, said) => {
    const { status, stderr, stdout } = await trimtab(...options);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
    expect(stdout).toBe('');
  });
});
