// What is committed equals what the sources give: the generated ABIs, and the compiler settings that
// are written in two places.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONTRACTS, compileContracts, SETTINGS } from '../../contracts-abi/compile.ts';
import { abiFile, abiModule } from '../../contracts-abi/generate.ts';

/** EIP-170. */
const CODE_BYTES_MAX = 24_576;

describe('generate', () => {
  test.each(CONTRACTS)('abi of %s is the committed one', async (name) => {
    const artifacts = await compileContracts();
    expect(readFileSync(abiFile(name), 'utf8')).toBe(abiModule(artifacts[name]));
  });
});

describe('compileContracts', () => {
  test.each(CONTRACTS)('%s fits a block and carries no metadata hash', async (name) => {
    const { deployedBytecode } = (await compileContracts())[name];
    expect(deployedBytecode.length / 2 - 1).toBeLessThanOrEqual(CODE_BYTES_MAX);
    // CBOR metadata would hold the ASCII of "solc" or "ipfs" near the end.
    expect(deployedBytecode.slice(-120)).not.toMatch(/64736f6c63|6970667358/);
  });

  test('behavior: forge compiles for the same machine', () => {
    const file = join(import.meta.dirname, '../../contracts-abi/solidity/foundry.toml');
    expect(readFileSync(file, 'utf8')).toContain(`evm_version = "${SETTINGS.evmVersion}"`);
  });
});
