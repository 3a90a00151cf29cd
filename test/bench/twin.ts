// The column of the TypeScript twin (test/twin): the same method as plain JavaScript, on the same
// problem. What it shows is what WebAssembly is worth.

import { evaluate } from '../../solver/certificate/evaluate.ts';
import { prepareTwin, solveTwin } from '../twin/index.ts';
import { type Case, type Engine, type Opened, repeated, timed } from './rivals.ts';

const VENUES_MAX = 1000;
/** Choosing among venues that cost something or pools of many takes it minutes beyond this. */
const VENUES_MAX_WITH_CHOICES = 100;

export function twinEngine(): Engine {
  return { name: 'twin', roundsMax: 3, open };
}

function open({ kind, problem }: Case): Opened | null {
  const convex = kind === 'smooth' || kind === 'linear';
  if (problem.venues.length > (convex ? VENUES_MAX : VENUES_MAX_WITH_CHOICES)) return null;
  const solve = prepareTwin(problem);
  return {
    run() {
      const once = () => timed(solve)[0];
      return { cold: repeated(once(), once) };
    },
    outcome() {
      const { value, gapBps, bound } = evaluate(problem, solveTwin(problem), '0x');
      return { value: Number(value), gapBps: Number(gapBps), bound: Number(bound) };
    },
  };
}
