// Reads the hourly closes that stand beside it. Refuses a file with a missing hour or a price that is
// none: what is replayed and what forecasts are judged on must be whole.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface HourlyCloses {
  /** Unix seconds, UTC, one hour apart. */
  readonly ts: Float64Array;
  /** Dollars (USDT) per coin at the close stamped `ts`. */
  readonly btc: Float64Array;
  readonly eth: Float64Array;
}

const FILE = new URL('btc_eth_1h_2017-08_2025-12.csv.gz', import.meta.url);
const HOUR = 3600;

/** Hourly closes of BTC and ETH, 2017-08-17 04:00 to 2025-12-02 05:00 UTC: 72,698 hours. */
export function hourlyCloses(): HourlyCloses {
  const [head, ...lines] = gunzipSync(readFileSync(FILE)).toString('ascii').trimEnd().split('\n');
  if (head !== 'ts,btc,eth') throw new Error(`${FILE.pathname}: unexpected columns ${head}`);
  const closes: HourlyCloses = {
    ts: new Float64Array(lines.length),
    btc: new Float64Array(lines.length),
    eth: new Float64Array(lines.length),
  };
  for (const [row, line] of lines.entries()) {
    const [ts = Number.NaN, btc = Number.NaN, eth = Number.NaN] = line.split(',').map(Number);
    const whole = row === 0 || ts === (closes.ts[row - 1] ?? 0) + HOUR;
    if (!whole || !(btc > 0) || !(eth > 0)) {
      throw new Error(`${FILE.pathname}: line ${row + 2} is no hour with two prices: ${line}`);
    }
    closes.ts[row] = ts;
    closes.btc[row] = btc;
    closes.eth[row] = eth;
  }
  return closes;
}
