// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

// The structures that cross contract boundaries. Their members, order and names are final: they
// make the ABI, and OrderHash.sol makes the signed hashes of them.

/// @notice One token an order puts into escrow on one chain.
struct Input {
    address token;
    uint256 amount;
}

/// @notice An output of the Open Intents Framework (OIF): addresses left-padded to 32 bytes, token
/// zero is the native coin.
struct MandateOutput {
    bytes32 oracle;
    bytes32 settler;
    uint256 chainId;
    bytes32 token;
    uint256 amount;
    bytes32 recipient;
    bytes callbackData;
    bytes context;
}

/// @notice The static fields of a PortfolioOrder.
struct Head {
    address owner;
    uint256 nonce;
    uint32 openDeadline;
    uint32 fillDeadline;
    uint32 expiry;
    address auctioneer;
    bytes32 targets;
}

/// @notice This chain's origin without what the contract knows itself (chain id and settler), and
/// the struct hashes of the order's other origins.
struct Leg {
    address oracle;
    Input[] inputs;
    /// Position of this chain's origin in the order, from 0.
    uint256 index;
    /// The other origins' struct hashes in the order's order, this one left out.
    bytes32[] others;
}

/// @notice The part of an Award the origin cannot recompute: orderId and fillDeadline follow from
/// the order.
struct AwardTerms {
    address filler;
    uint32 openBy;
    bytes32 amountsHash;
}

/// @notice A whole Award, as signed: what a destination needs to know the true deadline.
struct Award {
    bytes32 orderId;
    address filler;
    uint32 fillDeadline;
    uint32 openBy;
    bytes32 amountsHash;
}

/// @notice Who is named in a fill record, and the destination's block time at the fill.
struct Fill {
    bytes32 solver;
    uint32 timestamp;
}

/// @notice One fill of OutputSettler.fillBatch.
struct FillItem {
    bytes32 id;
    MandateOutput output;
    uint48 fillDeadline;
}

/// @notice What PortfolioSettler.settleLocal takes beyond the order and the award.
struct LocalCall {
    /// The awarded amounts, in the order's output order.
    uint256[] amounts;
    bytes awardSig;
    bytes ownerSig;
    /// Who receives the inputs.
    address to;
    /// Handed to the caller's inputsReceived; no callback if the caller has no code.
    bytes data;
}
