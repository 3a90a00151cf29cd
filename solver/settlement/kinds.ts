// The names of settlement's jobs. Orders have one `serve` and one `guard` each, auctions one `auction`
// and, while they take bids, one `bid` of our own desk.

export const SERVE_JOB = 'serve';
export const GUARD_JOB = 'guard';
export const AUCTION_JOB = 'auction';
export const BID_JOB = 'bid';
