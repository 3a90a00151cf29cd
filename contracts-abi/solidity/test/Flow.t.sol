// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { Award, Fill, Input, MandateOutput } from "../src/libraries/Structs.sol";
import { Order, Reference } from "./helpers/Reference.sol";
import { Rig } from "./helpers/Rig.sol";
import { TestToken } from "./helpers/Tokens.sol";

/// @notice The whole life of an order over two chains, once for each way it can end.
contract FlowTest is Rig {
    using Reference for *;

    function test_openFillProveReleaseOnBothOrigins() public {
        Order memory order = sampleOrder(7);
        uint256[] memory amounts = sampleAmounts(order);
        Award memory award = awardOf(order, amounts);
        open(a, order, award, 0);
        open(b, order, award, 1);
        assertTrue(slotIs(a, order, award, 1));
        assertTrue(slotIs(b, order, award, 1));

        vm.warp(time + 150);
        bytes memory onA = fill(a, order, award, amounts, 0);
        bytes memory onB = fill(b, order, award, amounts, 1);
        prove(a, b, onA);
        prove(b, a, onB);

        on(a);
        Fill[] memory fills = fillsAt(2, time + 150);
        a.settler.release(
            order.head, order.leg(0), order.outputs, award.terms(), amounts, fills, filler
        );
        on(b);
        b.settler.release(
            order.head, order.leg(1), order.outputs, award.terms(), amounts, fills, filler
        );
        assertTrue(slotIs(a, order, award, 2));
        assertTrue(slotIs(b, order, award, 2));
        // The filler paid the outputs from new tokens, so that it now holds the inputs alone.
        assertEq(a.tokenA.balanceOf(filler) + a.tokenB.balanceOf(filler), 1_500e18);
        assertEq(b.tokenA.balanceOf(filler), 70e18);
        assertEq(a.tokenB.balanceOf(owner), 10.1e18);
        assertEq(b.tokenB.balanceOf(owner), 909e18);
        assertEq(a.tokenA.balanceOf(address(a.settler)), 0);
        assertEq(a.tokenB.balanceOf(address(a.settler)), 0);
        assertEq(b.tokenA.balanceOf(address(b.settler)), 0);
    }

    function test_oneFillThenTombstoneRefundsEveryOrigin() public {
        Order memory order = sampleOrder(7);
        uint256[] memory amounts = sampleAmounts(order);
        Award memory award = awardOf(order, amounts);
        open(a, order, award, 0);
        open(b, order, award, 1);
        fill(a, order, award, amounts, 0);
        vm.warp(order.head.fillDeadline + 1);

        MandateOutput[] memory dead = new MandateOutput[](1);
        dead[0] = order.outputs[1].awarded(amounts[1]);
        on(b);
        b.outputs.cancel(award, dead);
        b.settler.refundTombstone(
            order.head, order.leg(1), order.outputs, award.terms(), amounts, 1
        );
        prove(b, a, award.hashAward().tombstone(dead[0]));
        on(a);
        a.settler.refundTombstone(
            order.head, order.leg(0), order.outputs, award.terms(), amounts, 1
        );
        assertTrue(slotIs(a, order, award, 3));
        assertTrue(slotIs(b, order, award, 3));
        // The owner keeps what was filled (10.1 B) and has the whole of every input back.
        assertEq(a.tokenA.balanceOf(owner) + a.tokenB.balanceOf(owner), 1_510.1e18);
        assertEq(b.tokenA.balanceOf(owner), 70e18);
    }

    /// Whatever the amounts, each token goes in and out to the last wei: by proof, by Accept, by
    /// Decline and by expiry, and the rest of the settler's balance is untouched.
    function testFuzz_escrowIsExact(
        uint256 first,
        uint256 second,
        uint256 signed,
        uint256 surplus,
        uint8 way
    ) public {
        Order memory order = sampleOrder(way);
        Input[] memory inputs = order.origins[0].inputs;
        inputs[0].amount = bound(first, 0, type(uint128).max);
        inputs[1].amount = bound(second, 0, type(uint128).max);
        MandateOutput[] memory outputs = new MandateOutput[](1);
        outputs[0] = output(a, address(b.tokenB), bound(signed, 0, type(uint128).max), owner);
        order.outputs = outputs;
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = outputs[0].amount + bound(surplus, 0, type(uint96).max);
        Award memory award = awardOf(order, amounts);
        for (uint256 i; i < 2; ++i) {
            TestToken(inputs[i].token).mint(address(a.settler), 77);
        }
        open(a, order, award, 0);
        address winner = way % 4 < 2 ? filler : owner;
        if (way % 4 == 0) {
            fill(a, order, award, amounts, 0);
            assertEq(b.tokenB.balanceOf(owner), amounts[0]);
            Fill[] memory fills = fillsAt(1, time);
            a.settler.release(
                order.head, order.leg(0), outputs, award.terms(), amounts, fills, address(0)
            );
        } else if (way % 4 == 1) {
            vm.prank(owner);
            a.settler.releaseAccepted(
                order.head, order.leg(0), outputs.hashOutputs(), award.terms(), filler, ""
            );
        } else if (way % 4 == 2) {
            vm.prank(filler);
            a.settler.refundDeclined(
                order.head, order.leg(0), outputs.hashOutputs(), award.terms(), ""
            );
        } else {
            vm.warp(order.head.expiry + 1);
            a.settler.refundExpired(
                order.head, order.leg(0), outputs.hashOutputs(), award.terms()
            );
        }
        for (uint256 i; i < 2; ++i) {
            assertEq(TestToken(inputs[i].token).balanceOf(winner), inputs[i].amount);
            assertEq(TestToken(inputs[i].token).balanceOf(address(a.settler)), 77);
        }
    }
}
