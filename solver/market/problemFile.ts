// The door of the optimizer's problem format, version 1: JSON → ParsedProblem. Strict: unknown or
// duplicate keys, numbers out of range, dangling ids and inconsistent ticks are refused with
// InvalidInput that carries the JSON pointer of the fault and the remedy. Objectives this
// version does not solve are refused by name, never ignored.

import type { Hash32 } from '../types/ids.ts';
import type { Problem, ProblemSettings } from '../types/problem.ts';
import { fixed36, ONE36 } from './decimal.ts';
import { canonicalJson, parseJsonText } from './jsonText.ts';
import { keccakOf } from './keccak.ts';
import { readObjective } from './objectiveReader.ts';
import type { ParsedGroup, ParsedNode, ParsedProblem, ParsedSettings } from './parsedProblem.ts';
import {
  type At,
  readArray,
  readDecimal,
  readId,
  readInteger,
  readObject,
  refuse,
} from './reader.ts';
import { readVenue } from './venueReader.ts';

export const NODES_MAX = 4096;
export const VENUES_MAX = 100_000;
export const GROUPS_MAX = 4096;
export const DECIMALS_MAX = 36;
const WORK_MAX = 1_000_000;

/** The whole document. Throws InvalidInput. */
export function parseProblem(json: unknown): ParsedProblem {
  const root = readObject(
    { value: json, pointer: '' },
    ['version', 'nodes', 'venues', 'objective'],
    ['groups', 'settings'],
  );
  const version = root.field('version');
  if (version.value !== 1) refuse(version, 'must be 1, the only version this build reads');

  const nodes = readArray(root.field('nodes'), 1, NODES_MAX).map(readNode);
  const nodeIndex = indexIds(nodes, root.field('nodes').pointer);
  const venues = readArray(root.field('venues'), 0, VENUES_MAX).map((at, index) =>
    readVenue(at, index, nodes, nodeIndex),
  );
  const venueIndex = indexIds(venues, root.field('venues').pointer);
  const groups = root.has('groups') ? readGroups(root.field('groups'), venueIndex) : [];
  const objective = readObjective(root.field('objective'), nodes, nodeIndex);
  const settings = readSettings(root.has('settings') ? root.field('settings') : null);

  const source = json as Problem;
  return withDigest({ source, nodes, nodeIndex, venues, venueIndex, groups, objective, settings });
}

/** Hashing takes longer than reading, and solving needs no digest: only results and quotes do. */
function withDigest(
  problem: Omit<ParsedProblem, 'digest'>,
  digestOf = () => problemDigest(problem.source),
): ParsedProblem {
  let digest: Hash32 | null = null;
  return {
    ...problem,
    get digest() {
      digest ??= digestOf();
      return digest;
    },
  };
}

/** From text, refusing duplicate keys besides. Throws InvalidInput. */
export function parseProblemText(text: string): ParsedProblem {
  return parseProblem(parseJsonText(text));
}

/**
 * keccak256 of the canonical JSON (RFC 8785) of `{ market, objective }`, where `market` is marketDigest's;
 * 0x-prefixed lower-case hex. In two steps, so that quotes on one market hash it once.
 */
export function problemDigest({ objective, ...market }: Problem): Hash32 {
  return digestOn(marketDigest(market), canonicalJson(objective));
}

/** keccak256 of the canonical JSON of a problem without its objective. */
export function marketDigest(market: Omit<Problem, 'objective'>): Hash32 {
  return keccakOf(canonicalJson(market));
}

/** problemDigest, of an objective's canonical JSON. */
export function digestOn(market: Hash32, objective: string): Hash32 {
  return keccakOf(`{"market":"${market}","objective":${objective}}`);
}

/**
 * The same nodes, venues and groups (the very objects: engine/encode's sharesSnapshot looks for them)
 * with another objective, and other settings if given. Read as strictly as a file. Throws InvalidInput.
 * `digestOf` is for who has the canonical text at hand.
 */
export function withObjective(
  problem: ParsedProblem,
  objective: Problem['objective'],
  settings?: ProblemSettings,
  digestOf?: () => Hash32,
): ParsedProblem {
  const { source, nodes, nodeIndex, venues, venueIndex, groups } = problem;
  const parsed = {
    source: { ...source, objective, ...(settings === undefined ? {} : { settings }) },
    nodes,
    nodeIndex,
    venues,
    venueIndex,
    groups,
    objective: readObjective({ value: objective, pointer: '/objective' }, nodes, nodeIndex),
    settings:
      settings === undefined
        ? problem.settings
        : readSettings({ value: settings, pointer: '/settings' }),
  };
  return withDigest(parsed, digestOf);
}

function readNode(at: At): ParsedNode {
  const node = readObject(at, ['id', 'asset', 'chain', 'decimals'], ['price']);
  return {
    id: readId(node.field('id')),
    asset: readId(node.field('asset')),
    chain: readInteger(node.field('chain'), 1, Number.MAX_SAFE_INTEGER),
    decimals: readInteger(node.field('decimals'), 0, DECIMALS_MAX),
    price: node.has('price') ? readDecimal(node.field('price'), { positive: true }) : null,
  };
}

function indexIds(
  items: readonly { readonly id: string }[],
  pointer: string,
): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  items.forEach(({ id }, i) => {
    const first = index.get(id);
    if (first !== undefined) {
      refuse(
        { pointer: `${pointer}/${i}/id` },
        `id ${JSON.stringify(id)} is already used by ${pointer}/${first}; ids must be unique`,
        'duplicateId',
      );
    }
    index.set(id, i);
  });
  return index;
}

function readGroups(at: At, venueIndex: ReadonlyMap<string, number>): readonly ParsedGroup[] {
  const groups = readArray(at, 0, GROUPS_MAX).map((item) => readGroup(item, venueIndex));
  indexIds(groups, at.pointer);
  return groups;
}

function readGroup(at: At, venueIndex: ReadonlyMap<string, number>): ParsedGroup {
  const group = readObject(at, ['id', 'fixedCost', 'venues']);
  const seen = new Set<number>();
  for (const item of readArray(group.field('venues'), 1, VENUES_MAX)) {
    const id = readId(item);
    const index = venueIndex.get(id);
    if (index === undefined) refuse(item, `no venue has the id ${JSON.stringify(id)}`, 'unknownId');
    if (seen.has(index)) refuse(item, `venue ${JSON.stringify(id)} is listed twice`, 'duplicateId');
    seen.add(index);
  }
  return {
    id: readId(group.field('id')),
    fixedCost: readDecimal(group.field('fixedCost')),
    venues: [...seen],
  };
}

function readSettings(at: At | null): ParsedSettings {
  const defaults = { gapBps: fixed36(ONE36 / 100n), workMax: 2000, venueInputCap: null };
  if (at === null) return defaults;
  const settings = readObject(at, [], ['gapBps', 'workMax', 'venueInputCap']);
  return {
    gapBps: settings.has('gapBps') ? readDecimal(settings.field('gapBps')) : defaults.gapBps,
    workMax: settings.has('workMax')
      ? readInteger(settings.field('workMax'), 1, WORK_MAX)
      : defaults.workMax,
    venueInputCap: settings.has('venueInputCap')
      ? readDecimal(settings.field('venueInputCap'), { positive: true })
      : null,
  };
}
