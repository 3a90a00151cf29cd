// Whether any trade at all can move a portfolio towards its targets. The optimizer answers the same
// with "no legs", but cannot say whether there is no way or only none worth its cost. Pure.

import type { Problem } from '../types/problem.ts';
import type { Scene } from './scene.ts';
import { heldWeights } from './weights.ts';

/** An underweight target that nothing held outside it can reach over any venue: its asset. */
export function unreachableTarget(scene: Scene, problem: Problem): string | null {
  const next = edgesOf(problem);
  const weights = heldWeights(scene);
  for (const [i, { asset, tokens, weightBps }] of scene.targets.entries()) {
    if ((weights[i] ?? 0) >= weightBps) continue;
    const inside = new Set(tokens.map(({ node }) => node));
    const outside = [...scene.holdings.keys()].filter((node) => !inside.has(node));
    if (outside.length > 0 && !reaches(next, outside, inside)) return asset;
  }
  return null;
}

/** Quotes of one market share its venues, which never change. */
const known = new WeakMap<Problem['venues'], ReadonlyMap<string, ReadonlySet<string>>>();

function edgesOf(problem: Problem): ReadonlyMap<string, ReadonlySet<string>> {
  const next = known.get(problem.venues) ?? edges(problem);
  known.set(problem.venues, next);
  return next;
}

function edges({ venues }: Problem): ReadonlyMap<string, ReadonlySet<string>> {
  const next = new Map<string, Set<string>>();
  const add = (from: string, to: string) => {
    const among = next.get(from) ?? new Set();
    next.set(from, among.add(to));
  };
  for (const { kind, nodes } of venues) {
    // A transfer runs one way, from the first node to the second; a pool joins any two of its own.
    const oneWay = kind === 'bridge' || kind === 'order';
    const sources = oneWay ? nodes.slice(0, 1) : nodes;
    for (const from of sources) {
      for (const to of nodes) if (to !== from) add(from, to);
    }
  }
  return next;
}

/** Breadth first; every node is met once. */
function reaches(
  next: ReadonlyMap<string, ReadonlySet<string>>,
  from: readonly string[],
  goal: ReadonlySet<string>,
): boolean {
  const seen = new Set(from);
  const queue = [...from];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    if (goal.has(at)) return true;
    for (const node of next.get(at) ?? []) {
      if (seen.has(node)) continue;
      seen.add(node);
      queue.push(node);
    }
  }
  return false;
}
