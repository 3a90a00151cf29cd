// Coverage fuzzing of the core, compiled through wasm2c and instrumented by afl++:
//   node test/fuzz/afl.mjs --seconds 600 [--ignore balance,nan]
// Starts from test/fuzz/cases/*.bin and a few random strings, prints executions, crashes and hangs, and
// exits 1 if there were any. What it finds lies in .build/native/afl/found-<day and second>.
// Where afl++ is missing it says so and exits 0.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MISSING, main, tool } from '../native/build.mjs';
import { buildAfl, buildDriver } from './build.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const SEEDS = 48;
/** A solve of 16 nodes and 48 venues takes some milliseconds at the longest. */
const HANG_MS = 2000;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, ignore: { type: 'string', default: '' } },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error(`--seconds ${values.seconds}`);

/** Strings that decode to varied problems: hashes are random enough, and always the same. */
function writeSeeds(folder) {
  mkdirSync(folder, { recursive: true });
  for (let k = 0; k < SEEDS; k++) {
    const blocks = Array.from({ length: 4 + (k % 12) * 3 }, (_, i) =>
      createHash('sha256').update(`trimtab ${k} ${i}`).digest(),
    );
    const bytes = Buffer.concat(blocks).map((byte) => Math.min(byte, 253));
    bytes[0] = k % 8;
    writeFileSync(join(folder, `seed-${k}.bin`), bytes);
  }
  const cases = join(here, 'cases');
  for (const name of existsSync(cases) ? readdirSync(cases) : []) {
    if (name.endsWith('.bin')) cpSync(join(cases, name), join(folder, name));
  }
}

function campaign(program, folder) {
  return new Promise((done, failed) => {
    const child = spawn(
      'afl-fuzz',
      ['-i', join(folder, 'in'), '-o', join(folder, 'out'), '-V', String(seconds)].concat([
        '-t',
        String(HANG_MS),
        '-m',
        'none',
        '--',
        program,
      ]),
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          ...process.env,
          AFL_NO_UI: '1',
          AFL_SKIP_CPUFREQ: '1',
          AFL_NO_AFFINITY: '1',
          AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES: '1',
          AFL_AUTORESUME: '0',
          TRIMTAB_FUZZ_IGNORE: values.ignore,
        },
      },
    );
    // Ends by id what it started, also when it is itself asked to end.
    const stop = () => child.kill('SIGINT');
    process.once('SIGINT', stop).once('SIGTERM', stop);
    child.on('error', failed);
    child.on('close', (code) => done(code));
  });
}

/** `fuzzer_stats` as a record of strings. */
function statsOf(folder) {
  const path = join(folder, 'out/default/fuzzer_stats');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return Object.fromEntries(
    lines.map((line) => line.split(/\s*:\s*/)).filter((p) => p.length === 2),
  );
}

async function fuzz() {
  tool(['afl-clang-fast'], 'wabt afl++ clang');
  const program = buildAfl();
  buildDriver();
  const folder = join(root, '.build/native/afl', `found-${new Date().toISOString().slice(0, 19)}`);
  writeSeeds(join(folder, 'in'));
  const code = await campaign(program, folder);
  const stats = statsOf(folder);
  const count = (name) => Number(stats[name] ?? Number.NaN);
  console.log(
    `afl: ${count('execs_done')} executions in ${count('run_time')} s, ` +
      `${count('corpus_count')} paths, ${stats.bitmap_cvg} of the edges, ` +
      `${count('saved_crashes')} crashes, ${count('saved_hangs')} hangs (afl-fuzz exit ${code})`,
  );
  const clean = count('saved_crashes') === 0 && count('saved_hangs') === 0;
  if (clean) rmSync(folder, { recursive: true, force: true });
  else console.log(`replay: ${buildDriver()} ${join(folder, 'out/default/{crashes,hangs}/id*')}`);
  process.exitCode = clean ? 0 : 1;
}

let run = null;
main(() => {
  tool(['afl-clang-fast'], 'wabt afl++ clang');
  run = fuzz();
});
await run;
if (process.exitCode === MISSING) process.exitCode = 0;
