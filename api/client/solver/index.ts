// `trimtab/solver`: everything a third party needs to bid in the market and to serve what it wins.

export { loadNetwork } from './network.ts';
export { offerFault, openTools, runSolver, type SolverOptions } from './run.ts';
export type { OrderValue, Tools } from './tools.ts';
export type {
  Auction,
  AuctionedOrder,
  FillNeed,
  Offer,
  Offers,
  Purchase,
  SolverChain,
  SolverEvent,
  SolverNetwork,
  SolverPool,
  SolverToken,
  WonAward,
} from './types.ts';
