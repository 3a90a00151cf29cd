// What the rooms' surroundings say about themselves: one failure or one event at a time, with the ids
// it is about. Where it goes, and what of it must never be seen, is for whoever listens.

/** Ids and small facts beside a line: orderId, policyId, chain, … Never a key or a signature. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** A failure of background work, once each. */
export type LogFailure = (error: unknown, where: string, about?: LogFields) => void;
/** Something happened: `what` is a fixed phrase or an event's type, never a sentence with values. */
export type LogEvent = (what: string, about: LogFields) => void;
