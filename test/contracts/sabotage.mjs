// Deliberate bugs in the contracts, one at a time: each must fail the forge suite.
// `node test/contracts/sabotage.mjs [number…]`: about ten seconds each, no part of `npm test`.
// It prints one line per bug and `N passed, N failed`, where passed means caught.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tsImport } from 'tsx/esm/api';

const SRC = 'contracts-abi/solidity/src';
/** [what breaks, file, text, replacement] */
const BUGS = [
  [
    'Permit2 without an award',
    'PortfolioSettler.sol',
    `_checkAward(head, award, awardId, awardSig);
        _leaveNone(head, _slotValue(awardId, leg.index, OPEN));
        _pullWithPermit2`,
    `_leaveNone(head, _slotValue(awardId, leg.index, OPEN));
        _pullWithPermit2`,
  ],
  [
    'Permit2 forgets the slot',
    'PortfolioSettler.sol',
    `_leaveNone(head, _slotValue(awardId, leg.index, OPEN));
        _pullWithPermit2`,
    '_pullWithPermit2',
  ],
  [
    'Permit2 pulls less than it says',
    'PortfolioSettler.sol',
    '- held[i] != inputs[i].amount',
    '- held[i] > inputs[i].amount',
  ],
  [
    'release forgets the slot',
    'PortfolioSettler.sol',
    'slot[head.owner][head.nonce] = _slotValue(awardId, index, status);',
    '',
  ],
  ['any leg of the order', 'PortfolioSettler.sol', ' | (index << 3)', ''],
  [
    'nonce skipped before freeze',
    'LayerZeroOracle.sol',
    '|| endpoint.lazyInboundNonce(address(this), eid, peers[eid]) != 0',
    '',
  ],
  ['late fills release', 'PortfolioSettler.sol', 'fill.timestamp > head.fillDeadline', 'false'],
  [
    'amounts below the signed ones',
    'PortfolioSettler.sol',
    'if (amounts[i] < output.amount) revert BadAmounts();',
    '',
  ],
  ['outputs in any order', 'PortfolioSettler.sol', 'i != 0 && !_isBefore', 'false && !_isBefore'],
  [
    'the first solver is paid',
    'PortfolioSettler.sol',
    'if (head.auctioneer == address(0)) beneficiary',
    'beneficiary',
  ],
  [
    'anyone may direct the escrow',
    'PortfolioSettler.sol',
    'if (to != beneficiary && msg.sender != beneficiary) revert BadBeneficiary();',
    '',
  ],
  [
    'accept without an award',
    'PortfolioSettler.sol',
    'if (award.filler == address(0)) revert BadAward();',
    '',
  ],
  ['refund at expiry', 'PortfolioSettler.sol', 'block.timestamp <= head.expiry', 'false'],
  ['inexact inputs', 'PortfolioSettler.sol', '- before != amount', '- before > amount'],
  ['high s accepted', 'libraries/Signatures.sol', 'uint256(s) <= S_MAX && ', ''],
  [
    'dirty magic accepted',
    'libraries/Signatures.sol',
    'eq(mload(0x00), magic)',
    'eq(shr(224, mload(0x00)), shr(224, magic))',
  ],
  ['zero signer', 'libraries/Signatures.sol', 'if (signer == address(0)) return false;', ''],
  [
    'no-code token',
    'libraries/Tokens.sol',
    'success := and(success, iszero(iszero(extcodesize(token))))',
    '',
  ],
  [
    'starved push',
    'libraries/Tokens.sol',
    'if (gasleft() < needed * 64 / 63 + 12_000) revert NotEnoughGas();',
    '',
  ],
  [
    'tombstone at the deadline',
    'OutputSettler.sol',
    'block.timestamp <= award.fillDeadline',
    'block.timestamp < award.fillDeadline',
  ],
  [
    'fill over a tombstone',
    'OutputSettler.sol',
    'if (record == OutputHash.TOMBSTONE) revert Tombstoned();',
    'if (record == OutputHash.TOMBSTONE) record = 0;',
  ],
  [
    'change of the whole balance',
    'OutputSettler.sol',
    'uint256 change = msg.value - spent;',
    'uint256 change = address(this).balance; spent;',
  ],
  [
    'attestation of any record',
    'OutputSettler.sol',
    '(bytes32(payload[32:]), hash)] == record',
    '(bytes32(payload[32:]), hash)] != 0 && record != 0',
  ],
  ['no lock', 'libraries/TransientLock.sol', 'if (held) revert Locked();', ''],
  [
    'peer check dropped',
    'LayerZeroOracle.sol',
    ' || peers[origin.srcEid] != origin.sender) revert',
    ') revert',
  ],
  [
    'endpoint check dropped',
    'LayerZeroOracle.sol',
    'if (msg.sender != address(endpoint)) revert NotEndpoint();',
    '',
  ],
  [
    'one DVN is enough',
    'LayerZeroOracle.sol',
    'config.requiredDVNCount >= 2',
    'config.requiredDVNCount >= 1',
  ],
  ['delegate kept', 'LayerZeroOracle.sol', 'endpoint.setDelegate(address(0));', ''],
  [
    'source not asked',
    'LayerZeroOracle.sol',
    'if (!IAttester(source).hasAttested(payloads)) revert NotAttested();',
    '',
  ],
  [
    'callback from anyone',
    'RouteExecutor.sol',
    'msg.sender != expected || msg.sender != v3Factory',
    'msg.sender != expected && msg.sender != v3Factory',
  ],
  [
    'allowance left behind',
    'RouteExecutor.sol',
    'Tokens.approve(spends[i].token, settler, 0);',
    '',
  ],
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const forge = join(root, 'node_modules/@foundry-rs/forge-linux-amd64/bin/forge');
const only = process.argv.slice(2).map(Number);
const { permit2Code, permit2File } = await tsImport(
  '../../contracts-abi/permit2Artifact.ts',
  import.meta.url,
);
permit2Code();
const settings = { TRIMTAB_PERMIT2: permit2File(), FOUNDRY_FUZZ_RUNS: '32' };
const totals = { caught: 0, survived: 0 };
for (const [i, bug] of BUGS.entries()) {
  if (only.length > 0 && !only.includes(i)) continue;
  const caught = attempt(bug);
  totals[caught ? 'caught' : 'survived'] += 1;
  console.log(`${caught ? 'caught  ' : 'SURVIVED'} ${i} ${bug[0]}`);
}
console.log(`${totals.caught} passed, ${totals.survived} failed`);
process.exitCode = totals.survived > 0 ? 1 : 0;

/** Builds artifacts with the bug from a copy of the sources, and runs the tests on them. */
function attempt([name, file, text, replacement]) {
  const copy = mkdtempSync(join(tmpdir(), 'trimtab-sabotage-'));
  try {
    for (const entry of ['contracts-abi', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, entry), join(copy, entry), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    edit(name, join(copy, SRC, file), text, replacement);
    // The IR pipeline doubles the time and changes no verdict.
    edit(name, join(copy, 'contracts-abi/compile.ts'), 'viaIR: true', 'viaIR: false');
    const tsx = join(root, 'node_modules/.bin/tsx');
    const built = spawnSync(tsx, ['contracts-abi/generate.ts'], { cwd: copy, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`${name}: ${built.stderr.slice(-800)}`);
    const builds = join(copy, '.build/contracts');
    const artifacts = join(root, '.build', 'sabotage');
    rmSync(artifacts, { recursive: true, force: true });
    cpSync(join(builds, readdirSync(builds)[0]), artifacts, { recursive: true });
    // Gas differs without being a test's verdict; the invariants only where nothing else tells.
    return (
      fails(artifacts, ['--nmc', 'Invariants|Gas|Encoding|Hashes']) ||
      fails(artifacts, ['--mc', 'Invariants'])
    );
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function edit(name, path, text, replacement) {
  const source = readFileSync(path, 'utf8');
  if (!source.includes(text)) throw new Error(`${name}: the text to break is gone from ${path}`);
  writeFileSync(path, source.replaceAll(text, replacement));
}

function fails(artifacts, filter) {
  const run = spawnSync(forge, ['test', ...filter], {
    cwd: join(root, 'contracts-abi/solidity'),
    encoding: 'utf8',
    env: { ...process.env, TRIMTAB_ARTIFACTS: artifacts, ...settings },
  });
  if (!/tests? passed, \d+ failed/.test(run.stdout)) {
    throw new Error(`forge ran no tests: ${run.stdout.slice(-800)}${run.stderr.slice(-800)}`);
  }
  return run.status !== 0;
}
