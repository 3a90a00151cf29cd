// Kill −9 the service in the middle of the sample and start it again: it finishes, nothing is lost and
// nothing happens twice. The lab is a process of its own and lives on in between. Then Ctrl-C, and
// nothing is left running.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseAbiItem } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { projectRoot } from '../../api/cli/home.ts';
import { labStatus, stopLab } from '../../solver/lab/lab.ts';
import type { NetworkConfig } from '../../solver/types/network.ts';
import { clientOf, escrowed } from './harness.ts';

interface Step {
  readonly step: string;
  readonly orderId?: string;
  readonly purpose?: string;
}

const outputFilled = parseAbiItem(
  'event OutputFilled(bytes32 indexed orderId, bytes32 solver, uint32 timestamp, (bytes32 oracle, bytes32 settler, uint256 chainId, bytes32 token, uint256 amount, bytes32 recipient, bytes callbackData, bytes context) output, uint256 finalAmount)',
);
const ANYONE = privateKeyToAccount(`0x${'22'.repeat(32)}`);

test.each([
  ['while the escrow opens', 'open:'],
  ['after the first fill was sent', 'fill:'],
  ['while the fills are proven', 'prove:'],
])('kill −9 %s', async (_name, purpose) => {
  const home = await mkdtemp(join(tmpdir(), 'trimtab-restart-'));
  let child = start(home);
  try {
    let orderId: string | undefined;
    for await (const step of stepsOf(child)) {
      orderId = step.orderId ?? orderId;
      if (step.step === 'tx.sent' && step.purpose?.startsWith(purpose)) child.kill('SIGKILL');
    }
    await ended(child);
    expect(child.signalCode).toBe('SIGKILL');
    expect(labStatus(home).phase).toBe('ready');

    child = start(home);
    const seen: Step[] = [];
    for await (const step of stepsOf(child)) {
      seen.push(step);
      if (step.step !== 'settled' && step.step !== 'ended') continue;
      await expectDoneOnce(home);
      child.kill('SIGINT');
    }
    expect(seen.at(-1)?.step).toBe('settled');
    expect(seen.at(-1)?.orderId).toBe(orderId);
    await ended(child);
    expect(child.exitCode).toBe(0);
    expect(labStatus(home).phase).toBe('absent');
  } finally {
    child.kill('SIGKILL');
    await stopLab(home);
    await rm(home, { recursive: true, force: true });
  }
});

/** One fill per output of the one order, and every escrow empty. */
async function expectDoneOnce(home: string): Promise<void> {
  const network = JSON.parse(
    await readFile(join(home, 'lab/network.json'), 'utf8'),
  ) as NetworkConfig;
  const outputs: string[] = [];
  const awards = new Set<string | undefined>();
  for (const chain of network.chains) {
    const logs = await clientOf(chain, ANYONE).getLogs({
      address: chain.contracts.outputSettler,
      event: outputFilled,
      fromBlock: 0n,
    });
    for (const { args } of logs) {
      awards.add(args.orderId);
      outputs.push(JSON.stringify([chain.chainId, args.output?.token, args.output?.recipient]));
    }
  }
  expect(awards.size).toBe(1);
  expect(outputs.length).toBeGreaterThan(0);
  expect(new Set(outputs).size).toBe(outputs.length);
  expect(await escrowed(network)).toBe(0n);
}

function start(home: string): ChildProcess {
  const bin = join(projectRoot, 'api/cli/bin.mjs');
  return spawn(process.execPath, [bin, 'start', '--json', '--port', '0'], {
    env: { ...process.env, TRIMTAB_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Every line of stdout must be one JSON object. */
async function* stepsOf(child: ChildProcess): AsyncGenerator<Step> {
  if (child.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: child.stdout })) {
    yield JSON.parse(line) as Step;
  }
}
