// Refuses leverage policies that contradict themselves, at the door: the field and how to mend it.

import { InvalidInput } from '../../types/errors.ts';
import { healthToSurvive, WORST_MOVE } from './restore.ts';
import type { LeveragePolicy } from './types.ts';

/** Throws InvalidInput; `pointer` is where the leverage policy stands in its document. */
export function checkLeverage(policy: LeveragePolicy, pointer: string): void {
  const demand = (holds: boolean, field: keyof LeveragePolicy, message: string): void => {
    if (!holds) throw new InvalidInput(message, { pointer: `${pointer}/${field}` });
  };
  const { target, min, max, emergency, recenteringSpeed, healthFloor } = policy;
  const worst = policy.worstMove ?? WORST_MOVE;
  demand(finite(min) && min >= 1, 'min', `min is exposure over equity, ≥ 1; got ${min}`);
  demand(
    target >= min && target <= max,
    'target',
    `target ${target} must lie within min ${min} and max ${max}`,
  );
  demand(finite(max), 'max', `max must be finite, got ${max}`);
  demand(
    finite(emergency) && emergency > max,
    'emergency',
    `emergency ${emergency} must lie above max ${max}, or every recentering is an emergency`,
  );
  demand(
    recenteringSpeed > 0 && recenteringSpeed <= 1,
    'recenteringSpeed',
    `recenteringSpeed is a share of the distance, above 0 and at most 1; got ${recenteringSpeed}`,
  );
  demand(
    finite(policy.intervalSeconds) && policy.intervalSeconds > 0,
    'intervalSeconds',
    `intervalSeconds must be above 0, got ${policy.intervalSeconds}`,
  );
  demand(
    finite(policy.emergencyCooldownSeconds) && policy.emergencyCooldownSeconds >= 0,
    'emergencyCooldownSeconds',
    `emergencyCooldownSeconds must be ≥ 0, got ${policy.emergencyCooldownSeconds}`,
  );
  demand(
    policy.maxChunkUsd > 0,
    'maxChunkUsd',
    `maxChunkUsd must be above 0, got ${policy.maxChunkUsd}`,
  );
  demand(
    finite(healthFloor) && healthFloor >= 1,
    'healthFloor',
    `healthFloor below 1 is past liquidation; got ${healthFloor}`,
  );
  demand(
    worst >= 0 && worst < 1,
    'worstMove',
    `worstMove is the largest fall between two looks, a fraction 0 … 1; got ${worst}`,
  );
  // HF = LT·L/(L − 1) ≤ L/(L − 1): even collateral lent against in full must reach the target safely.
  const needed = healthToSurvive(healthFloor, worst);
  demand(
    target === 1 || target / (target - 1) >= needed,
    'target',
    `at target ${target} health is at most ${(target / (target - 1)).toFixed(4)}, but the floor ` +
      `${healthFloor} with a worst move of ${worst} needs ${needed.toFixed(4)}: lower one of them`,
  );
  demand(
    policy.cost === undefined ||
      (policy.cost.proportional >= 0 &&
        policy.cost.proportional < 1 &&
        finite(policy.cost.impactPerUsd) &&
        policy.cost.impactPerUsd >= 0 &&
        (policy.cost.flashFee === null || (policy.cost.flashFee >= 0 && policy.cost.flashFee < 1))),
    'cost',
    'cost: proportional and flashFee are fractions 0 … 1, impactPerUsd is per dollar and ≥ 0',
  );
  demand(
    policy.chunkSeconds === undefined || (finite(policy.chunkSeconds) && policy.chunkSeconds >= 0),
    'chunkSeconds',
    `chunkSeconds must be ≥ 0, got ${policy.chunkSeconds}`,
  );
}

function finite(value: number): boolean {
  return Number.isFinite(value);
}
