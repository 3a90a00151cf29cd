// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { Test } from "forge-std/Test.sol";
import { OrderHash } from "../src/libraries/OrderHash.sol";
import { OutputHash } from "../src/libraries/OutputHash.sol";

/// @notice Recomputes every literal hash from the strings of PROTOCOL.md.
contract HashesTest is Test {
    function test_typeHashes() public pure {
        string memory input = "Input(address token,uint256 amount)";
        string memory output = "MandateOutput(bytes32 oracle,bytes32 settler,uint256 chainId,"
            "bytes32 token,uint256 amount,bytes32 recipient,bytes callbackData,bytes context)";
        string memory origin =
            "Origin(uint256 chainId,address settler,address oracle,Input[] inputs)";
        string memory order = "PortfolioOrder(address owner,uint256 nonce,uint32 openDeadline,"
            "uint32 fillDeadline,uint32 expiry,address auctioneer,bytes32 targets,Origin[] origins,"
            "MandateOutput[] outputs)";
        assertEq(
            OrderHash.ORDER_TYPEHASH, keccak256(abi.encodePacked(order, input, output, origin))
        );
        assertEq(OrderHash.INPUT_TYPEHASH, keccak256(bytes(input)));
        assertEq(OrderHash.OUTPUT_TYPEHASH, keccak256(bytes(output)));
        assertEq(OrderHash.ORIGIN_TYPEHASH, keccak256(abi.encodePacked(origin, input)));
        assertEq(
            OrderHash.DOMAIN_SEPARATOR,
            keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version)"),
                    keccak256("trimtab"),
                    keccak256("1")
                )
            )
        );
        assertEq(OutputHash.TOMBSTONE_TAG, keccak256("trimtab.tombstone.v1"));
    }
}
