// Problems that differ in their objective alone, such as the quotes of one block: nodes, venues, groups
// and settings are read once and their canonical text is made once. What comes out is what
// parseProblem and canonicalJson give for each problem by itself, object by object and byte by byte.

import type { Hash32 } from '../types/ids.ts';
import type { Problem } from '../types/problem.ts';
import { canonicalJson } from './jsonText.ts';
import type { ParsedProblem } from './parsedProblem.ts';
import { digestOn, marketDigest, parseProblem, withObjective } from './problemFile.ts';

/** Canonical JSON in three parts: `head` and `tail` are the same strings for all problems shared. */
export interface ProblemText {
  readonly head: string;
  readonly objective: string;
  readonly tail: string;
  /** marketDigest: names what is shared. */
  readonly shared: Hash32;
}
export interface SharedMember {
  /** Its nodes, venues and groups are the very objects of every other member. */
  readonly parsed: ParsedProblem;
  readonly text: ProblemText;
}
export interface SharedProblem {
  /** The problem with this objective. Throws InvalidInput with the pointer below /objective. */
  with(objective: Problem['objective']): SharedMember;
}

/** Reads `first` whole. It must not change afterwards. Throws InvalidInput. */
export function shareProblem(first: Problem): SharedProblem {
  const base = parseProblem(first);
  const { objective: _, ...frame } = first;
  // RFC 8785 sorts keys: the objective stands between two runs of members.
  const text = (keep: (key: string) => boolean) =>
    canonicalJson(Object.fromEntries(Object.entries(frame).filter(([key]) => keep(key)))).slice(
      1,
      -1,
    );
  const before = text((key) => key < 'objective');
  const behind = text((key) => key > 'objective');
  const head = `{${before}${before === '' ? '' : ','}"objective":`;
  const tail = `${behind === '' ? '' : ','}${behind}}`;
  const shared = marketDigest(frame);
  return {
    with(objective) {
      const middle = canonicalJson(objective);
      const digestOf = () => digestOn(shared, middle);
      return {
        parsed: withObjective(base, objective, undefined, digestOf),
        text: { head, objective: middle, tail, shared },
      };
    },
  };
}

/** The whole canonical text. */
export const joinText = ({ head, objective, tail }: ProblemText): string => head + objective + tail;
