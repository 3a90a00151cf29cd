// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { OutputSettler } from "../src/OutputSettler.sol";
import { OutputContext } from "../src/libraries/OutputContext.sol";
import { Award, FillItem, MandateOutput } from "../src/libraries/Structs.sol";
import { Tokens } from "../src/libraries/Tokens.sol";
import { TestRecipient } from "./helpers/Actors.sol";
import { Order, Reference } from "./helpers/Reference.sol";
import { Rig } from "./helpers/Rig.sol";
import { BlockListToken, FeeToken, HookToken, SilentToken, TestToken } from "./helpers/Tokens.sol";

/// @notice The destination: OIF's behaviour, and every attack on fills and tombstones by name.
contract OutputAttacksTest is Rig {
    using Reference for *;

    bytes32 internal constant ID = keccak256("award");
    OutputSettler internal settler;

    function setUp() public override {
        super.setUp();
        settler = a.outputs;
        a.tokenA.mint(filler, 1e30);
        vm.prank(filler);
        a.tokenA.approve(address(settler), type(uint256).max);
        vm.startPrank(filler);
    }

    // PROTOCOL.md

    /// cancel takes the award's preimage: with a false deadline it is another award.
    function test_attack_tombstoneWithFalseDeadline() public {
        Order memory order = sampleOrder(7);
        uint256[] memory amounts = sampleAmounts(order);
        Award memory award = awardOf(order, amounts);
        MandateOutput[] memory outputs = new MandateOutput[](1);
        outputs[0] = order.outputs[0].awarded(amounts[0]);
        vm.expectRevert(OutputSettler.NotPastDeadline.selector);
        settler.cancel(award, outputs);
        vm.warp(award.fillDeadline);
        vm.expectRevert(OutputSettler.NotPastDeadline.selector);
        settler.cancel(award, outputs);
        Award memory early = award;
        bytes32 awardId = award.hashAward();
        early.fillDeadline -= 100;
        settler.cancel(early, outputs);
        assertEq(settler.getFillRecord(awardId, outputs[0].outputHash()), 0);
        assertEq(
            settler.getFillRecord(early.hashAward(), outputs[0].outputHash()), bytes32(uint256(1))
        );
    }

    /// A recipient that refuses the last output cannot hold up the order: it is credited.
    function test_attack_recipientRefusesTheLastOutput() public {
        BlockListToken token = new BlockListToken();
        TestRecipient recipient = new TestRecipient();
        token.mint(filler, 10);
        token.approve(address(settler), 10);
        token.setBlocked(address(recipient), true);
        MandateOutput memory out = output(a, address(token), 10, address(recipient));
        bytes32 record = settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(record, keccak256(abi.encodePacked(id(filler), uint32(time))));
        assertEq(settler.owed(address(token), address(recipient)), 10);
        recipient.withdraw(settler, address(token), address(0xcafe));
        assertEq(token.balanceOf(address(0xcafe)), 10);
        vm.expectRevert(OutputSettler.NothingOwed.selector);
        recipient.withdraw(settler, address(token), address(0xcafe));
    }

    function test_attack_recipientRefusesNativeCoin() public {
        TestRecipient recipient = new TestRecipient();
        MandateOutput memory out = output(a, address(0), 1 ether, address(recipient));
        settler.fill{ value: 3 ether }(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(filler.balance, 99 ether);
        assertEq(settler.owed(address(0), address(recipient)), 1 ether);
        recipient.withdraw(settler, address(0), address(0xcafe));
        assertEq(address(0xcafe).balance, 1 ether);
    }

    /// Change is msg.value − spent: what the settler owes others is not change, and re-entry is shut.
    function test_attack_nativeChangeStolenByReentry() public {
        TestRecipient refuser = new TestRecipient();
        MandateOutput memory credit = output(a, address(0), 5 ether, address(refuser));
        settler.fill{ value: 5 ether }(ID, credit, type(uint48).max, abi.encode(filler));
        TestRecipient thief = new TestRecipient();
        MandateOutput memory free = output(a, address(0), 0, address(thief));
        free.callbackData = hex"01";
        bytes memory again =
            abi.encodeCall(settler.fill, (ID, free, type(uint48).max, abi.encode(filler)));
        thief.set(true, address(settler), again);
        settler.fill{ value: 1 ether }(ID, free, type(uint48).max, abi.encode(filler));
        assertFalse(thief.reentered());
        assertEq(address(settler).balance, 5 ether);
        assertEq(filler.balance, 95 ether);
    }

    // RELIABILITY.md

    function test_attack_doubleFillByReentrancy() public {
        HookToken token = new HookToken();
        token.mint(filler, 20);
        token.approve(address(settler), 20);
        MandateOutput memory out = output(a, address(token), 10, owner);
        bytes memory again =
            abi.encodeCall(settler.fill, (ID, out, type(uint48).max, abi.encode(filler)));
        token.setHook(address(settler), again);
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        assertFalse(token.succeeded());
        assertEq(token.balanceOf(owner), 10);
    }

    /// The loser of a race pays nothing in fill and fillBatch, and is told so in fillOrderOutputs.
    function test_attack_fillFrontRun() public {
        MandateOutput[] memory outs = new MandateOutput[](2);
        outs[0] = output(a, address(a.tokenA), 10, owner);
        outs[1] = output(a, address(a.tokenA), 20, address(0xcafe));
        bytes32 first = settler.fill(ID, outs[0], type(uint48).max, abi.encode(filler));
        uint256 before = a.tokenA.balanceOf(filler);
        bytes32 second = settler.fill(ID, outs[0], type(uint48).max, abi.encode(address(0xbad)));
        assertEq(first, second);
        assertEq(a.tokenA.balanceOf(filler), before);
        vm.expectRevert(OutputSettler.AlreadyFilled.selector);
        settler.fillOrderOutputs(ID, outs, type(uint48).max, abi.encode(address(0xbad)));
        assertEq(settler.getFillRecord(ID, outs[1]), 0);
        FillItem[] memory items = new FillItem[](2);
        items[0] = FillItem(ID, outs[0], type(uint48).max);
        items[1] = FillItem(ID, outs[1], type(uint48).max);
        bytes32[] memory records = settler.fillBatch(items, abi.encode(address(0xbad)));
        assertEq(records[0], first);
        assertEq(a.tokenA.balanceOf(filler), before - 20);
    }

    function test_fillAfterTombstoneAndTombstoneAfterFill() public {
        Order memory order = sampleOrder(7);
        uint256[] memory amounts = sampleAmounts(order);
        Award memory award = awardOf(order, amounts);
        MandateOutput[] memory outs = new MandateOutput[](2);
        outs[0] = output(a, address(a.tokenA), 10, owner);
        outs[1] = output(a, address(a.tokenA), 11, owner);
        bytes32 awardId = award.hashAward();
        settler.fill(awardId, outs[0], type(uint48).max, abi.encode(filler));
        vm.warp(award.fillDeadline + 1);
        vm.expectRevert(OutputSettler.AlreadyFilled.selector);
        settler.cancel(award, outs);
        outs[0] = outs[1];
        settler.cancel(award, outs);
        vm.expectRevert(OutputSettler.Tombstoned.selector);
        settler.fill(awardId, outs[1], type(uint48).max, abi.encode(filler));
        FillItem[] memory items = new FillItem[](1);
        items[0] = FillItem(awardId, outs[1], type(uint48).max);
        vm.expectRevert(OutputSettler.Tombstoned.selector);
        settler.fillBatch(items, abi.encode(filler));
    }

    /// Two awards of one order share nothing: a fill under one is no fill under the other.
    function test_attack_fillUnderAnotherAward() public {
        MandateOutput memory out = output(a, address(a.tokenA), 10, owner);
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(settler.getFillRecord(keccak256("other"), out), 0);
    }

    function test_attack_attestationOfWhatWasNotFilled() public {
        MandateOutput memory out = output(a, address(a.tokenA), 10, owner);
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        bytes memory right = ID.fillDescription(out, id(filler), uint32(time));
        vm.stopPrank();
        vm.startPrank(address(a.oracle));
        assertTrue(settler.hasAttested(one(right)));
        bytes[] memory both = new bytes[](2);
        (both[0], both[1]) = (right, ID.tombstone(out));
        assertFalse(settler.hasAttested(both));
        assertFalse(settler.hasAttested(one(ID.fillDescription(out, id(owner), uint32(time)))));
        assertFalse(settler.hasAttested(one(ID.fillDescription(out, id(filler), uint32(time + 1)))));
        for (uint256 i; i < right.length; ++i) {
            bytes memory wrong = abi.encodePacked(right);
            wrong[i] ^= 0x01;
            assertFalse(settler.hasAttested(one(wrong)));
        }
        vm.expectRevert(OutputSettler.PayloadTooSmall.selector);
        settler.hasAttested(one(slice(right, 0, 167)));
        assertFalse(settler.hasAttested(one(abi.encodePacked(right, uint8(0)))));
        // Another oracle is told of another output.
        vm.stopPrank();
        vm.startPrank(address(b.oracle));
        assertFalse(settler.hasAttested(one(right)));
    }

    function test_attack_forgedTombstonePayload() public view {
        MandateOutput memory out = output(a, address(a.tokenA), 10, owner);
        assertFalse(settler.hasAttested(one(ID.tombstone(out))));
        assertFalse(
            settler.hasAttested(one(abi.encodePacked(bytes32(0), ID, Reference.outputHash(out))))
        );
    }

    function test_attack_callbackReverts() public {
        TestRecipient recipient = new TestRecipient();
        recipient.setCallback(true);
        MandateOutput memory out = output(a, address(a.tokenA), 10, address(recipient));
        out.callbackData = hex"1234";
        vm.expectRevert("callback");
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        recipient.setCallback(false);
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(recipient.calls(), 1);
        assertEq(a.tokenA.balanceOf(address(recipient)), 10);
    }

    /// A recipient with a callback is never told of tokens it has not got.
    function test_attack_callbackWithoutDelivery() public {
        BlockListToken token = new BlockListToken();
        TestRecipient recipient = new TestRecipient();
        token.mint(filler, 10);
        token.approve(address(settler), 10);
        token.setBlocked(address(recipient), true);
        MandateOutput memory out = output(a, address(token), 10, address(recipient));
        out.callbackData = hex"1234";
        vm.expectRevert(abi.encodeWithSelector(Tokens.TransferFailed.selector, address(token)));
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(recipient.calls(), 0);
    }

    /// A caller short of gas cannot turn a delivery into a credit.
    function test_attack_starvedDelivery() public {
        MandateOutput memory out = output(a, address(a.tokenA), 10, owner);
        vm.expectRevert(Tokens.NotEnoughGas.selector);
        settler.fill{ gas: 320_000 }(ID, out, type(uint48).max, abi.encode(filler));
        settler.fill{ gas: 450_000 }(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(a.tokenA.balanceOf(owner), 10);
    }

    function test_attack_noCodeTokenIsNoDelivery() public {
        MandateOutput memory out = output(a, address(0xdead), 10, owner);
        vm.expectRevert(abi.encodeWithSelector(Tokens.TransferFailed.selector, address(0xdead)));
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
    }

    function test_attack_feeOnTransferRefusedByRecipientCreditsWhatArrived() public {
        FeeToken token = new FeeToken();
        token.mint(filler, 1_000);
        token.approve(address(settler), 1_000);
        MandateOutput memory out = output(a, address(token), 1_000, address(0xcafe));
        vm.mockCallRevert(
            address(token),
            abi.encodeCall(TestToken.transferFrom, (filler, address(0xcafe), 1_000)),
            "refused"
        );
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(settler.owed(address(token), address(0xcafe)), 990);
        assertEq(token.balanceOf(address(settler)), 990);
    }

    function test_silentTokenIsDelivered() public {
        SilentToken token = new SilentToken();
        token.mint(filler, 10);
        token.approve(address(settler), 10);
        MandateOutput memory out = output(a, address(token), 10, owner);
        settler.fill(ID, out, type(uint48).max, abi.encode(filler));
        assertEq(token.balanceOf(owner), 10);
    }

    function test_attack_wrongChainSettlerSolverDeadlineAndDirtyAddresses() public {
        MandateOutput memory out = output(a, address(a.tokenA), 10, owner);
        bytes memory data = abi.encode(filler);
        out.chainId += 1;
        vm.expectRevert();
        settler.fill(ID, out, type(uint48).max, data);
        out.chainId -= 1;
        out.settler = id(address(b.outputs));
        vm.expectRevert();
        settler.fill(ID, out, type(uint48).max, data);
        out.settler = id(address(settler));
        vm.expectRevert(OutputSettler.ZeroValue.selector);
        settler.fill(ID, out, type(uint48).max, abi.encode(address(0)));
        vm.expectRevert(OutputSettler.ZeroValue.selector);
        settler.fill(ID, out, type(uint48).max, hex"01");
        vm.expectRevert(OutputSettler.FillDeadline.selector);
        settler.fill(ID, out, uint48(time - 1), data);
        out.token |= bytes32(uint256(1) << 160);
        vm.expectRevert(abi.encodeWithSelector(OutputSettler.DirtyAddress.selector, out.token));
        settler.fill(ID, out, type(uint48).max, data);
        out.token = id(address(a.tokenA));
        out.recipient = 0;
        vm.expectRevert(abi.encodeWithSelector(OutputSettler.DirtyAddress.selector, out.recipient));
        settler.fill(ID, out, type(uint48).max, data);
    }

    function test_nativeFillNeedsItsValue() public {
        MandateOutput[] memory outs = new MandateOutput[](2);
        outs[0] = output(a, address(0), 1 ether, address(0xcafe));
        outs[1] = output(a, address(0), 1 ether, address(0xcaff));
        vm.expectRevert(OutputSettler.ValueTooLow.selector);
        settler.fillOrderOutputs{ value: 1.5 ether }(
            ID, outs, type(uint48).max, abi.encode(filler)
        );
        settler.fillOrderOutputs{ value: 2.5 ether }(
            ID, outs, type(uint48).max, abi.encode(filler)
        );
        assertEq(filler.balance, 98 ether);
        assertEq(address(0xcaff).balance, 1 ether);
    }

    // OIF's contexts

    function test_contexts() public {
        uint32 start = uint32(time + 10);
        uint32 stop = uint32(time + 110);
        assertEq(_filled(hex"00", filler), 1_000);
        assertEq(_filled(abi.encodePacked(uint8(1), start, stop, uint256(5))), 1_500);
        vm.warp(time + 60);
        assertEq(_filled(abi.encodePacked(uint8(1), start, stop, uint256(5)), owner), 1_250);
        vm.warp(time + 110);
        assertEq(_filled(abi.encodePacked(uint8(1), start, stop, uint256(6))), 1_000);
        vm.warp(time);
        bytes memory exclusive = abi.encodePacked(uint8(0xe0), id(owner), start);
        vm.expectRevert(abi.encodeWithSelector(OutputContext.ExclusiveTo.selector, id(owner)));
        this.fillWith(exclusive, filler);
        assertEq(_filled(exclusive, owner), 1_000);
        bytes memory both = abi.encodePacked(uint8(0xe1), id(owner), start, stop, uint256(7));
        vm.expectRevert(abi.encodeWithSelector(OutputContext.ExclusiveTo.selector, id(owner)));
        this.fillWith(both, filler);
        vm.warp(start);
        assertEq(_filled(both, filler), 1_700);
        vm.expectRevert(OutputContext.NotImplemented.selector);
        this.fillWith(hex"02", filler);
        bytes[4] memory wrong = [bytes(hex"0000"), hex"01", hex"e0", hex"e1"];
        for (uint256 i; i < 4; ++i) {
            vm.expectRevert(OutputContext.InvalidContextDataLength.selector);
            this.fillWith(wrong[i], filler);
        }
    }

    function testFuzz_dutchNeverBelowMinimumAndFallsWithTime(
        uint32 start,
        uint32 stop,
        uint64 slope,
        uint32 time1,
        uint32 time2
    ) public {
        if (time1 > time2) (time1, time2) = (time2, time1);
        bytes memory context = abi.encodePacked(uint8(1), start, stop, uint256(slope));
        vm.warp(time1);
        uint256 early = _filled(context);
        vm.warp(time2);
        uint256 late = _filled(context, owner);
        assertGe(early, late);
        assertGe(late, 1_000);
        if (time2 >= stop) assertEq(late, 1_000);
        if (time1 <= start && stop > start) {
            assertEq(early, 1_000 + uint256(slope) * (stop - start));
        }
    }

    function testFuzz_fillDeliversExactlyAndRecords(
        bytes32 fillId,
        uint96 amount,
        address recipient,
        bytes32 solver,
        uint32 at
    ) public {
        vm.assume(recipient != address(0) && recipient != filler && solver != 0);
        vm.warp(at);
        MandateOutput memory out = output(a, address(a.tokenA), amount, recipient);
        uint256 before = a.tokenA.balanceOf(recipient);
        bytes32 record = settler.fill(fillId, out, type(uint48).max, abi.encode(solver));
        assertEq(a.tokenA.balanceOf(recipient), before + amount);
        assertEq(record, keccak256(abi.encodePacked(solver, at)));
        assertEq(settler.getFillRecord(fillId, out), record);
        assertEq(settler.getFillRecord(fillId, out.outputHash()), record);
        settler.fill(fillId, out, type(uint48).max, abi.encode(filler));
        assertEq(a.tokenA.balanceOf(recipient), before + amount);
    }

    function fillWith(bytes memory context, address solver) external {
        _filled(context, solver);
    }

    function _filled(bytes memory context) private returns (uint256) {
        return _filled(context, filler);
    }

    /// @dev What an output of 1,000 with this context costs now.
    function _filled(bytes memory context, address solver) private returns (uint256) {
        MandateOutput memory out = output(a, address(a.tokenA), 1_000, owner);
        out.context = context;
        uint256 before = a.tokenA.balanceOf(filler);
        vm.stopPrank();
        vm.prank(filler);
        settler.fill(
            keccak256(abi.encode(context, solver, block.timestamp)),
            out,
            type(uint48).max,
            abi.encode(solver)
        );
        return before - a.tokenA.balanceOf(filler);
    }
}
