// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { PortfolioSettler } from "../src/PortfolioSettler.sol";
import { OrderHash } from "../src/libraries/OrderHash.sol";
import {
    Award,
    AwardTerms,
    Fill,
    Input,
    LocalCall,
    MandateOutput
} from "../src/libraries/Structs.sol";
import { Tokens } from "../src/libraries/Tokens.sol";
import { TestWallet } from "./helpers/Actors.sol";
import { Order, Reference } from "./helpers/Reference.sol";
import { Rig } from "./helpers/Rig.sol";
import {
    BlockListToken,
    FeeToken,
    GasBurningToken,
    HookToken,
    LyingToken,
    SilentToken,
    TestToken
} from "./helpers/Tokens.sol";

/// @notice Every attack on the escrow from PROTOCOL.md's and RELIABILITY.md's lists, by name.
contract SettlerAttacksTest is Rig {
    using Reference for *;

    Order internal order;
    uint256[] internal amounts;
    Award internal award;

    function setUp() public override {
        super.setUp();
        _use(sampleOrder(7));
    }

    // PROTOCOL.md

    /// A stranger pays the small output in his own name: the escrow still goes to the award's filler.
    function test_attack_poisonFill() public {
        open(a, order, award, 0);
        address stranger = address(0xbad);
        MandateOutput memory out = order.outputs[0].awarded(amounts[0]);
        a.tokenB.mint(stranger, out.amount);
        vm.startPrank(stranger);
        a.tokenB.approve(address(a.outputs), out.amount);
        a.outputs.fill(award.hashAward(), out, award.fillDeadline, abi.encode(stranger));
        vm.stopPrank();
        prove(b, a, fill(b, order, award, amounts, 1));
        Fill[] memory fills = fillsAt(2, time);
        fills[0].solver = id(stranger);
        on(a);
        vm.prank(stranger);
        vm.expectRevert(PortfolioSettler.BadBeneficiary.selector);
        _release(fills, stranger);
        vm.prank(stranger);
        _release(fills, address(0));
        assertEq(a.tokenA.balanceOf(filler), _inputOf(address(a.tokenA)));
        assertEq(a.tokenA.balanceOf(stranger), 0);
    }

    /// Anyone can tombstone an output that is none of the order's: refund does not believe it.
    function test_attack_tombstoneOfForeignOutput() public {
        open(a, order, award, 0);
        vm.warp(order.head.fillDeadline + 1);
        MandateOutput[] memory foreign = new MandateOutput[](1);
        foreign[0] = output(b, address(b.tokenA), 1, address(0xbad));
        on(b);
        b.outputs.cancel(award, foreign);
        prove(b, a, award.hashAward().tombstone(foreign[0]));
        on(a);
        MandateOutput[] memory swapped = order.outputs;
        swapped[1] = foreign[0];
        uint256[] memory claimed = amounts;
        claimed[1] = 1;
        vm.expectRevert(PortfolioSettler.NotOpen.selector);
        a.settler.refundTombstone(order.head, order.leg(0), swapped, award.terms(), claimed, 1);
        vm.expectRevert(PortfolioSettler.BadAmounts.selector);
        a.settler.refundTombstone(
            order.head, order.leg(0), order.outputs, award.terms(), claimed, 1
        );
        vm.expectRevert(abi.encodeWithSelector(PortfolioSettler.NotProven.selector, 1));
        a.settler.refundTombstone(
            order.head, order.leg(0), order.outputs, award.terms(), amounts, 1
        );
    }

    /// Two awards for one order: each origin keeps the one it was opened under, and neither can be
    /// released by fills of the other.
    function test_attack_reawardSeenDifferentlyByTwoChains() public {
        Award memory second = award;
        second.filler = address(0xf2);
        open(a, order, award, 0);
        open(b, order, second, 1);
        on(a);
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        _openAgain(second);
        bytes memory onB = fill(b, order, award, amounts, 1);
        fill(a, order, award, amounts, 0);
        on(b);
        Fill[] memory fills = fillsAt(2, time);
        vm.expectRevert(PortfolioSettler.NotOpen.selector);
        b.settler.release(
            order.head, order.leg(1), order.outputs, award.terms(), amounts, fills, filler
        );
        vm.expectRevert(abi.encodeWithSelector(PortfolioSettler.NotProven.selector, 0));
        b.settler.release(
            order.head, order.leg(1), order.outputs, second.terms(), amounts, fills, filler
        );
        prove(b, a, onB);
        on(a);
        _release(fills, filler);
    }

    /// Two equal outputs would share one fill: strict ascending order forbids them.
    function test_attack_twoAwardedOutputsWithOneHash() public {
        Order memory twin = sampleOrder(8);
        twin.outputs[0] = twin.outputs[1];
        _use(twin);
        open(a, order, award, 0);
        prove(b, a, fill(b, order, award, amounts, 1));
        on(a);
        vm.expectRevert(PortfolioSettler.BadOutputs.selector);
        _release(fillsAt(2, time), filler);
    }

    function test_attack_outputsOutOfOrder() public {
        Order memory swapped = sampleOrder(8);
        (swapped.outputs[0], swapped.outputs[1]) = (swapped.outputs[1], swapped.outputs[0]);
        _use(swapped);
        open(a, order, award, 0);
        vm.expectRevert(PortfolioSettler.BadOutputs.selector);
        _release(fillsAt(2, time), filler);
    }

    /// One input's token blocks the filler: the other is paid, this one is credited, both ways.
    function test_attack_blockListedInputDoesNotFreezeTheRest() public {
        (BlockListToken token, bool first) = _withHostileInput(address(new BlockListToken()));
        open(a, order, award, 0);
        token.setBlocked(filler, true);
        _proveAll();
        _release(fillsAt(2, time), filler);
        assertEq(a.settler.owed(address(token), filler), 11);
        assertEq(TestToken(_otherInput(first)).balanceOf(filler), 22);
        vm.prank(filler);
        a.settler.withdraw(address(token), address(0xcafe));
        assertEq(token.balanceOf(address(0xcafe)), 11);
        vm.prank(filler);
        vm.expectRevert(PortfolioSettler.NothingOwed.selector);
        a.settler.withdraw(address(token), address(0xcafe));
    }

    function test_attack_blockListedOwnerStillGetsTheRestRefunded() public {
        (BlockListToken token, bool first) = _withHostileInput(address(new BlockListToken()));
        open(a, order, award, 0);
        token.setBlocked(owner, true);
        vm.warp(order.head.expiry + 1);
        _refundExpired();
        assertEq(a.settler.owed(address(token), owner), 11);
        assertEq(TestToken(_otherInput(first)).balanceOf(owner), 22);
    }

    /// Without an auctioneer every free field of the award would make another awardId.
    function test_attack_awardFieldsLeftFreeWithoutAuctioneer() public {
        order.head.auctioneer = address(0);
        AwardTerms[3] memory free = [
            AwardTerms(filler, 0, 0),
            AwardTerms(address(0), 1, 0),
            AwardTerms(address(0), 0, keccak256("x"))
        ];
        fund(a, order, 0);
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(PortfolioSettler.BadAward.selector);
            _openWith(free[i], "", sign(OWNER_KEY, order.hashOrder()));
        }
        _openWith(AwardTerms(address(0), 0, 0), "", sign(OWNER_KEY, order.hashOrder()));
    }

    /// Without an auctioneer a second output would be nobody's to price: never released.
    function test_attack_severalOutputsWithoutAuctioneer() public {
        order.head.auctioneer = address(0);
        fund(a, order, 0);
        AwardTerms memory none;
        _openWith(none, "", sign(OWNER_KEY, order.hashOrder()));
        uint256[] memory signed = new uint256[](2);
        (signed[0], signed[1]) = (order.outputs[0].amount, order.outputs[1].amount);
        Fill[] memory fills = fillsAt(2, time);
        vm.expectRevert(PortfolioSettler.BadOutputs.selector);
        a.settler.release(
            order.head, order.leg(0), order.outputs, none, signed, fills, address(0)
        );
    }

    function test_attack_shortAndEndlessExpiry() public {
        order.head.expiry = order.head.fillDeadline + PROOF_WINDOW - 1;
        _expectBadTimes();
        order.head.expiry = uint32(time + 30 days + 1);
        _expectBadTimes();
        order.head.expiry = uint32(time + 30 days);
        order.head.fillDeadline = order.head.openDeadline;
        _expectBadTimes();
        order.head.fillDeadline = uint32(time + 200);
        vm.warp(order.head.openDeadline + 1);
        _expectBadTimes();
        order.head.expiry = type(uint32).max;
        order.head.fillDeadline = type(uint32).max;
        _expectBadTimes();
    }

    /// The owner opens on one origin and cancels on another: nobody fills, Decline refunds at once.
    function test_attack_ownerOpensHereAndRevokesThere() public {
        open(a, order, award, 0);
        on(b);
        uint256[] memory nonces = new uint256[](1);
        nonces[0] = 7;
        vm.prank(owner);
        b.settler.cancel(nonces);
        fund(b, order, 1);
        on(b);
        bytes memory ownerSig = sign(OWNER_KEY, order.hashOrder());
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        b.settler.open(
            order.head,
            order.leg(1),
            order.outputs.hashOutputs(),
            award.terms(),
            awardSig,
            ownerSig
        );
        on(a);
        bytes memory decline = sign(
            FILLER_KEY, keccak256(abi.encode(OrderHash.DECLINE_TYPEHASH, award.hashAward()))
        );
        a.settler.refundDeclined(
            order.head, order.leg(0), order.outputs.hashOutputs(), award.terms(), decline
        );
        assertTrue(slotIs(a, order, award, 3));
    }

    /// The way out without messages must not let a served owner take the escrow himself.
    function test_attack_ownerAcceptsToHimself() public {
        open(a, order, award, 0);
        bytes32 accept =
            keccak256(abi.encode(OrderHash.ACCEPT_TYPEHASH, award.hashAward(), owner));
        bytes memory signature = sign(OWNER_KEY, accept);
        vm.expectRevert(PortfolioSettler.BadBeneficiary.selector);
        _releaseAccepted(owner, signature);
        vm.prank(owner);
        vm.expectRevert(PortfolioSettler.BadBeneficiary.selector);
        _releaseAccepted(owner, "");
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        _releaseAccepted(filler, signature);
        vm.prank(filler);
        _releaseAccepted(owner, signature);
    }

    function test_attack_acceptWithoutAward() public {
        order.head.auctioneer = address(0);
        fund(a, order, 0);
        AwardTerms memory none;
        _openWith(none, "", sign(OWNER_KEY, order.hashOrder()));
        bytes32 hash = order.outputs.hashOutputs();
        vm.prank(owner);
        vm.expectRevert(PortfolioSettler.BadAward.selector);
        a.settler.releaseAccepted(order.head, order.leg(0), hash, none, owner, "");
        // ecrecover answers zero to this, which is who the filler is.
        bytes memory empty = abi.encodePacked(bytes32(0), bytes32(0), uint8(27));
        vm.expectRevert(PortfolioSettler.BadFillerSignature.selector);
        a.settler.refundDeclined(order.head, order.leg(0), hash, none, empty);
    }

    /// settleLocal with a self-made award: without the auctioneer's signature anyone could take an
    /// auctioned order at its minimum.
    function test_attack_settleLocalWithSelfMadeAward() public {
        _useLocal();
        address stranger = address(0xbad);
        Award memory own = award;
        own.filler = stranger;
        LocalCall memory call = _localCall(own);
        vm.prank(stranger);
        vm.expectRevert(PortfolioSettler.BadAwardSignature.selector);
        a.settler.settleLocal(order.head, order.leg(0), order.outputs, own.terms(), call);
        call = _localCall(award);
        vm.prank(stranger);
        vm.expectRevert(PortfolioSettler.BadAward.selector);
        a.settler.settleLocal(order.head, order.leg(0), order.outputs, award.terms(), call);
    }

    function test_settleLocal_deliversExactlyOrReverts() public {
        _useLocal();
        LocalCall memory call = _localCall(award);
        vm.prank(filler);
        vm.expectRevert(
            abi.encodeWithSelector(Tokens.TransferFailed.selector, address(a.tokenB))
        );
        a.settler.settleLocal(order.head, order.leg(0), order.outputs, award.terms(), call);
        a.tokenB.mint(filler, amounts[0]);
        vm.prank(filler);
        a.tokenB.approve(address(a.settler), amounts[0]);
        vm.prank(filler);
        a.settler.settleLocal(order.head, order.leg(0), order.outputs, award.terms(), call);
        assertEq(a.tokenB.balanceOf(owner), amounts[0]);
        assertTrue(slotIs(a, order, award, 2));
        vm.prank(filler);
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        a.settler.settleLocal(order.head, order.leg(0), order.outputs, award.terms(), call);
    }

    // Replay and signatures

    /// One signature, every chain and settler: each order names its own, and a slot opens once.
    function test_attack_replayOnAnotherChainSettlerAndNonce() public {
        open(a, order, award, 0);
        fund(a, order, 0);
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        _openAgain(award);
        vm.chainId(777);
        vm.expectRevert(PortfolioSettler.BadAwardSignature.selector);
        _openAgain(award);
        on(a);
        order.head.nonce += 1;
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        bytes memory ownerSig = sign(OWNER_KEY, award.orderId);
        vm.expectRevert(PortfolioSettler.BadAwardSignature.selector);
        _openWith(award.terms(), awardSig, ownerSig);
        order.head.nonce -= 1;
        PortfolioSettler twin = new PortfolioSettler(PROOF_WINDOW, address(0));
        bytes32 hash = order.outputs.hashOutputs();
        vm.expectRevert(PortfolioSettler.BadAwardSignature.selector);
        twin.open(order.head, order.leg(0), hash, award.terms(), awardSig, ownerSig);
    }

    function test_attack_malleatedAndMalformedSignatures() public {
        fund(a, order, 0);
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OWNER_KEY, order.hashOrder().digest());
        uint256 n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes[6] memory bad = [
            abi.encodePacked(r, n - uint256(s), v == 27 ? uint8(28) : uint8(27)),
            abi.encodePacked(r, s, v - 27),
            abi.encodePacked(r, s),
            abi.encodePacked(r, s, v, uint8(0)),
            bytes(""),
            abi.encodePacked(bytes32(0), bytes32(0), uint8(27))
        ];
        for (uint256 i; i < bad.length; ++i) {
            vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
            _openWith(award.terms(), awardSig, bad[i]);
        }
    }

    /// The same struct signed under another domain is no signature.
    function test_attack_wrongDomain() public {
        fund(a, order, 0);
        bytes32 foreign = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId)"),
                keccak256("trimtab"),
                keccak256("1"),
                a.chainId
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", foreign, order.hashOrder()));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OWNER_KEY, digest);
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        _openWith(award.terms(), awardSig, abi.encodePacked(r, s, v));
    }

    /// Signed by another than the payer (TrustedVolumes 2026): only the owner's tokens, only with
    /// the owner's word.
    function test_attack_signerIsNotThePayer() public {
        fund(a, order, 0);
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        bytes memory fillerSig = sign(FILLER_KEY, order.hashOrder());
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        _openWith(award.terms(), awardSig, fillerSig);
        vm.expectRevert(PortfolioSettler.BadAwardSignature.selector);
        _openWith(award.terms(), fillerSig, sign(OWNER_KEY, order.hashOrder()));
    }

    /// ERC-1271 owners that say no, revert, burn gas, answer short, dirty or changed their mind.
    function test_attack_erc1271Moods() public {
        TestWallet wallet = _walletOrder();
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        TestWallet.Mood[5] memory bad = [
            TestWallet.Mood.No,
            TestWallet.Mood.Revert,
            TestWallet.Mood.BurnGas,
            TestWallet.Mood.ShortYes,
            TestWallet.Mood.DirtyYes
        ];
        for (uint256 i; i < bad.length; ++i) {
            wallet.setMood(bad[i]);
            vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
            this.openWithGas(awardSig, 5_000_000);
        }
        wallet.setMood(TestWallet.Mood.Yes);
        _openWith(award.terms(), awardSig, "any");
        // What it says later changes nothing.
        wallet.setMood(TestWallet.Mood.No);
        vm.warp(order.head.expiry + 1);
        _refundExpired();
        assertEq(TestToken(_firstInput()).balanceOf(address(wallet)), _inputOf(_firstInput()));
    }

    /// A megabyte of returned data costs the caller its memory once at most, not twice: one word is
    /// copied, and a well-formed first word counts.
    function test_attack_erc1271ReturnBomb() public {
        TestWallet wallet = _walletOrder();
        wallet.setMood(TestWallet.Mood.Bomb);
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        uint256 before = gasleft();
        _openWith(award.terms(), awardSig, "");
        // 1,000,000 bytes of memory in the wallet's own frame cost it 2.0M; copying would double it.
        assertLt(before - gasleft(), 3_000_000);
    }

    /// Code appearing at the owner's address (EIP-7702) does not void what its key signed.
    function test_attack_code7702AppearsMidway() public {
        bytes memory ownerSig = sign(OWNER_KEY, order.hashOrder());
        fund(a, order, 0);
        TestWallet refuser = new TestWallet();
        refuser.setMood(TestWallet.Mood.Revert);
        vm.etch(owner, address(refuser).code);
        TestWallet(owner).setMood(TestWallet.Mood.Revert);
        _openWith(award.terms(), sign(AUCTIONEER_KEY, award.hashAward()), ownerSig);
        assertTrue(slotIs(a, order, award, 1));
    }

    function test_attack_cancelSignatureOfAnother() public {
        bytes32 hash = keccak256(abi.encode(OrderHash.CANCEL_TYPEHASH, owner, uint256(7)));
        bytes memory foreign = sign(FILLER_KEY, hash);
        bytes memory right = sign(OWNER_KEY, hash);
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        a.settler.cancelFor(owner, 7, foreign);
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        a.settler.cancelFor(owner, 8, right);
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        a.settler.cancelFor(address(0), 7, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
        a.settler.cancelFor(owner, 7, right);
        assertEq(a.settler.slot(owner, 7), bytes32(uint256(4)));
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        a.settler.cancelFor(owner, 7, right);
        fund(a, order, 0);
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        _openAgain(award);
    }

    function test_attack_cancelAfterOpen() public {
        open(a, order, award, 0);
        uint256[] memory nonces = new uint256[](1);
        nonces[0] = 7;
        vm.prank(owner);
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        a.settler.cancel(nonces);
    }

    function test_attack_expiredAwardAndForeignAward() public {
        fund(a, order, 0);
        award.openBy = uint32(time - 1);
        vm.expectRevert(PortfolioSettler.BadAward.selector);
        _openAgain(award);
        award.openBy = uint32(time);
        award.filler = address(0);
        vm.expectRevert(PortfolioSettler.BadAward.selector);
        _openAgain(award);
    }

    // Proofs and times

    /// A fill after the deadline releases nothing, whatever is claimed; proven, it refunds.
    function test_attack_lateFill() public {
        open(a, order, award, 0);
        fill(a, order, award, amounts, 0);
        vm.warp(order.head.fillDeadline + 1);
        MandateOutput memory out = order.outputs[1].awarded(amounts[1]);
        on(b);
        b.tokenB.mint(filler, out.amount);
        vm.startPrank(filler);
        b.tokenB.approve(address(b.outputs), out.amount);
        b.outputs.fill(award.hashAward(), out, type(uint48).max, abi.encode(filler));
        vm.stopPrank();
        uint32 late = uint32(block.timestamp);
        prove(b, a, award.hashAward().fillDescription(out, id(filler), late));
        on(a);
        Fill[] memory fills = fillsAt(2, time);
        fills[1].timestamp = late;
        vm.expectRevert(abi.encodeWithSelector(PortfolioSettler.FilledTooLate.selector, 1));
        _release(fills, filler);
        fills[1].timestamp = order.head.fillDeadline;
        vm.expectRevert(abi.encodeWithSelector(PortfolioSettler.NotProven.selector, 1));
        _release(fills, filler);
        Fill memory first = Fill(id(filler), uint32(time));
        vm.expectRevert(PortfolioSettler.NotLate.selector);
        a.settler.refundLate(
            order.head, order.leg(0), order.outputs, award.terms(), amounts, 0, first
        );
        a.settler.refundLate(
            order.head,
            order.leg(0),
            order.outputs,
            award.terms(),
            amounts,
            1,
            Fill(id(filler), late)
        );
        assertTrue(slotIs(a, order, award, 3));
    }

    /// Awarded amounts below the signed ones are refused however the award was signed.
    function test_attack_awardBelowTheSignedMinimum() public {
        amounts[1] = order.outputs[1].amount - 1;
        award = awardOf(order, amounts);
        open(a, order, award, 0);
        _proveAll();
        vm.expectRevert(PortfolioSettler.BadAmounts.selector);
        _release(fillsAt(2, time), filler);
    }

    function test_attack_releaseTwiceAndRefundAfterRelease() public {
        open(a, order, award, 0);
        _proveAll();
        _release(fillsAt(2, time), filler);
        vm.expectRevert(PortfolioSettler.NotOpen.selector);
        _release(fillsAt(2, time), filler);
        vm.warp(order.head.expiry + 1);
        vm.expectRevert(PortfolioSettler.NotOpen.selector);
        _refundExpired();
    }

    function test_attack_refundBeforeExpiry() public {
        open(a, order, award, 0);
        vm.warp(order.head.expiry);
        vm.expectRevert(PortfolioSettler.NotExpired.selector);
        _refundExpired();
        vm.warp(order.head.expiry + 1);
        _refundExpired();
        vm.expectRevert(PortfolioSettler.NotOpen.selector);
        _refundExpired();
    }

    /// An award's output with a price context would be filled at another price than awarded.
    function test_attack_contextInAnAwardedOutput() public {
        Order memory dutch = sampleOrder(9);
        dutch.outputs[1].context = hex"00";
        _use(dutch);
        open(a, order, award, 0);
        _proveAll();
        vm.expectRevert(PortfolioSettler.BadOutputs.selector);
        _release(fillsAt(2, time), filler);
    }

    /// Calldata whose leg lies about its place, or whose lists are cut short (1inch Fusion v1).
    function test_attack_legOutOfRangeAndShortLists() public {
        open(a, order, award, 0);
        _proveAll();
        vm.expectRevert(PortfolioSettler.BadOutputs.selector);
        _release(fillsAt(1, time), filler);
        uint256[] memory one_ = new uint256[](1);
        Fill[] memory fills = fillsAt(2, time);
        vm.expectRevert(PortfolioSettler.BadOutputs.selector);
        a.settler.release(
            order.head, order.leg(0), order.outputs, award.terms(), one_, fills, filler
        );
        bytes memory data = abi.encodeCall(
            a.settler.refundExpired,
            (order.head, order.leg(0), order.outputs.hashOutputs(), award.terms())
        );
        for (uint256 cut = 1; cut < data.length; cut += 37) {
            (bool success,) = address(a.settler).call(slice(data, 0, data.length - cut));
            assertFalse(success);
        }
    }

    // Tokens

    function test_attack_feeOnTransferInput() public {
        (FeeToken token,) = _withFeeInput();
        fund(a, order, 0);
        vm.expectRevert(
            abi.encodeWithSelector(PortfolioSettler.InexactInput.selector, address(token))
        );
        _openAgain(award);
    }

    /// A token address without code (Qubit 2022) is not a transfer that succeeded.
    function test_attack_noCodeToken() public {
        Order memory empty = sampleOrder(9);
        empty.origins[0].inputs = new Input[](1);
        empty.origins[0].inputs[0] = Input(address(0xdead), 5);
        _use(empty);
        vm.expectRevert(abi.encodeWithSelector(Tokens.TransferFailed.selector, address(0xdead)));
        _openAgain(award);
    }

    function test_attack_tokenReturnsFalseOrShort() public {
        LyingToken token = new LyingToken();
        _withHostileInput(address(token));
        fund(a, order, 0);
        token.setLying(true, false);
        vm.expectRevert(abi.encodeWithSelector(Tokens.TransferFailed.selector, address(token)));
        _openAgain(award);
        token.setLying(false, true);
        vm.expectRevert(abi.encodeWithSelector(Tokens.TransferFailed.selector, address(token)));
        _openAgain(award);
        token.setLying(false, false);
        _openAgain(award);
        token.setLying(true, false);
        vm.warp(order.head.expiry + 1);
        _refundExpired();
        assertEq(a.settler.owed(address(token), owner), 11);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Tokens.TransferFailed.selector, address(token)));
        a.settler.withdraw(address(token), owner);
        token.setLying(false, false);
        vm.prank(owner);
        a.settler.withdraw(address(token), owner);
        assertEq(token.balanceOf(owner), 11);
    }

    function test_tokenThatReturnsNothing() public {
        SilentToken token = new SilentToken();
        _withHostileInput(address(token));
        open(a, order, award, 0);
        vm.warp(order.head.expiry + 1);
        _refundExpired();
        assertEq(token.balanceOf(owner), 11);
    }

    /// A token that burns all gas costs its own push, not the others', and a caller that brings too
    /// little gas for a push is told so instead of turning it into a credit.
    function test_attack_gasBurningTokenAndStarvedPush() public {
        (GasBurningToken token, bool first) = _withGasBurningInput();
        open(a, order, award, 0);
        token.setBurning(true);
        vm.warp(order.head.expiry + 1);
        vm.expectRevert(Tokens.NotEnoughGas.selector);
        // Too little for the second push: the first takes its 300,000 if it burns, else 22,000.
        this.refundWithGas(first ? 350_000 : 340_000);
        this.refundWithGas(1_500_000);
        assertEq(a.settler.owed(address(token), owner), 11);
        assertEq(TestToken(_otherInput(first)).balanceOf(owner), 22);
    }

    /// A token that calls back during open, into every function that moves money.
    function test_attack_reentryThroughAToken() public {
        HookToken token = new HookToken();
        _withHostileInput(address(token));
        fund(a, order, 0);
        bytes memory again = abi.encodeCall(
            a.settler.refundDeclined,
            (order.head, order.leg(0), order.outputs.hashOutputs(), award.terms(), "")
        );
        token.setHook(address(a.settler), again);
        _openAgain(award);
        assertFalse(token.succeeded());
        assertTrue(slotIs(a, order, award, 1));
        assertEq(token.balanceOf(address(a.settler)), 11);
    }

    function test_inputsMustAscend() public {
        Order memory twice = sampleOrder(9);
        twice.origins[0].inputs[1] = twice.origins[0].inputs[0];
        _use(twice);
        fund(a, order, 0);
        vm.expectRevert(PortfolioSettler.BadInputs.selector);
        _openAgain(award);
    }

    // Helpers

    function openWithGas(bytes memory awardSig, uint256 gasLimit) external {
        a.settler.open{ gas: gasLimit }(
            order.head, order.leg(0), order.outputs.hashOutputs(), award.terms(), awardSig, "any"
        );
    }

    function refundWithGas(uint256 gasLimit) external {
        a.settler.refundExpired{ gas: gasLimit }(
            order.head, order.leg(0), order.outputs.hashOutputs(), award.terms()
        );
    }

    function _use(Order memory value) private {
        delete order;
        order.head = value.head;
        for (uint256 i; i < value.origins.length; ++i) {
            order.origins.push();
            order.origins[i].chainId = value.origins[i].chainId;
            order.origins[i].settler = value.origins[i].settler;
            order.origins[i].oracle = value.origins[i].oracle;
            for (uint256 j; j < value.origins[i].inputs.length; ++j) {
                order.origins[i].inputs.push(value.origins[i].inputs[j]);
            }
        }
        for (uint256 i; i < value.outputs.length; ++i) {
            order.outputs.push(value.outputs[i]);
        }
        amounts = sampleAmounts(value);
        award = awardOf(value, amounts);
    }

    function _useLocal() private {
        Order memory local = sampleOrder(11);
        Input[] memory inputs = new Input[](1);
        inputs[0] = Input(address(a.tokenA), 5);
        local.origins[0].inputs = inputs;
        MandateOutput[] memory outputs = new MandateOutput[](1);
        outputs[0] = local.outputs[0];
        local.outputs = outputs;
        assembly {
            mstore(mload(add(local, 0x20)), 1)
        }
        _use(local);
        fund(a, order, 0);
        on(a);
    }

    function _localCall(Award memory of_) private view returns (LocalCall memory) {
        return LocalCall({
            amounts: amounts,
            awardSig: sign(AUCTIONEER_KEY, award.hashAward()),
            ownerSig: sign(OWNER_KEY, order.hashOrder()),
            to: of_.filler,
            data: ""
        });
    }

    function _walletOrder() private returns (TestWallet wallet) {
        wallet = new TestWallet();
        Order memory owned = sampleOrder(9);
        owned.head.owner = address(wallet);
        _use(owned);
        for (uint256 i; i < 2; ++i) {
            Input memory input = order.origins[0].inputs[i];
            TestToken(input.token).mint(address(wallet), input.amount);
            wallet.approve(TestToken(input.token), address(a.settler));
        }
    }

    /// @dev 11 of the hostile token and 22 of token A, in canonical order.
    function _withHostileInput(address token) private returns (BlockListToken, bool first) {
        Order memory hostile = sampleOrder(9);
        first = token < address(a.tokenA);
        hostile.origins[0].inputs[first ? 0 : 1] = Input(token, 11);
        hostile.origins[0].inputs[first ? 1 : 0] = Input(address(a.tokenA), 22);
        _use(hostile);
        return (BlockListToken(token), first);
    }

    function _withFeeInput() private returns (FeeToken token, bool first) {
        token = new FeeToken();
        (, first) = _withHostileInput(address(token));
        order.origins[0].inputs[first ? 0 : 1].amount = 1_100;
        award = awardOf(order, amounts);
    }

    function _withGasBurningInput() private returns (GasBurningToken token, bool first) {
        token = new GasBurningToken();
        (, first) = _withHostileInput(address(token));
    }

    function _otherInput(bool first) private view returns (address) {
        return order.origins[0].inputs[first ? 1 : 0].token;
    }

    function _firstInput() private view returns (address) {
        return order.origins[0].inputs[0].token;
    }

    function _inputOf(address token) private view returns (uint256) {
        for (uint256 i; i < order.origins[0].inputs.length; ++i) {
            if (order.origins[0].inputs[i].token == token) return order.origins[0].inputs[i].amount;
        }
        return 0;
    }

    function _proveAll() private {
        fill(a, order, award, amounts, 0);
        prove(b, a, fill(b, order, award, amounts, 1));
        on(a);
    }

    function _openAgain(Award memory under) private {
        _openWith(
            under.terms(),
            sign(AUCTIONEER_KEY, under.hashAward()),
            sign(OWNER_KEY, order.hashOrder())
        );
    }

    function _openWith(AwardTerms memory terms, bytes memory awardSig, bytes memory ownerSig)
        private
    {
        a.settler.open(
            order.head, order.leg(0), order.outputs.hashOutputs(), terms, awardSig, ownerSig
        );
    }

    function _release(Fill[] memory fills, address to) private {
        a.settler.release(
            order.head, order.leg(0), order.outputs, award.terms(), amounts, fills, to
        );
    }

    function _releaseAccepted(address to, bytes memory signature) private {
        a.settler.releaseAccepted(
            order.head, order.leg(0), order.outputs.hashOutputs(), award.terms(), to, signature
        );
    }

    function _refundExpired() private {
        a.settler.refundExpired(
            order.head, order.leg(0), order.outputs.hashOutputs(), award.terms()
        );
    }

    function _expectBadTimes() private {
        award = awardOf(order, amounts);
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        bytes memory ownerSig = sign(OWNER_KEY, order.hashOrder());
        vm.expectRevert(PortfolioSettler.BadTimes.selector);
        _openWith(award.terms(), awardSig, ownerSig);
    }
}
