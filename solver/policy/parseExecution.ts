// Reads how a wanted rebalance is carried out: waiting for gas, slices. Refuses slices of no length and
// waits without a measure of risk; what only other fields make wrong is refused in parse.ts.

import type { At } from '../market/reader.ts';
import { DEFAULT_SLICES } from './defaults.ts';
import { AT_ONCE, type ExecutionPolicy, type GasTiming, type Slicing } from './execution/types.ts';
import {
  orNull,
  type Problems,
  readDuration,
  readNumber,
  readWhole,
  Section,
} from './parseFields.ts';

const HOUR = 3_600;
const WEEK = 7 * 24 * HOUR;

export function readExecution(at: At, problems: Problems): ExecutionPolicy {
  const section = new Section(at, ['gasTiming', 'slices'], problems);
  return {
    gasTiming: section.optional(
      'gasTiming',
      orNull((field) => readGasTiming(field, problems), null),
      AT_ONCE.gasTiming,
    ),
    slices: section.optional(
      'slices',
      orNull((field) => readSlices(field, problems), null),
      AT_ONCE.slices,
    ),
  };
}

function readGasTiming(at: At, problems: Problems): GasTiming {
  const section = new Section(at, ['maxWait'], problems);
  return {
    maxWaitSeconds: section.required(
      'maxWait',
      (field) => readDuration(field, HOUR, WEEK),
      HOUR,
      '"6h"',
    ),
  };
}

function readSlices(at: At, problems: Problems): Slicing {
  const section = new Section(at, ['over', 'count', 'urgency'], problems);
  const urgency = { min: 0, max: 20, unit: 'κT', example: '"2" (0 for equal slices)' };
  return {
    overSeconds: section.required('over', (field) => readDuration(field, 60, WEEK), HOUR, '"6h"'),
    count: section.optional(
      'count',
      (field) => readWhole(field, { min: 2, max: 96, unit: 'slices', example: '6' }),
      DEFAULT_SLICES.count,
    ),
    urgency: section.optional(
      'urgency',
      (field) => readNumber(field, urgency),
      DEFAULT_SLICES.urgency,
    ),
  };
}
