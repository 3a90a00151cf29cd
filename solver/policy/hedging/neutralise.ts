// Which options to trade so that gamma and vega come into their bands at the least cost. Owns that
// choice; the underlying, which has neither, is traded afterwards (decide.ts).
//
// Minimise Σ cᵢ|qᵢ| with |Γ + Σ γᵢqᵢ| ≤ band and |ν + Σ νᵢqᵢ| ≤ band: a linear programme of at most two
// rows, so an optimal vertex trades at most as many instruments as rows stand at an edge. All such
// vertices are few enough to be tried: every instrument to every edge, every pair to every two edges.

/** One instrument's Greeks per unit and what a unit costs to trade, numeraire. */
export interface Candidate {
  readonly instrument: string;
  readonly gamma: number;
  readonly vega: number;
  readonly cost: number;
}

/** A Greek as it stands and what is tolerated of it; null: not hedged. */
export interface Row {
  readonly value: number;
  readonly band: number;
}

export interface Neutral {
  /** By index of candidate; empty: within the bands already. */
  readonly trades: readonly { readonly index: number; readonly quantity: number }[];
  readonly cost: number;
}

/** More candidates are refused: pairs grow with the square. */
export const INSTRUMENTS_MAX = 256;
/**
 * A pair whose determinant is this small beside its products is taken for one direction: it would hold
 * a million of one against a million of the other, and rounding would decide the rest.
 */
const COLLINEAR = 1e-6;
/** Rounding allowed when a solution is put back into the rows. */
const ROUNDING = 1e-9;

/** null: no trade of these instruments brings both rows into their bands. */
export function neutralise(
  candidates: readonly Candidate[],
  gamma: Row | null,
  vega: Row | null,
): Neutral | null {
  const inside = { gamma: within(gamma, []), vega: within(vega, []) };
  if (inside.gamma && inside.vega) return { trades: [], cost: 0 };
  let best: Neutral | null = null;
  const consider = (trades: Neutral['trades']): void => {
    const of = (index: number): Candidate => candidates[index] as Candidate;
    const cost = trades.reduce((sum, t) => sum + of(t.index).cost * Math.abs(t.quantity), 0);
    if (best !== null && !(cost < best.cost)) return;
    const parts = (greek: 'gamma' | 'vega') =>
      trades.map(({ index, quantity }) => of(index)[greek] * quantity);
    if (within(gamma, parts('gamma')) && within(vega, parts('vega'))) best = { trades, cost };
  };
  candidates.forEach((one, index) => {
    for (const quantity of [...toEdges(gamma, one.gamma), ...toEdges(vega, one.vega)]) {
      consider([{ index, quantity }]);
    }
  });
  if (gamma !== null && vega !== null) {
    for (let i = 0; i < candidates.length; i++) {
      for (let j = i + 1; j < candidates.length; j++) {
        for (const pair of corners(candidates, i, j, gamma, vega)) consider(pair);
      }
    }
  }
  return best;
}

/** Whether the two Greeks of every pair are proportional: such instruments cannot move them apart. */
export function allCollinear(candidates: readonly Candidate[]): boolean {
  return candidates.every((a, i) => candidates.slice(i + 1).every((b) => determinant(a, b) === 0));
}

/** Parts that cancel leave rounding of their own size, also where the row and its band are 0. */
function within(row: Row | null, parts: readonly number[]): boolean {
  if (row === null) return true;
  const slack = ROUNDING * Math.max(row.band, Math.abs(row.value), ...parts.map(Math.abs));
  const change = parts.reduce((sum, part) => sum + part, 0);
  return Math.abs(row.value + change) <= row.band + slack;
}

function toEdges(row: Row | null, perUnit: number): readonly number[] {
  if (row === null || perUnit === 0) return [];
  return [(row.band - row.value) / perUnit, (-row.band - row.value) / perUnit];
}

/** 0 when collinear within rounding. */
function determinant(a: Candidate, b: Candidate): number {
  const value = a.gamma * b.vega - b.gamma * a.vega;
  const scale = Math.abs(a.gamma * b.vega) + Math.abs(b.gamma * a.vega);
  return Math.abs(value) > COLLINEAR * scale ? value : 0;
}

/** Quantities of candidates i and j that put both rows at an edge, for each of the four corners. */
function corners(
  candidates: readonly Candidate[],
  i: number,
  j: number,
  gamma: Row,
  vega: Row,
): readonly Neutral['trades'][] {
  const [a, b] = [candidates[i] as Candidate, candidates[j] as Candidate];
  const det = determinant(a, b);
  if (det === 0) return [];
  return [1, -1].flatMap((g) =>
    [1, -1].map((v) => {
      const [dGamma, dVega] = [g * gamma.band - gamma.value, v * vega.band - vega.value];
      return [
        { index: i, quantity: (dGamma * b.vega - dVega * b.gamma) / det },
        { index: j, quantity: (dVega * a.gamma - dGamma * a.vega) / det },
      ];
    }),
  );
}
