// What each error means and what to tell the user who met it, in words; complete by the compiler.
// Status, title, remedy and whether to retry are errors.ts's.

import type { ErrorCode } from './errors.ts';

interface Prose {
  readonly means: string;
  readonly tell: string;
}
const prose = (means: string, tell: string): Prose => ({ means, tell });

const OURS = 'Something in this app went wrong; please report it.';
const AGAIN = 'Please try again in a moment.';
const REQUOTE = 'This offer is no longer good. A new one is being fetched.';

export const PROSE: Readonly<Record<ErrorCode, Prose>> = {
  malformedJson: prose('The body does not parse as one JSON value in UTF-8.', OURS),
  duplicateKey: prose('An object has one key twice; two readers could see two values.', OURS),
  forbiddenKey: prose('A key such as __proto__ could change how the body is read.', OURS),
  tooDeep: prose('Objects and arrays are nested deeper than 16 levels.', OURS),
  bodyTooLarge: prose('The body has more than 64 KiB.', OURS),
  unsupportedMediaType: prose('The Content-Type is not application/json.', OURS),
  notAcceptable: prose('The Accept header excludes what this route answers with.', OURS),
  routeNotFound: prose('No route has this path.', OURS),
  methodNotAllowed: prose('The path exists, the method does not; Allow names those that do.', OURS),
  malformedRequest: prose(
    'The request breaks HTTP: its line, a header, its length, its URL.',
    OURS,
  ),
  headersTooLarge: prose('The request line and headers have more than 16 KiB.', OURS),
  requestTimeout: prose('The request did not arrive whole in time.', AGAIN),
  rateLimited: prose('This address sent more than its share this minute.', AGAIN),
  shuttingDown: prose('This process is being replaced; another one answers already.', AGAIN),
  missingField: prose('A required field is not there.', OURS),
  unknownField: prose('A field is not in the schema; nothing is dropped silently.', OURS),
  wrongType: prose('A field has another JSON type than the schema’s; nothing is converted.', OURS),
  invalidField: prose('A field’s value is outside what the schema allows.', OURS),
  invalidAddress: prose(
    'An account is neither a 20-byte address nor ERC-7930 version 1.',
    'This is not a valid address.',
  ),
  invalidInput: prose('A value is well-formed and still makes no sense here.', OURS),
  invalidCursor: prose('The cursor was not given by this list.', OURS),
  invalidIdempotencyKey: prose('The key is empty, too long, or not printable ASCII.', OURS),
  idempotencyConflict: prose('The key stands for another request already.', OURS),
  idempotencyInProgress: prose(
    'A twin of this request is being worked on and took longer than 5 s.',
    'Your order is being submitted.',
  ),
  webhookNotFound: prose('The webhook never was, or was deleted.', OURS),
  webhookUnauthorized: prose('The bearer is missing or is not this webhook’s secret.', OURS),
  webhookUrlRefused: prose('The URL is not one that a public service may be made to call.', OURS),
  tooManyWebhooks: prose('The service keeps no more webhooks.', 'Notifications are full for now.'),
  orderNotFound: prose('No order has this id.', 'This order is not known here.'),
  tooLateToCancel: prose(
    'Something of the order is in escrow or delivered already. It ends by itself: filled, or refunded.',
    'Too late to cancel: your order is being filled. If it is not, you are refunded.',
  ),
  auctionRunning: prose(
    'The order is in an auction that takes bids; it ends within a second or two.',
    AGAIN,
  ),
  tooManyStreams: prose('This process serves no more event streams now.', AGAIN),
  tooManySolvers: prose('This process serves no more solver sockets now.', AGAIN),
  tooManyMessages: prose('The socket sent more messages than it may.', AGAIN),
  helloExpired: prose('The greeting’s time is not the server’s.', 'Check the clock.'),
  upstreamFault: prose('A chain or the database did not answer; nothing was done.', AGAIN),
  internal: prose('A defect of the service. The log has it, with the x-request-id.', AGAIN),

  unsupportedIntent: prose('The intent type is not one that is quoted here.', OURS),
  unsupportedOrderType: prose('The caller can sign none of the order types offered.', OURS),
  unknownChain: prose('The chain is not served.', 'This network is not supported.'),
  unknownAsset: prose('The asset or token is not served.', 'This token is not supported.'),
  invalidWeights: prose('The weights do not sum to 10000 bps.', 'The shares must sum to 100 %.'),
  duplicateTarget: prose(
    'Two targets cover one token, so its weight would be counted twice.',
    'A token is listed twice.',
  ),
  targetOutOfScope: prose('A target is on a chain or of an asset outside the scope.', OURS),
  invalidAmount: prose(
    'An amount is no positive decimal string of base units.',
    'This is not a valid amount.',
  ),
  emptyPortfolio: prose(
    'The account holds nothing of the assets in scope.',
    'There is nothing to rebalance yet. Add funds first.',
  ),
  nothingToDo: prose(
    'The portfolio is within its band, or a trade would cost more than it mends.',
    'Your portfolio is on target.',
  ),
  noRoute: prose('No venues or transfers lead to the targets.', 'This trade is not possible now.'),
  stalePrice: prose(
    'A price feed is late, or feeds of one asset disagree.',
    'Prices are being updated. Please try again in a moment.',
  ),
  chainDown: prose('A chain’s node does not answer.', 'A network is not responding. Try later.'),
  costAboveLimit: prose(
    'All fees together exceed the limit the request sets.',
    'Fees are above your limit now.',
  ),
  limitUnmet: prose('No trade keeps the limits on chains.', 'Your limits cannot be kept now.'),
  insufficientInventory: prose(
    'The filler does not hold enough where it would be delivered.',
    'This amount is not available now. Try a smaller one.',
  ),
  insufficientBalance: prose('The account holds less than is asked for.', 'Not enough funds.'),
  tooManyLegs: prose('The plan needs more inputs or outputs than one order has.', OURS),
  quoteUnavailable: prose('It is not offered on these terms; the message says which are.', OURS),

  quoteNotFound: prose('The quote is not known: mistyped, or long expired.', REQUOTE),
  quoteExpired: prose('The quote’s validUntil has passed.', REQUOTE),
  orderNotQuoted: prose('The order sent differs from the quote’s.', REQUOTE),
  orderMalformed: prose('The order breaks its own form; the pointer says where.', OURS),
  orderExpired: prose('The time to open the order has passed.', REQUOTE),
  unknownContract: prose('The order names a contract that is not ours.', OURS),
  malformedSignature: prose('The signature is not 65 bytes r, low s, v 27 or 28.', OURS),
  wrongSigner: prose(
    'Another account than the owner signed.',
    'Sign with the account that owns the funds.',
  ),
  signatureForAnotherOrder: prose(
    'The signature fits other data than this order.',
    'Please sign again.',
  ),
  unsupportedOriginSignatures: prose('One signature for the whole order is served.', OURS),
  nonceUsed: prose('An order with this nonce was filled, cancelled, or is on its way.', REQUOTE),
  insufficientAllowance: prose(
    'The escrow may not take the tokens yet; details name token, spender and amount.',
    'Approve the token first.',
  ),

  policyNotFound: prose('No policy has this id.', 'This policy is not known here.'),
  ownerOnly: prose('The policy is private and the reader did not show to be its owner.', OURS),
  readExpired: prose('The reader’s signature is past its validUntil, or too far ahead.', OURS),
  policyExpired: prose('The policy’s expiry has passed.', 'This policy has ended.'),
  unsupportedPolicy: prose('The document asks for what is not served.', OURS),
  tooManyPolicies: prose('The owner has as many policies as are kept.', 'End a policy first.'),
  notHalted: prose(
    'The policy is not halted, or by another event.',
    'Nothing needs to be resumed.',
  ),
  alreadyEnded: prose('The policy was revoked or expired.', 'This policy has ended.'),

  auctionNotFound: prose('No auction has this id.', 'This auction is not known here.'),
  auctionClosed: prose('The bid came after the auction’s end, by the server’s clock.', OURS),
  malformedBid: prose('The bid breaks the auction’s terms; the message says which.', OURS),
  coolingDown: prose('The filler did not deliver before and has to wait.', OURS),
  bidQuota: prose('The filler has as many bids or unfilled awards as it may.', OURS),
};
