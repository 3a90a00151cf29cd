// Price files: what is read, and what is refused with its line.

import { describe, expect, test } from 'vitest';
import { parsePrices, pricesOf } from '../../solver/backtest/prices.ts';

const GOOD = 'timestamp,BTC,ETH\n0,1,2\n3600,1.5,2\n7200,2,2.5\n10800,2e0,.5\n';

describe('parsePrices', () => {
  test('default: Unix seconds', () => {
    const history = parsePrices(GOOD);
    expect(history.assets).toEqual(['BTC', 'ETH']);
    expect(history.stepSeconds).toBe(3600);
    expect([...history.times]).toEqual([0, 3600, 7200, 10_800]);
    expect([...history.closes]).toEqual([1, 2, 1.5, 2, 2, 2.5, 2, 0.5]);
  });

  test('behavior: ISO dates are UTC unless they say otherwise; CRLF, BOM and blank ends pass', () => {
    const text =
      '\uFEFFtimestamp,BTC\r\n2024-03-30,1\r\n2024-03-31T00:00:00Z,2\r\n2024-04-01 00:00,3\r\n' +
      '2024-04-02T02:00:00+02:00,3\r\n\r\n';
    const history = parsePrices(text);
    expect(history.stepSeconds).toBe(86_400);
    expect(history.times[0]).toBe(Date.UTC(2024, 2, 30) / 1000);
  });

  const replaced = (line: number, by: string) =>
    GOOD.split('\n')
      .map((text, k) => (k + 1 === line ? by : text))
      .join('\n');
  const BAD: readonly (readonly [string, string, string, RegExp])[] = [
    ['empty', '', 'line 1', /timestamp,BTC,ETH/],
    ['another header', replaced(1, 'time,BTC,ETH'), 'line 1', /begins with "time"/],
    ['no asset', 'timestamp\n1\n', 'line 1', /no asset/],
    ['a column without a name', replaced(1, 'timestamp,BTC,'), 'line 1', /column 3/],
    ['a column twice', replaced(1, 'timestamp,BTC,BTC'), 'line 1', /twice/],
    ['too few rows', 'timestamp,BTC\n0,1\n', 'line 2', /three rows/],
    ['a missing cell', replaced(3, '3600,1.5'), 'line 3', /2 cells/],
    ['an extra cell', replaced(3, '3600,1.5,2,3'), 'line 3', /4 cells/],
    ['an empty price', replaced(4, '7200,,2.5'), 'line 4', /BTC: is missing/],
    ['a word', replaced(4, '7200,2,n/a'), 'line 4', /ETH: "n\/a"/],
    ['zero', replaced(4, '7200,2,0'), 'line 4', /> 0/],
    ['a negative price', replaced(4, '7200,-2,1'), 'line 4', /> 0/],
    ['NaN', replaced(4, '7200,NaN,1'), 'line 4', /> 0/],
    ['Infinity', replaced(4, '7200,1e999,1'), 'line 4', /> 0/],
    ['hexadecimal', replaced(4, '7200,0x10,1'), 'line 4', /> 0/],
    ['a bad time', replaced(4, 'noon,2,1'), 'line 4', /neither Unix seconds nor an ISO date/],
    ['a date that is none', replaced(4, '2024-02-31T25:00,2,1'), 'line 4', /ISO date/],
    ['milliseconds', replaced(2, '1600000000000,1,2'), 'line 2', /milliseconds/],
    ['a gap', replaced(5, '18000,2,1'), 'line 5', /2 missing row/],
    ['half a step', replaced(5, '9000,2,1'), 'line 5', /step is 3600 s/],
    ['an odd step', replaced(5, '11000,2,1'), 'line 5', /not a multiple/],
    ['the same time again', replaced(5, '7200,2,1'), 'line 5', /not later/],
    ['backwards', replaced(5, '3600,2,1'), 'line 5', /not later/],
  ];
  test.each(BAD)('error: %s', (_name, text, pointer, message) => {
    expect(() => parsePrices(text)).toThrow(
      expect.objectContaining({ pointer, message: expect.stringMatching(message) }),
    );
  });
});

describe('pricesOf', () => {
  const history = parsePrices(GOOD);

  test('default: in the policy’s order, CASH is 1', () => {
    expect([...pricesOf(history, ['CASH', 'ETH', 'BTC']).subarray(0, 6)]).toEqual([
      1, 2, 1, 1, 2, 1.5,
    ]);
  });

  test('error: assets that only one of the two knows are named', () => {
    expect(() => pricesOf(history, ['BTC', 'ETH', 'LINK', 'SOL'])).toThrow(/LINK, SOL/);
    expect(() => pricesOf(history, ['BTC', 'CASH'])).toThrow(/ETH/);
  });
});
