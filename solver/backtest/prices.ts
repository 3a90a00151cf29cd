// Reads a price history: a header `timestamp,BTC,ETH,…`, then one row per step, oldest first. Times are
// Unix seconds or ISO dates (UTC unless they say otherwise), closes in the numeraire. Refuses, with the
// line and how to mend it: other headers, a column given twice, missing or extra cells, what is no
// price > 0, rows out of order, and gaps: a missing hour would hide a trade. Does no I/O.

import { InvalidInput } from '../types/errors.ts';

export interface PriceHistory {
  readonly assets: readonly string[];
  /** Unix seconds of every row. */
  readonly times: Float64Array;
  /** rows × assets. */
  readonly closes: Float64Array;
  readonly stepSeconds: number;
}

export const COLUMNS_MAX = 65;
export const ROWS_MAX = 4_000_000;
/** POLICY.md's year, in seconds: 8,760 hours. */
export const YEAR_SECONDS = 8760 * 3600;

const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const NUMBER = /^[+]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Throws InvalidInput whose pointer is the line, such as `line 7`. */
export function parsePrices(text: string): PriceHistory {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (lines.length > 0 && lines[lines.length - 1]?.trim() === '') lines.pop();
  const assets = readHeader(lines[0] ?? '');
  const rows = lines.length - 1;
  if (rows < 3) refuse(lines.length, 'a history needs at least three rows of prices; give more');
  if (rows > ROWS_MAX) refuse(1, `${rows} rows are more than ${ROWS_MAX}; take a longer step`);
  const times = new Float64Array(rows);
  const closes = new Float64Array(rows * assets.length);
  let step = 0;
  for (let row = 0; row < rows; row++) {
    const line = row + 2;
    const cells = (lines[row + 1] ?? '').split(',');
    if (cells.length !== assets.length + 1) {
      refuse(
        line,
        `has ${cells.length} cells, the header ${assets.length + 1}; give one per column`,
      );
    }
    const time = readTime(cells[0] ?? '', line);
    times[row] = time;
    if (row > 0) {
      const since = time - (times[row - 1] ?? 0);
      if (row === 1) step = since;
      checkStep(since, step, line);
    }
    for (let k = 0; k < assets.length; k++) {
      const price = readPrice(cells[k + 1] ?? '', line, assets[k] ?? '');
      closes[row * assets.length + k] = price;
    }
  }
  return { assets, times, closes, stepSeconds: step };
}

function readHeader(line: string): readonly string[] {
  const [first = '', ...assets] = line.split(',').map((cell) => cell.trim());
  if (first.toLowerCase() !== 'timestamp') {
    refuse(1, `must be the header "timestamp,BTC,ETH,…", begins with ${JSON.stringify(first)}`);
  }
  if (assets.length === 0) refuse(1, 'names no asset; add a column of closes for each');
  if (assets.length >= COLUMNS_MAX) refuse(1, `names ${assets.length} assets; at most 64 fit`);
  for (const [k, asset] of assets.entries()) {
    if (asset === '') refuse(1, `column ${k + 2} has no name; name its asset or leave it out`);
    if (assets.indexOf(asset) !== k) refuse(1, `names ${asset} twice; keep one column`);
  }
  return assets;
}

function readTime(cell: string, line: number): number {
  const text = cell.trim();
  if (NUMBER.test(text)) {
    const seconds = Number(text);
    if (seconds >= 1e11) refuse(line, `time ${text} looks like milliseconds; give Unix seconds`);
    if (Number.isInteger(seconds)) return seconds;
  } else if (ISO.test(text)) {
    const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10));
    const iso = text.replace(' ', 'T');
    const ms = Date.parse(text.length > 10 && !zoned ? `${iso}Z` : iso);
    if (Number.isFinite(ms)) return ms / 1000;
  }
  return refuse(line, `time ${JSON.stringify(text)} is neither Unix seconds nor an ISO date (UTC)`);
}

function checkStep(since: number, step: number, line: number): void {
  if (since <= 0)
    refuse(line, 'is not later than the line before; sort by time, keep one row a step');
  if (since === step) return;
  const count = since / step;
  if (since > step) {
    const missing = Number.isInteger(count)
      ? `${count - 1} missing row(s) of`
      : 'not a multiple of';
    refuse(line, `comes ${since} s after the line before: ${missing} ${step} s; fill the gap`);
  }
  refuse(
    line,
    `comes ${since} s after the line before, where the step is ${step} s; keep one step`,
  );
}

function readPrice(cell: string, line: number, asset: string): number {
  const text = cell.trim();
  const price = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (price > 0 && price < Infinity) return price;
  const what = text === '' ? 'is missing' : `${JSON.stringify(text)} is no price > 0`;
  return refuse(line, `${asset}: ${what}; give its close in the numeraire or drop the column`);
}

function refuse(line: number, problem: string): never {
  throw new InvalidInput(problem, { pointer: `line ${line}`, code: 'badPrices' });
}

/** Assets worth 1 by definition, which need no column. */
const NUMERAIRE: ReadonlySet<string> = new Set(['CASH', 'USD']);

/**
 * The history's columns in the policy's order, rows × assets; CASH and USD are 1 where the file has
 * no column of theirs. Throws InvalidInput naming every asset that one of the two lacks.
 */
export function pricesOf(history: PriceHistory, assets: readonly string[]): Float64Array {
  const columns = assets.map((asset) => history.assets.indexOf(asset));
  const lacking = assets.filter((asset, k) => columns[k] === -1 && !NUMERAIRE.has(asset));
  if (lacking.length > 0) {
    throw new InvalidInput(
      `no column for ${lacking.join(', ')}; the prices have ${history.assets.join(', ')}: add the ` +
        'column or take the asset out of the targets',
      { pointer: '/targets', code: 'unknownAsset' },
    );
  }
  const unused = history.assets.filter((asset) => !assets.includes(asset));
  if (unused.length > 0) {
    throw new InvalidInput(
      `${unused.join(', ')}: in the prices but not in the targets; drop the column or give it a target`,
      { pointer: 'line 1', code: 'unknownAsset' },
    );
  }
  const rows = history.times.length;
  const width = history.assets.length;
  const prices = new Float64Array(rows * assets.length).fill(1);
  for (const [k, column] of columns.entries()) {
    if (column < 0) continue;
    for (let row = 0; row < rows; row++) {
      prices[row * assets.length + k] = history.closes[row * width + column] ?? 1;
    }
  }
  return prices;
}
