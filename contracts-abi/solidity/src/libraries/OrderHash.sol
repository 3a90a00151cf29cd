// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { Award, AwardTerms, Head, Input, Leg, MandateOutput } from "./Structs.sol";

/// @notice EIP-712 hashes of PROTOCOL.md's structures. Every literal is recomputed from its type
/// string in test/Hashes.t.sol and in test/contracts.
/// @dev Words are copied from calldata unmasked: a dirty word changes the hash, so that no signature
/// fits it, and every field that is used for anything else is read checked.
library OrderHash {
    bytes32 internal constant ORDER_TYPEHASH =
        0x7a63e4513bbe0a006a6f22b7106da669f6375002ef92282b4eb03dd94d97e9a3;
    bytes32 internal constant INPUT_TYPEHASH = keccak256("Input(address token,uint256 amount)");
    bytes32 internal constant OUTPUT_TYPEHASH =
        0xd83fab35b1a9ad089ade576779f12270534c95983ceba3a006ab4bbf9c1721c2;
    bytes32 internal constant ORIGIN_TYPEHASH = keccak256(
        "Origin(uint256 chainId,address settler,address oracle,Input[] inputs)"
        "Input(address token,uint256 amount)"
    );
    bytes32 internal constant AWARD_TYPEHASH = keccak256(
        "Award(bytes32 orderId,address filler,uint32 fillDeadline,uint32 openBy,"
        "bytes32 amountsHash)"
    );
    bytes32 internal constant DECLINE_TYPEHASH = keccak256("Decline(bytes32 awardId)");
    bytes32 internal constant ACCEPT_TYPEHASH = keccak256("Accept(bytes32 awardId,address to)");
    bytes32 internal constant CANCEL_TYPEHASH = keccak256("Cancel(address owner,uint256 nonce)");
    /// @dev EIP712Domain(string name,string version) = ("trimtab", "1"): no chain id and no contract,
    /// because one order spans chains; the order names every chain's contracts instead.
    bytes32 internal constant DOMAIN_SEPARATOR =
        0x5dd98f94e897141ef4830bb1bf7f0c92e11c01411a014a8aec75f3ab22580f86;

    /// @dev What follows the stub of Permit2's PermitBatchWitnessTransferFrom: the witness, then every
    /// referenced type in alphabetical order.
    string internal constant PERMIT2_WITNESS = "PortfolioOrder witness)"
        "Input(address token,uint256 amount)"
        "MandateOutput(bytes32 oracle,bytes32 settler,uint256 chainId,bytes32 token,uint256 amount,"
        "bytes32 recipient,bytes callbackData,bytes context)"
        "Origin(uint256 chainId,address settler,address oracle,Input[] inputs)"
        "PortfolioOrder(address owner,uint256 nonce,uint32 openDeadline,uint32 fillDeadline,"
        "uint32 expiry,address auctioneer,bytes32 targets,Origin[] origins,MandateOutput[] outputs)"
        "TokenPermissions(address token,uint256 amount)";

    error IndexOutOfRange();

    /// @return orderId The struct hash of the order whose origin on this chain, at this settler, is
    /// `leg`.
    function orderId(Head calldata head, Leg calldata leg, bytes32 outputsHash)
        internal
        view
        returns (bytes32)
    {
        return _orderHash(head, _originsHash(leg), outputsHash);
    }

    /// @return The struct hash of the award the terms make for this order.
    function awardId(bytes32 order, uint32 fillDeadline, AwardTerms calldata terms)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                AWARD_TYPEHASH, order, terms.filler, fillDeadline, terms.openBy, terms.amountsHash
            )
        );
    }

    /// @return The struct hash of a whole award.
    function awardId(Award calldata award) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                AWARD_TYPEHASH,
                award.orderId,
                award.filler,
                award.fillDeadline,
                award.openBy,
                award.amountsHash
            )
        );
    }

    function declineHash(bytes32 award) internal pure returns (bytes32) {
        return keccak256(abi.encode(DECLINE_TYPEHASH, award));
    }

    function acceptHash(bytes32 award, address to) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPT_TYPEHASH, award, to));
    }

    function cancelHash(address owner, uint256 nonce) internal pure returns (bytes32) {
        return keccak256(abi.encode(CANCEL_TYPEHASH, owner, nonce));
    }

    /// @return result What is signed: keccak256(0x1901 ‖ domain separator ‖ struct hash).
    function digest(bytes32 structHash) internal pure returns (bytes32 result) {
        bytes32 separator = DOMAIN_SEPARATOR;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, hex"1901")
            mstore(add(free, 2), separator)
            mstore(add(free, 34), structHash)
            result := keccak256(free, 66)
        }
    }

    /// @return result EIP-712 hash of the outputs array.
    function hashOutputs(MandateOutput[] calldata outputs) internal pure returns (bytes32 result) {
        bytes32[] memory hashes = new bytes32[](outputs.length);
        bytes32 typeHash = OUTPUT_TYPEHASH;
        for (uint256 i; i < outputs.length; ++i) {
            MandateOutput calldata output = outputs[i];
            bytes32 callbackHash = keccak256(output.callbackData);
            bytes32 contextHash = keccak256(output.context);
            assembly ("memory-safe") {
                // type hash ‖ oracle settler chainId token amount recipient ‖ two hashes
                let free := mload(0x40)
                mstore(free, typeHash)
                calldatacopy(add(free, 0x20), output, 0xc0)
                mstore(add(free, 0xe0), callbackHash)
                mstore(add(free, 0x100), contextHash)
                mstore(add(add(hashes, 0x20), shl(5, i)), keccak256(free, 0x120))
            }
        }
        assembly ("memory-safe") {
            result := keccak256(add(hashes, 0x20), shl(5, mload(hashes)))
        }
    }

    /// @return result keccak256 of one word per amount.
    function hashAmounts(uint256[] calldata amounts) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := shl(5, amounts.length)
            calldatacopy(free, amounts.offset, size)
            result := keccak256(free, size)
        }
    }

    function _orderHash(Head calldata head, bytes32 originsHash, bytes32 outputsHash)
        private
        pure
        returns (bytes32 result)
    {
        bytes32 typeHash = ORDER_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 0x20), head, 0xe0)
            mstore(add(free, 0x100), originsHash)
            mstore(add(free, 0x120), outputsHash)
            result := keccak256(free, 0x140)
        }
    }

    /// @dev The others' hashes with this chain's put in at `leg.index`.
    function _originsHash(Leg calldata leg) private view returns (bytes32 result) {
        bytes32 own = _originHash(leg);
        uint256 index = leg.index;
        bytes32[] calldata others = leg.others;
        if (index > others.length) revert IndexOutOfRange();
        assembly ("memory-safe") {
            let free := mload(0x40)
            let before := shl(5, index)
            let size := shl(5, others.length)
            calldatacopy(free, others.offset, before)
            mstore(add(free, before), own)
            calldatacopy(
                add(add(free, before), 0x20), add(others.offset, before), sub(size, before)
            )
            result := keccak256(free, add(size, 0x20))
        }
    }

    function _originHash(Leg calldata leg) private view returns (bytes32 result) {
        bytes32 inputType = INPUT_TYPEHASH;
        bytes32 originType = ORIGIN_TYPEHASH;
        address oracle = leg.oracle;
        // Input is static, so that the array is contiguous in calldata, two words an item.
        Input[] calldata inputs = leg.inputs;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let hashes := add(free, 0x60)
            mstore(free, inputType)
            for { let i := 0 } lt(i, inputs.length) { i := add(i, 1) } {
                calldatacopy(add(free, 0x20), add(inputs.offset, shl(6, i)), 0x40)
                mstore(add(hashes, shl(5, i)), keccak256(free, 0x60))
            }
            let inputsHash := keccak256(hashes, shl(5, inputs.length))
            mstore(free, originType)
            mstore(add(free, 0x20), chainid())
            mstore(add(free, 0x40), address())
            mstore(add(free, 0x60), oracle)
            mstore(add(free, 0x80), inputsHash)
            result := keccak256(free, 0xa0)
        }
    }
}
