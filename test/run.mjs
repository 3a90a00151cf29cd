// The test command. Runs each suite as a child, counts what each computed of itself, and closes with
// one line `N passed, N failed[, N skipped]`. Exits 1 if anything failed.
//   node test/run.mjs          lint, types, import arrows, dead code, unit tests, forge (short)
//   node test/run.mjs --slow   whole orders on local chains, crash tests, forge (10,000 runs)
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const bin = (name) => `node_modules/.bin/${name}`;
const check = (name, command, args) => ({ name, command, args, count: byExitCode });
const vitest = (project) => ({
  name: `vitest ${project}`,
  command: bin('vitest'),
  args: [
    'run',
    `--project=${project}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportOf(project)}`,
  ],
  before: () => rmSync(reportOf(project), { force: true }),
  count: () => byVitestReport(project),
});
const forge = (profile) => ({
  name: `forge ${profile}`,
  command: 'node',
  args: ['contracts-abi/forge.mjs', '--profile', profile],
  count: byClosingLine,
});

const FAST = [
  check('lint', bin('biome'), ['check', '.']),
  check('types', bin('tsc'), ['--noEmit', '-p', '.']),
  check('import arrows', bin('depcruise'), [
    '--config',
    '.dependency-cruiser.cjs',
    'solver',
    'api',
    'contracts-abi',
    'test',
  ]),
  check('dead code', bin('knip'), []),
  vitest('unit'),
  forge('default'),
];
const SLOW = [vitest('slow'), forge('ci')];

const totals = { passed: 0, failed: 0, skipped: 0 };
mkdirSync('.build', { recursive: true });
const slow = process.argv.includes('--slow');
for (const step of slow ? SLOW : FAST) {
  const started = Date.now();
  step.before?.();
  const { code, text } = await run(step.command, step.args);
  const counted = step.count(code, text);
  for (const key of Object.keys(totals)) totals[key] += counted[key] ?? 0;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`\n== ${step.name}: ${line(counted)} (${seconds} s)\n`);
}
console.log(line(totals));
// For .ci/run, which adds both runs up.
writeFileSync(`.build/counts-${slow ? 'slow' : 'fast'}.json`, JSON.stringify(totals));
process.exitCode = totals.failed > 0 ? 1 : 0;

function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
}

function reportOf(project) {
  return `.build/vitest-${project}.json`;
}

function byExitCode(code) {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** A run that wrote no report, or left a non-zero code with no failed test, is itself a failure. */
function byVitestReport(project) {
  try {
    const report = JSON.parse(readFileSync(reportOf(project), 'utf8'));
    const failed = report.numFailedTests + (report.success || report.numFailedTests > 0 ? 0 : 1);
    return { passed: report.numPassedTests, failed, skipped: report.numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function byClosingLine(code, text) {
  const found = [...text.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (!found) {
    const skipped = code === 0 && /\bskipped\b/.test(text);
    return { passed: 0, failed: skipped ? 0 : 1, skipped: skipped ? 1 : 0 };
  }
  const failed = Number(found[2]) + (code !== 0 && found[2] === '0' ? 1 : 0);
  return { passed: Number(found[1]), failed, skipped: Number(found[3] ?? 0) };
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      process.stdout.write(chunk);
    });
    child.stderr.on('data', (chunk) => process.stderr.write(chunk));
    child.on('error', (error) => resolve({ code: 1, text: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 1, text }));
  });
}
