// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { OrderHash } from "../src/libraries/OrderHash.sol";
import { OutputHash } from "../src/libraries/OutputHash.sol";
import { Award, Head, Input, Leg, MandateOutput } from "../src/libraries/Structs.sol";
import { HashHarness } from "./helpers/HashHarness.sol";
import { Order, Reference, SignedOrigin } from "./helpers/Reference.sol";
import { Test } from "forge-std/Test.sol";

/// @notice The assembly of src/libraries against helpers/Reference.sol, over random structures.
contract EncodingTest is Test {
    using Reference for *;

    uint256 private constant LIST_MAX = 5;
    HashHarness private harness = new HashHarness();

    function testFuzz_orderId(
        Head memory head,
        MandateOutput[] memory outputs,
        Input[] memory inputs,
        bytes32 seed,
        uint8 originCount,
        uint8 index
    ) public {
        Order memory order;
        order.head = head;
        order.outputs = outputs;
        uint256 count = bound(originCount, 1, LIST_MAX);
        order.origins = new SignedOrigin[](count);
        uint256 own = bound(index, 0, count - 1);
        for (uint256 i; i < count; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            order.origins[i] = SignedOrigin(
                uint64(word), address(uint160(word >> 8)), address(uint160(word >> 90)), inputs
            );
        }
        order.origins[own].settler = address(harness);
        vm.chainId(bound(uint256(seed), 1, type(uint64).max - 1));
        order.origins[own].chainId = block.chainid;
        Leg memory leg = order.leg(own);
        assertEq(
            harness.orderId(order.head, leg, outputs.hashOutputs()), order.hashOrder(), "orderId"
        );
        assertEq(harness.hashOutputs(outputs), outputs.hashOutputs(), "outputs");
    }

    function test_indexOutOfRange() public {
        Head memory head;
        Leg memory leg;
        leg.index = 1;
        vm.expectRevert(OrderHash.IndexOutOfRange.selector);
        harness.orderId(head, leg, 0);
    }

    function testFuzz_award(Award memory award) public view {
        (bytes32 whole, bytes32 fromTerms) = harness.awardIds(award, award.terms());
        assertEq(whole, award.hashAward());
        assertEq(fromTerms, whole);
        assertEq(harness.digest(whole), whole.digest());
    }

    function testFuzz_amounts(uint256[] memory amounts) public view {
        assertEq(harness.hashAmounts(amounts), keccak256(abi.encodePacked(amounts)));
    }

    function testFuzz_output(
        MandateOutput memory output,
        uint256 amount,
        bytes32 fillId,
        bytes32 solver,
        uint32 time
    ) public view {
        MandateOutput memory awarded = output.awarded(amount);
        bytes32 hash = awarded.outputHash();
        assertEq(harness.outputHash(output, amount), hash);
        assertEq(
            harness.fillPayloadHash(fillId, output, amount, solver, time),
            keccak256(fillId.fillDescription(awarded, solver, time))
        );
        assertEq(
            harness.tombstonePayloadHash(fillId, hash), keccak256(fillId.tombstone(awarded))
        );
        assertEq(
            harness.fillRecord(solver, time), keccak256(abi.encodePacked(solver, time))
        );
        assertEq(fillId.tombstone(awarded).length, 96);
    }

    /// OIF writes lengths as uint16: longer data is refused, not cut.
    function test_lengthsBeyondUint16() public {
        MandateOutput memory output;
        output.callbackData = new bytes(65_536);
        vm.expectRevert(OutputHash.CallOutOfRange.selector);
        harness.outputHash(output, 1);
        output.callbackData = new bytes(65_535);
        assertEq(harness.outputHash(output, 0), output.outputHash());
        output.context = new bytes(65_536);
        vm.expectRevert(OutputHash.ContextOutOfRange.selector);
        harness.outputHash(output, 1);
    }

    /// A change of any word changes the hash: nothing of the order is left out.
    function testFuzz_everyWordCounts(Head memory head, uint8 field) public view {
        Leg memory leg;
        bytes32 hash = harness.orderId(head, leg, 0);
        uint256 which = field % 7;
        if (which == 0) head.owner = address(uint160(head.owner) ^ 1);
        if (which == 1) head.nonce ^= 1;
        if (which == 2) head.openDeadline ^= 1;
        if (which == 3) head.fillDeadline ^= 1;
        if (which == 4) head.expiry ^= 1;
        if (which == 5) head.auctioneer = address(uint160(head.auctioneer) ^ 1);
        if (which == 6) head.targets ^= bytes32(uint256(1));
        assertNotEq(harness.orderId(head, leg, 0), hash);
    }
}
