// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { MandateOutput } from "./Structs.sol";

/// @notice OIF's packed encodings of an output, byte for byte, and our tombstone beside them. The
/// packed hash keys fill records; the EIP-712 hash of OrderHash.sol is what is signed.
library OutputHash {
    /// @dev keccak256("trimtab.tombstone.v1"), recomputed in test/Hashes.t.sol.
    bytes32 internal constant TOMBSTONE_TAG = keccak256("trimtab.tombstone.v1");
    /// @dev A record that says: past its deadline, never filled, never will be.
    bytes32 internal constant TOMBSTONE = bytes32(uint256(1));
    uint256 internal constant TOMBSTONE_LENGTH = 96;
    /// @dev FillDescription with empty callback data and context.
    uint256 internal constant FILL_LENGTH_MIN = 168;

    /// @dev OIF writes both lengths as uint16.
    error CallOutOfRange();
    error ContextOutOfRange();

    /// @param amount The awarded amount, in place of the output's own.
    /// @return result keccak256(oracle ‖ settler ‖ chainId ‖ token ‖ amount ‖ recipient ‖ uint16 ‖
    /// callbackData ‖ uint16 ‖ context).
    function outputHash(MandateOutput calldata output, uint256 amount)
        internal
        pure
        returns (bytes32 result)
    {
        (bytes calldata callbackData, bytes calldata context) = _tails(output);
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, output, 0xc0)
            mstore(add(free, 0x80), amount)
            let at := add(free, 0xc0)
            mstore(at, shl(240, callbackData.length))
            at := add(at, 2)
            calldatacopy(at, callbackData.offset, callbackData.length)
            at := add(at, callbackData.length)
            mstore(at, shl(240, context.length))
            at := add(at, 2)
            calldatacopy(at, context.offset, context.length)
            at := add(at, context.length)
            result := keccak256(free, sub(at, free))
        }
    }

    /// @return result Hash of OIF's FillDescription: solver ‖ id ‖ uint32 time ‖ token ‖ amount ‖
    /// recipient ‖ uint16 ‖ callbackData ‖ uint16 ‖ context.
    function fillPayloadHash(
        bytes32 id,
        MandateOutput calldata output,
        uint256 amount,
        bytes32 solver,
        uint32 time
    ) internal pure returns (bytes32 result) {
        (bytes calldata callbackData, bytes calldata context) = _tails(output);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, solver)
            mstore(add(free, 0x20), id)
            mstore(add(free, 0x40), shl(224, time))
            // token, amount, recipient stand at words 3, 4 and 5 of the output
            calldatacopy(add(free, 0x44), add(output, 0x60), 0x60)
            mstore(add(free, 0x64), amount)
            let at := add(free, 0xa4)
            mstore(at, shl(240, callbackData.length))
            at := add(at, 2)
            calldatacopy(at, callbackData.offset, callbackData.length)
            at := add(at, callbackData.length)
            mstore(at, shl(240, context.length))
            at := add(at, 2)
            calldatacopy(at, context.offset, context.length)
            at := add(at, context.length)
            result := keccak256(free, sub(at, free))
        }
    }

    /// @return Hash of the 96-byte tombstone payload: tag ‖ id ‖ outputHash.
    function tombstonePayloadHash(bytes32 id, bytes32 output) internal pure returns (bytes32) {
        return keccak256(abi.encode(TOMBSTONE_TAG, id, output));
    }

    /// @return result OIF's fill record: keccak256(solver ‖ uint32 time).
    function fillRecord(bytes32 solver, uint32 time) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, solver)
            mstore(0x20, shl(224, time))
            result := keccak256(0x00, 0x24)
        }
    }

    function _tails(MandateOutput calldata output)
        private
        pure
        returns (bytes calldata callbackData, bytes calldata context)
    {
        callbackData = output.callbackData;
        context = output.context;
        if (callbackData.length > type(uint16).max) revert CallOutOfRange();
        if (context.length > type(uint16).max) revert ContextOutOfRange();
    }
}
