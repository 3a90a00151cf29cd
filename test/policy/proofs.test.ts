// docs/policy-proofs.md names code and tests: every file must exist, every quoted test must stand in its
// file, and no mechanism of the design's table may be missing. Whether a test proves what is said of it
// only a reader can judge.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const DOCUMENT = readFileSync('docs/policy-proofs.md', 'utf8');

/** The design's table, in its order. */
const MECHANISMS = [
  'threshold, absolute or relative',
  'time',
  'hybrid',
  'adaptive bands',
  'geometric constant mix',
  'drift, tracking error, attribution',
  'volatility forecast',
  'risk parity',
  'volatility target',
  'delta, gamma, vega hedge',
  'hedging bands',
  'leverage ratio',
  'collateral safety',
  'cross-protocol knock-on',
  'cost against risk',
  'execution over time',
  'alpha decay, quadratic cost',
  'gas timing, batching',
  'LP positions',
  'Dutch auctions of components',
  'oracle integrity',
  'circuit breaker, self-healing',
  'many policies at once',
  'predictive tuning',
];

/** Test files with the names quoted after each. */
function quotedTests(text: string): readonly (readonly [string, readonly string[]])[] {
  const places = [...text.matchAll(/`(test\/[^`]+\.test\.ts)`((?:[\s,]*“[^”]+”)*)/g)];
  return places.map(([, file = '', names = '']) => [
    file,
    [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name),
  ]);
}

/** Titles of a file's describes and tests as they are written. */
function titlesOf(file: string): readonly string[] {
  const source = readFileSync(file, 'utf8');
  const calls = /\b(?:describe|test|it)(?:\.each)?\s*\(/g;
  const titles: string[] = [];
  for (const { index } of source.matchAll(calls)) {
    // A table may stand before it: a title is a text followed by a function or by options.
    const rest = source.slice(index, index + 900);
    const texts = rest.matchAll(/(['"`])((?:(?!\1).)+)\1,\s*(?:async\s*)?[({]/g);
    for (const [, , title = ''] of texts) titles.push(title);
  }
  return titles;
}

describe('docs/policy-proofs.md', () => {
  test('default: every mechanism has its row, with code and a quoted test', () => {
    const rows = DOCUMENT.split('\n').filter((line) => line.startsWith('| '));
    for (const mechanism of MECHANISMS) {
      const row = rows.find((line) => line.startsWith(`| ${mechanism} |`)) ?? '';
      expect(row, mechanism).toMatch(/`(solver|assembly)\//);
      expect(row, mechanism).toMatch(/`test\/[^`]+` “/);
    }
  });

  test('behavior: every file it names exists', () => {
    const files = [
      ...DOCUMENT.matchAll(/`((?:solver|assembly|test|contracts-abi)\/[^`\s]+\.ts)`/g),
    ];
    expect(files.length).toBeGreaterThan(80);
    for (const [, file = ''] of files) expect(existsSync(file), file).toBe(true);
  });

  test('behavior: every test it quotes stands in its file', () => {
    const quoted = quotedTests(DOCUMENT);
    let names = 0;
    for (const [file, wanted] of quoted) {
      const titles = titlesOf(file);
      for (const name of wanted) {
        names++;
        expect(titles, `${file}: ${name}`).toContain(name);
      }
    }
    // Each quotation in the document was read.
    expect(names).toBe([...DOCUMENT.matchAll(/“/g)].length);
  });

  test('error: a name that no test has would be found', () => {
    const [[file, names] = ['', []]] = quotedTests('`test/policy/proofs.test.ts` “no such test”');
    expect(file).toBe('test/policy/proofs.test.ts');
    expect(names).toEqual(['no such test']);
    expect(titlesOf('test/policy/decide.test.ts')).not.toContain('behavior: no such test');
  });
});
