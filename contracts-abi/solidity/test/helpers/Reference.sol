// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {
    Award,
    AwardTerms,
    Head,
    Input,
    Leg,
    MandateOutput
} from "../../src/libraries/Structs.sol";

/// @notice An origin as it is signed.
struct SignedOrigin {
    uint256 chainId;
    address settler;
    address oracle;
    Input[] inputs;
}

/// @notice A whole order, as no contract of ours ever sees it.
struct Order {
    Head head;
    SignedOrigin[] origins;
    MandateOutput[] outputs;
}

/// @notice The encodings of PROTOCOL.md again, from their type strings and with abi.encode alone:
/// what the assembly in src/libraries is compared with.
library Reference {
    string internal constant INPUT = "Input(address token,uint256 amount)";
    string internal constant OUTPUT = "MandateOutput(bytes32 oracle,bytes32 settler,uint256 chainId,"
        "bytes32 token,uint256 amount,bytes32 recipient,bytes callbackData,bytes context)";
    string internal constant ORIGIN =
        "Origin(uint256 chainId,address settler,address oracle,Input[] inputs)";
    string internal constant ORDER = "PortfolioOrder(address owner,uint256 nonce,"
        "uint32 openDeadline,uint32 fillDeadline,uint32 expiry,address auctioneer,bytes32 targets,"
        "Origin[] origins,MandateOutput[] outputs)";
    string internal constant AWARD = "Award(bytes32 orderId,address filler,uint32 fillDeadline,"
        "uint32 openBy,bytes32 amountsHash)";
    string internal constant PERMIT = "PermitBatchWitnessTransferFrom(TokenPermissions[] permitted,"
        "address spender,uint256 nonce,uint256 deadline,PortfolioOrder witness)";
    string internal constant PERMITTED = "TokenPermissions(address token,uint256 amount)";

    function hashOrder(Order memory order) internal pure returns (bytes32) {
        bytes32[] memory origins = new bytes32[](order.origins.length);
        for (uint256 i; i < origins.length; ++i) {
            origins[i] = hashOrigin(order.origins[i]);
        }
        return keccak256(
            abi.encode(
                keccak256(abi.encodePacked(ORDER, INPUT, OUTPUT, ORIGIN)),
                order.head,
                keccak256(abi.encodePacked(origins)),
                hashOutputs(order.outputs)
            )
        );
    }

    function hashOrigin(SignedOrigin memory origin) internal pure returns (bytes32) {
        bytes32[] memory inputs = new bytes32[](origin.inputs.length);
        for (uint256 i; i < inputs.length; ++i) {
            inputs[i] = keccak256(abi.encode(keccak256(bytes(INPUT)), origin.inputs[i]));
        }
        return keccak256(
            abi.encode(
                keccak256(abi.encodePacked(ORIGIN, INPUT)),
                origin.chainId,
                origin.settler,
                origin.oracle,
                keccak256(abi.encodePacked(inputs))
            )
        );
    }

    function hashOutputs(MandateOutput[] memory outputs) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](outputs.length);
        for (uint256 i; i < hashes.length; ++i) {
            MandateOutput memory o = outputs[i];
            hashes[i] = keccak256(
                abi.encode(
                    keccak256(bytes(OUTPUT)),
                    o.oracle,
                    o.settler,
                    o.chainId,
                    o.token,
                    o.amount,
                    o.recipient,
                    keccak256(o.callbackData),
                    keccak256(o.context)
                )
            );
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function hashAward(Award memory award) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(AWARD)), award));
    }

    function digest(bytes32 structHash) internal pure returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version)"),
                keccak256("trimtab"),
                keccak256("1")
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    /// @notice What is signed for openWithPermit2: Permit2's batch transfer of origin `index`'s inputs to
    /// its settler, witnessed by the order, from the whole type string.
    function permit2Digest(Order memory order, uint256 index, address permit2)
        internal
        pure
        returns (bytes32)
    {
        SignedOrigin memory origin = order.origins[index];
        bytes32[] memory permitted = new bytes32[](origin.inputs.length);
        for (uint256 i; i < permitted.length; ++i) {
            permitted[i] = keccak256(abi.encode(keccak256(bytes(PERMITTED)), origin.inputs[i]));
        }
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(abi.encodePacked(PERMIT, INPUT, OUTPUT, ORIGIN, ORDER, PERMITTED)),
                keccak256(abi.encodePacked(permitted)),
                origin.settler,
                order.head.nonce,
                uint256(order.head.openDeadline),
                hashOrder(order)
            )
        );
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                origin.chainId,
                permit2
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function outputHash(MandateOutput memory o) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(o.oracle, o.settler, o.chainId, common(o)));
    }

    function fillDescription(bytes32 id, MandateOutput memory o, bytes32 solver, uint32 time)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(solver, id, time, common(o));
    }

    function tombstone(bytes32 id, MandateOutput memory o) internal pure returns (bytes memory) {
        return abi.encodePacked(keccak256("trimtab.tombstone.v1"), id, outputHash(o));
    }

    function common(MandateOutput memory o) internal pure returns (bytes memory) {
        return abi.encodePacked(
            o.token,
            o.amount,
            o.recipient,
            uint16(o.callbackData.length),
            o.callbackData,
            uint16(o.context.length),
            o.context
        );
    }

    /// @notice The part of the order that origin `index` is called with.
    function leg(Order memory order, uint256 index) internal pure returns (Leg memory result) {
        result.oracle = order.origins[index].oracle;
        result.inputs = order.origins[index].inputs;
        result.index = index;
        result.others = new bytes32[](order.origins.length - 1);
        uint256 at;
        for (uint256 i; i < order.origins.length; ++i) {
            if (i != index) result.others[at++] = hashOrigin(order.origins[i]);
        }
    }

    function terms(Award memory award) internal pure returns (AwardTerms memory) {
        return AwardTerms(award.filler, award.openBy, award.amountsHash);
    }

    function awarded(MandateOutput memory o, uint256 amount)
        internal
        pure
        returns (MandateOutput memory)
    {
        return MandateOutput(
            o.oracle, o.settler, o.chainId, o.token, amount, o.recipient, o.callbackData, o.context
        );
    }
}
