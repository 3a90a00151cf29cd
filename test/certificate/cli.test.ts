// `trimtab solve` and `trimtab verify` as commands: what they print where, and their exit codes.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { registerSolve } from '../../api/cli/commands/solve.ts';
import { registerVerify } from '../../api/cli/commands/verify.ts';
import { InvalidInput } from '../../solver/types/errors.ts';

const PROBLEM = 'test/vectors/problems/parallel-1.json';

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

async function run(...args: string[]): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    stdout += String(chunk);
    return true;
  });
  vi.spyOn(console, 'error').mockImplementation((line) => {
    stderr += `${line}\n`;
  });
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    const program = new Command().exitOverride();
    registerSolve(program);
    registerVerify(program);
    await program.parseAsync(args, { from: 'user' });
    return { stdout, stderr, exitCode: Number(process.exitCode) };
  } finally {
    process.exitCode = before;
    vi.restoreAllMocks();
  }
}

describe('trimtab solve and verify', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trimtab-cli-'));
  });
  afterEach(() => void vi.restoreAllMocks());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('default: the result alone on stdout, timings on stderr, twice the same bytes', async () => {
    const out = join(folder, 'result.json');
    const first = await run('solve', PROBLEM, '--json', '--out', out);
    expect(first.exitCode).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ version: 1, status: 'solved' });
    expect(first.stderr).toMatch(/solved and certified in/);
    expect(first.stderr).toMatch(/^core 0x[0-9a-f]{64}$/m);
    expect(readFileSync(out, 'utf8')).toBe(first.stdout);
    expect((await run('solve', PROBLEM, '--json')).stdout).toBe(first.stdout);
    expect(await run('verify', PROBLEM, out)).toMatchObject({ exitCode: 0 });
    const verdict = await run('verify', PROBLEM, out, '--json');
    expect(JSON.parse(verdict.stdout)).toEqual({ ok: true });
  });

  it('default: a table for people', async () => {
    const { stdout } = await run('solve', PROBLEM);
    expect(stdout).toMatch(/^status {2}solved\nleg /);
    expect(stdout).toMatch(/gap {5}0\.\d+ bps/);
  });

  it('behavior: a bent result is rejected with every failure and exit code 1', async () => {
    const { stdout } = await run('solve', PROBLEM, '--json');
    const result = JSON.parse(stdout);
    result.final['1:B'] = (BigInt(result.final['1:B']) + 1n).toString();
    const bent = file('bent.json', JSON.stringify(result));
    const verdict = await run('verify', PROBLEM, bent);
    expect(verdict.exitCode).toBe(1);
    expect(verdict.stdout).toContain(`${bent}#/final/1:B`);
    const json = await run('verify', PROBLEM, bent, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, failures: [{ code: 'final' }] });
  });

  it('behavior: no plan is an answer, with exit code 1 and a result that verifies', async () => {
    const source = JSON.parse(readFileSync(PROBLEM, 'utf8'));
    const cut = file('cut.json', JSON.stringify({ ...source, venues: [] }));
    const { stdout, exitCode } = await run('solve', cut, '--json');
    expect(exitCode).toBe(1);
    const { status, legs } = JSON.parse(stdout);
    expect(['noRoute', 'infeasible']).toContain(status);
    expect(legs).toEqual([]);
    const result = file('cut.result.json', stdout);
    expect(await run('verify', cut, result)).toMatchObject({ exitCode: 0 });
  });

  it('error: bad files are named with the pointer of the fault', async () => {
    const pointerOf = async (...args: string[]) => {
      const error: unknown = await run(...args).then(
        () => null,
        (reason: unknown) => reason,
      );
      return error instanceof InvalidInput ? error.pointer : String(error);
    };
    const absent = join(folder, 'absent.json');
    expect(await pointerOf('solve', absent)).toBe(absent);
    const broken = file('broken.json', '{"version":1,');
    expect(await pointerOf('solve', broken)).toBe(`${broken}#`);
    const twice = file('twice.json', '{"version":1,"version":1}');
    expect(await pointerOf('solve', twice)).toBe(`${twice}#/version`);
    expect(await pointerOf('verify', PROBLEM, PROBLEM)).toBe(`${PROBLEM}#/nodes`);
  });
});
