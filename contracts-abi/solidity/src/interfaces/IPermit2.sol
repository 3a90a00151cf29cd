// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { Input } from "../libraries/Structs.sol";

/// @notice The one function of Uniswap's Permit2 that is used here. Permit2's TokenPermissions is our
/// Input by another name: token, amount.
interface IPermit2 {
    struct PermitBatchTransferFrom {
        Input[] permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// @notice Moves owner's tokens on the owner's signature, which binds the caller as spender, the
    /// tokens and amounts, nonce, deadline, the witness and its type, and this chain. Once per nonce.
    function permitWitnessTransferFrom(
        PermitBatchTransferFrom memory permit,
        SignatureTransferDetails[] calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}
