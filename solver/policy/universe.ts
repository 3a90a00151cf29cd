// A policy meets a network: its assets found among the network's. Refuses assets nobody knows, with the
// list of those that are.

import { InvalidInput } from '../types/errors.ts';
import { DEFAULT_DEPEG_FLOOR, hasDefaultFloor, isNumeraire } from './defaults.ts';
import { quoted } from './parseFields.ts';
import type { Policy } from './types.ts';

const LISTED_MAX = 64;

/** What the numeraire stands for on chain, best first. */
const DOLLAR_TOKENS = ['USDC', 'USDT', 'DAI'];

/**
 * The policy with every asset found among the network's. CASH or USD without an entry in /universe is
 * the network's dollar token: USDC, else its only one of USDT and DAI. What is held as a dollar token
 * gets the depeg floor of one, unless the document says another. Throws as checkUniverse does.
 */
export function resolveUniverse(policy: Policy, knownAssets: Iterable<string>): Policy {
  const known = [...knownAssets];
  const idOf = (id: string, index: number): string => {
    const asset = policy.assets[index] ?? '';
    return id !== asset || known.includes(id) || !isNumeraire(asset) ? id : dollarOf(asset, known);
  };
  const universe = policy.universe.map(idOf);
  const resolved = { ...policy, universe };
  checkUniverse(resolved, known);
  const twice = universe.findIndex((id, index) => universe.indexOf(id) !== index);
  if (twice >= 0) {
    const [first, asset = ''] = [
      policy.assets[universe.indexOf(universe[twice] ?? '')],
      policy.assets[twice],
    ];
    const message = `"${first}" and "${asset}" are both ${quoted(universe[twice] ?? '')} here; add them up`;
    throw new InvalidInput(message, { pointer: `/targets/${asset}` });
  }
  const depegFloors = { ...policy.oracles.depegFloors };
  for (const [index, asset] of policy.assets.entries()) {
    if (!Object.hasOwn(depegFloors, asset) && hasDefaultFloor(universe[index] ?? '')) {
      depegFloors[asset] = DEFAULT_DEPEG_FLOOR;
    }
  }
  return { ...resolved, oracles: { ...policy.oracles, depegFloors } };
}

function dollarOf(asset: string, known: readonly string[]): string {
  const found = DOLLAR_TOKENS.flatMap((name) => known.filter((id) => id.toUpperCase() === name));
  const [best] = found;
  if (best !== undefined && (found.length === 1 || best.toUpperCase() === 'USDC')) return best;
  const why = best === undefined ? 'no dollar token is known' : `${found.join(' and ')} are known`;
  const example = best ?? known[0] ?? 'USDC';
  throw new InvalidInput(
    `${asset}: ${why}; say which in /universe, such as {"${asset}":"${example}"}`,
    {
      pointer: `/targets/${asset}`,
      code: 'unknownAsset',
    },
  );
}

/** Throws InvalidInput at the first asset of the policy the network does not know. */
export function checkUniverse(policy: Policy, knownAssets: Iterable<string>): void {
  const known = [...knownAssets];
  for (const [index, id] of policy.universe.entries()) {
    if (known.includes(id)) continue;
    const asset = policy.assets[index] ?? '';
    const list = known.slice(0, LISTED_MAX).join(', ');
    throw new InvalidInput(
      `${quoted(asset)} is ${quoted(id)} in the network, which knows no such asset; ` +
        `known: ${list}; map it in /universe, such as {"${asset}":"${known[0] ?? 'btc'}"}`,
      { pointer: `/targets/${asset}`, code: 'unknownAsset' },
    );
  }
}
