// The opaque cursor of lists of orders: a place between two orders, so that what is made while a
// client pages neither repeats an order nor hides one. Refuses what it did not write.

import { type OrderPlace, orderId } from '../solver/index.ts';
import { ApiError } from './errors.ts';

const PLACE = /^([0-9]{1,15})\.(0x[0-9a-f]{64})$/;

export const cursorOf = ({ createdAtMs, orderId: id }: OrderPlace): string =>
  Buffer.from(`${createdAtMs}.${id}`).toString('base64url');

/** Throws ApiError invalidCursor. */
export function placeOf(cursor: string): OrderPlace {
  const [, createdAtMs, id] = PLACE.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (createdAtMs === undefined || id === undefined) {
    throw new ApiError('invalidCursor', 'the cursor is not one that this list gave');
  }
  return { createdAtMs: Number(createdAtMs), orderId: orderId(id) };
}
