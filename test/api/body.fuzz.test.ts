// The strict body parser against JSON.parse: it reads what JSON.parse reads, or refuses.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEPTH_MAX, parseBody } from '../../api/body.ts';
import { ApiError } from '../../api/errors.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const runs = { seed, numRuns: 500 };
const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;

it(`property: equals JSON.parse on JSON without duplicate keys (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom('', ' ', '\n\t'), (text, space) => {
      const value: unknown = JSON.parse(text);
      fc.pre(depthOf(value) <= DEPTH_MAX && !/__proto__|constructor|prototype/.test(text));
      expect(parseBody(bytes(space + text + space))).toEqual(value);
      expect(parseBody(bytes(JSON.stringify(value, null, 2)))).toEqual(value);
    }),
    runs,
  );
});

it(`property: any bytes give a value that JSON.parse agrees with, or an ApiError (seed ${seed})`, () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ maxLength: 60 }).map(bytes)),
      (input) => {
        let value: unknown;
        try {
          value = parseBody(input);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
          return;
        }
        expect(value).toEqual(JSON.parse(new TextDecoder().decode(input)));
      },
    ),
    runs,
  );
});

it(`property: a repeated key is refused wherever it stands (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.constantFrom('a', 'o')), (key, path) => {
      fc.pre(path.length < DEPTH_MAX - 1 && !/^(__proto__|constructor|prototype)$/.test(key));
      const name = JSON.stringify(key);
      const inner = `{${name}:1,"other ${path.length}":"}{][,:",${name}:2}`;
      const text = path.reduce(
        (body, kind) => (kind === 'a' ? `[0,${body}]` : `{"k":${body}}`),
        inner,
      );
      expect(() => parseBody(bytes(text))).toThrow(/appears twice/);
    }),
    runs,
  );
});
