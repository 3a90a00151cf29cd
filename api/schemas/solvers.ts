// GET /v1/solvers: the fillers' standing.

import { Type } from 'typebox';
import { Address } from './common.ts';

export const Standing = Type.Object({
  filler: Address,
  won: Type.Integer({ description: 'Awards.' }),
  filled: Type.Integer({ description: 'Every output in time.' }),
  faded: Type.Integer({ description: 'Not filled, not opened, or given back.' }),
  late: Type.Integer({ description: 'An output after the fill deadline.' }),
  cooldownUntilMs: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Milliseconds since 1970 until which its bids are refused; null: it may bid.',
  }),
});

export const Standings = Type.Object({ solvers: Type.Array(Standing) });
