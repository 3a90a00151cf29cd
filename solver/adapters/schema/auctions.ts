// Auctions, their members, sealed bids, the solver feed and what solvers did with their awards.

export const auctionsSchema: readonly string[] = [];
