// What quotes on the same blocks share, stored once.

export const quoteSnapshotsSchema: readonly string[] = [];
