// The lab as a process: cached starts, adoption, and nothing left behind on any way out.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheKey } from '../../solver/lab/cacheKey.ts';
import { labPaths } from '../../solver/lab/files.ts';
import { labStatus, startLab, stopLab } from '../../solver/lab/lab.ts';
import { commandOf, isRunning, type ProcessRef } from '../../solver/lab/processes.ts';
import { type LabState, readState } from '../../solver/lab/state.ts';
import { present } from '../../solver/types/assert.ts';
import { eventually } from './chains.ts';
import { LAB_CACHE, withLab } from './withLab.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'trimtab-lab-'));
});
afterEach(async () => {
  await stopLab(home);
  rmSync(home, { recursive: true, force: true });
});

const options = () => ({ home, cacheDir: LAB_CACHE, blockMs: 250 });
const stateNow = (): LabState => present(readState(labPaths(home)), 'lab state');
const everyProcess = ({ process, children }: LabState): ProcessRef[] => [process, ...children];
const answers = async (url: string) => {
  try {
    await fetch(url, { method: 'POST', signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  }
};

// The first start of a changed lab compiles and deploys.
describe('lab process', { timeout: 180_000 }, () => {
  it('default: a second start finds the saved state; stop leaves nothing', async () => {
    const first = await startLab(options());
    const before = stateNow();
    await first.stop();
    expect(everyProcess(before).filter(isRunning)).toEqual([]);
    expect(await Promise.all(before.rpcUrls.map(answers))).toEqual([false, false, false]);
    expect(labStatus(home).phase).toBe('absent');

    const lines: string[] = [];
    const second = await startLab(options(), (line) => lines.push(line));
    expect(lines.join('\n')).toContain('found the deployed state');
    expect(second.runId).not.toBe(first.runId);
    expect(second.adopted).toBe(false);
    expect(second.network.chains.map(({ contracts }) => contracts)).toEqual(
      first.network.chains.map(({ contracts }) => contracts),
    );
    await second.stop();
    await second.stop();
  });

  it('behavior: a running lab of the same making is adopted, another one is replaced', async () => {
    const first = await startLab(options());
    const adopted = await startLab(options());
    expect(adopted.adopted).toBe(true);
    expect(adopted.runId).toBe(first.runId);
    expect(adopted.network).toEqual(first.network);
    const before = stateNow();
    const other = await startLab({ ...options(), blockMs: 500 });
    expect(other.adopted).toBe(false);
    expect(everyProcess(before).filter(isRunning)).toEqual([]);
  });

  it('behavior: two starts at once share one lab', async () => {
    const [a, b] = await Promise.allSettled([startLab(options()), startLab(options())]);
    const runs = [a, b].flatMap((each) => (each.status === 'fulfilled' ? [each.value.runId] : []));
    expect(runs.length).toBeGreaterThanOrEqual(1);
    expect(new Set(runs)).toEqual(new Set([stateNow().runId]));
  });

  it('behavior: after kill −9 of the lab the next start ends its orphans', async () => {
    await startLab(options());
    const before = stateNow();
    expect(before.children.length).toBe(3);
    process.kill(before.process.pid, 'SIGKILL');
    await eventually('lab gone', async () => !isRunning(before.process));
    expect(before.children.every(isRunning)).toBe(true);
    expect(labStatus(home).phase).toBe('absent');
    const lines: string[] = [];
    const next = await startLab(options(), (line) => lines.push(line));
    expect(lines).toContain('ended a lab that was left behind');
    expect(next.adopted).toBe(false);
    expect(before.children.filter(isRunning)).toEqual([]);
  });

  it('behavior: with whilePid it ends once that process is gone', async () => {
    const starter = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      await startLab({ ...options(), whilePid: present(starter.pid, 'pid') });
      const before = stateNow();
      starter.kill('SIGKILL');
      const gone = async () => everyProcess(before).every((ref) => !isRunning(ref));
      await eventually('all gone', gone);
      expect(readState(labPaths(home))).toBeNull();
    } finally {
      starter.kill('SIGKILL');
    }
  });

  it('behavior: SIGTERM ends the chains too, also one that is stopped', async () => {
    const lab = await startLab(options());
    await lab.control.stopChain(31339);
    const before = stateNow();
    process.kill(before.process.pid, 'SIGTERM');
    await eventually('all gone', async () => everyProcess(before).every((ref) => !isRunning(ref)));
    expect(readState(labPaths(home))).toBeNull();
  });

  it('error: a chain that dies ends the lab, which says so', async () => {
    await startLab(options());
    const before = stateNow();
    process.kill(present(before.children[1], 'child').pid, 'SIGKILL');
    await eventually('all gone', async () => everyProcess(before).every((ref) => !isRunning(ref)));
    expect(labStatus(home).reason).toContain('chain 31339: anvil ended');
  });

  it('error: a recorded pid that now belongs to another program is left alone', async () => {
    const mine = { pid: process.pid, command: 'anvil --chain-id 31338' };
    expect(isRunning(mine)).toBe(false);
    expect(commandOf(process.pid)).not.toBeNull();
  });
});

describe('withLab', () => {
  it('default: writes the files others read; keys are for their owner alone', async () => {
    await withLab({ blockMs: 500, feedHeartbeatSeconds: 5 }, async (lab, temporary) => {
      expect(lab.networkFile.startsWith(temporary)).toBe(true);
      const network: unknown = JSON.parse(readFileSync(lab.networkFile, 'utf8'));
      expect(network).toMatchObject({ version: 1, minProofWindowSeconds: 24 });
      expect(lab.network.chains[0]?.tokens[0]?.feedHeartbeatSeconds).toBe(5);
      expect(lab.network.chains.map(({ chainId }) => chainId)).toEqual([31338, 31339, 31340]);
      const accounts = labPaths(temporary).accounts;
      expect(statSync(accounts).mode & 0o777).toBe(0o600);
      expect(lab.accounts.wallet.privateKey).toMatch(/^0x[0-9a-f]{64}$/);
    });
  });
});

describe('cacheKey', () => {
  it('behavior: the same twice, another for other confirmations', () => {
    expect(cacheKey({ confirmations: 2 })).toBe(cacheKey({ confirmations: 2 }));
    expect(cacheKey({ confirmations: 2 })).not.toBe(cacheKey({ confirmations: 3 }));
  });
});
