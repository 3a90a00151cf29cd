// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { PortfolioSettler } from "../src/PortfolioSettler.sol";
import { OrderHash } from "../src/libraries/OrderHash.sol";
import { Award, AwardTerms, Head, Input, Leg, MandateOutput } from "../src/libraries/Structs.sol";
import { Tokens } from "../src/libraries/Tokens.sol";
import { TestWallet } from "./helpers/Actors.sol";
import { Order, Reference } from "./helpers/Reference.sol";
import { Rig } from "./helpers/Rig.sol";
import { FeeToken, TestToken } from "./helpers/Tokens.sol";

interface IPermit2Nonces {
    function invalidateUnorderedNonces(uint256 word, uint256 mask) external;
    function nonceBitmap(address owner, uint256 word) external view returns (uint256);
}

/// @notice openWithPermit2 against the real Permit2: the owner approved Permit2 alone and signed the
/// order as the witness of a batch transfer.
contract Permit2Test is Rig {
    using Reference for *;

    bytes4 private constant INVALID_SIGNER = bytes4(keccak256("InvalidSigner()"));
    bytes4 private constant INVALID_NONCE = bytes4(keccak256("InvalidNonce()"));
    bytes4 private constant INVALID_1271 = bytes4(keccak256("InvalidContractSignature()"));

    Order internal order;
    Award internal award;
    bytes internal awardSig;
    bytes internal permit2Sig;

    function setUp() public override {
        super.setUp();
        _use(sampleOrder(7));
    }

    /// The inputs go into escrow, the slot and the event are open's.
    function test_opens() public {
        bytes32 awardId = award.hashAward();
        on(a);
        vm.expectEmit(address(a.settler));
        emit PortfolioSettler.Opened(order.hashOrder(), awardId, owner, order.head.nonce);
        assertEq(_open(), awardId);
        assertTrue(slotIs(a, order, award, 1));
        Input[] memory inputs = order.origins[0].inputs;
        for (uint256 i; i < inputs.length; ++i) {
            assertEq(TestToken(inputs[i].token).balanceOf(address(a.settler)), inputs[i].amount);
            assertEq(TestToken(inputs[i].token).balanceOf(owner), 0);
        }
    }

    /// An escrow opened through Permit2 is refunded like any other.
    function test_refundsToOwner() public {
        on(a);
        _open();
        vm.warp(order.head.expiry + 1);
        a.settler.refundExpired(
            order.head, order.leg(0), order.outputs.hashOutputs(), award.terms()
        );
        Input[] memory inputs = order.origins[0].inputs;
        assertEq(TestToken(inputs[0].token).balanceOf(owner), inputs[0].amount);
    }

    /// One order, one origin by Permit2, the other by the owner's signature of the order itself.
    function test_mixesWithOpenOnAnotherOrigin() public {
        on(a);
        _open();
        open(b, order, award, 1);
        assertTrue(slotIs(a, order, award, 1));
        assertTrue(slotIs(b, order, award, 1));
    }

    /// Permit2's domain binds the chain: the signature for one origin opens no other.
    function test_attack_replayOnAnotherOrigin() public {
        fundPermit2(order, 1);
        on(b);
        Leg memory leg = order.leg(1);
        vm.expectRevert(INVALID_SIGNER);
        _openWith(b.settler, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
        // The right one does.
        bytes memory second = signPermit2(order, 1);
        _openWith(b.settler, order.head, leg, order.outputs.hashOutputs(), second);
        assertTrue(slotIs(b, order, award, 1));
    }

    /// Whoever is first opens the same escrow under the same award; the second finds it taken.
    function test_attack_frontRunOpen() public {
        on(a);
        vm.prank(address(0xbad));
        _open();
        assertTrue(slotIs(a, order, award, 1));
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        _open();
    }

    /// The spender is the settler: nobody else can give the signature to Permit2, and a settler that
    /// is not the order's computes another order.
    function test_attack_signatureForAnotherSpender() public {
        PortfolioSettler twin = new PortfolioSettler(PROOF_WINDOW, permit2);
        on(a);
        Leg memory leg = order.leg(0);
        awardSig = _awardSigFor(twin, leg);
        vm.expectRevert(INVALID_SIGNER);
        _openWith(twin, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
    }

    /// Every static field of the order is part of the witness.
    function test_attack_tamperedHead(uint256 field, uint256 word) public {
        on(a);
        Head memory head = order.head;
        field = bound(field, 0, 5);
        if (field == 0) head.nonce ^= bound(word, 1, type(uint256).max);
        if (field == 1) head.openDeadline -= uint32(bound(word, 1, 50));
        if (field == 2) head.fillDeadline -= uint32(bound(word, 1, 50));
        if (field == 3) head.expiry += uint32(bound(word, 1, 1000));
        if (field == 4) head.targets ^= bytes32(bound(word, 1, type(uint256).max));
        if (field == 5) {
            // Without an auctioneer no award is asked for: only the witness stands in the way.
            head.auctioneer = address(0);
            delete award;
        }
        Order memory changed = order;
        changed.head = head;
        if (field != 5) _award(changed);
        vm.expectRevert(INVALID_SIGNER);
        _openWith(a.settler, head, changed.leg(0), order.outputs.hashOutputs(), permit2Sig);
    }

    /// So are the outputs, this chain's leg and the other origins.
    function test_attack_tamperedLegAndOutputs(uint256 field, uint256 word) public {
        on(a);
        Order memory changed = order;
        field = bound(field, 0, 6);
        word = bound(word, 1, type(uint64).max);
        if (field == 0) changed.outputs[0].amount -= bound(word, 1, 1e18);
        if (field == 1) changed.outputs[1].recipient = id(address(uint160(word)));
        if (field == 2) changed.outputs[0].token = id(address(uint160(word)));
        if (field == 3) changed.origins[0].oracle = address(uint160(word));
        if (field == 4) changed.origins[1].inputs[0].amount += word;
        if (field == 5) changed.origins[0].inputs[0].amount -= word;
        if (field == 6) changed.origins[0].inputs[1].amount += word;
        _award(changed);
        for (uint256 i; i < 2; ++i) {
            TestToken(changed.origins[0].inputs[i].token).mint(owner, type(uint128).max);
        }
        Leg memory leg = changed.leg(0);
        bytes32 outputsHash = changed.outputs.hashOutputs();
        vm.expectRevert(INVALID_SIGNER);
        _openWith(a.settler, changed.head, leg, outputsHash, permit2Sig);
    }

    /// A token the owner never named, also approved for Permit2, is out of reach.
    function test_attack_tamperedToken() public {
        on(a);
        TestToken other = new TestToken();
        other.mint(owner, 1_000e18);
        vm.prank(owner);
        other.approve(permit2, type(uint256).max);
        Order memory changed = order;
        uint256 at = address(other) > changed.origins[0].inputs[0].token ? 1 : 0;
        changed.origins[0].inputs[at].token = address(other);
        if (changed.origins[0].inputs[0].token >= changed.origins[0].inputs[1].token) return;
        _award(changed);
        vm.expectRevert(INVALID_SIGNER);
        _openWith(
            a.settler, changed.head, changed.leg(0), order.outputs.hashOutputs(), permit2Sig
        );
    }

    /// The signature of the order itself is none of the transfer, and the other way round.
    function test_attack_signatureOfTheOtherKind() public {
        on(a);
        bytes memory plain = sign(OWNER_KEY, order.hashOrder());
        Leg memory leg = order.leg(0);
        vm.expectRevert(INVALID_SIGNER);
        _openWith(a.settler, order.head, leg, order.outputs.hashOutputs(), plain);
        bytes32 outputsHash = order.outputs.hashOutputs();
        AwardTerms memory terms = award.terms();
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        a.settler.open(order.head, leg, outputsHash, terms, awardSig, permit2Sig);
    }

    /// The owner's own call is no signature: Permit2 asks for it all the same.
    function test_ownerMustSignEvenWhenCalling() public {
        on(a);
        Leg memory leg = order.leg(0);
        bytes32 outputsHash = order.outputs.hashOutputs();
        vm.prank(owner);
        vm.expectRevert(bytes4(keccak256("InvalidSignatureLength()")));
        _openWith(a.settler, order.head, leg, outputsHash, "");
    }

    /// The auctioneer's word is needed as in open.
    function test_attack_withoutAward() public {
        on(a);
        awardSig = "";
        Leg memory leg = order.leg(0);
        vm.expectRevert(PortfolioSettler.BadAwardSignature.selector);
        _openWith(a.settler, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
    }

    function test_afterOpenDeadline() public {
        on(a);
        vm.warp(order.head.openDeadline + 1);
        Leg memory leg = order.leg(0);
        vm.expectRevert(PortfolioSettler.BadTimes.selector);
        _openWith(a.settler, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
    }

    /// Either contract's nonce voids the order: ours by cancel, Permit2's by its bitmap.
    function test_cancelledAtEitherContract() public {
        on(a);
        uint256 snapshot = vm.snapshotState();
        uint256[] memory nonces = new uint256[](1);
        nonces[0] = order.head.nonce;
        vm.prank(owner);
        a.settler.cancel(nonces);
        Leg memory leg = order.leg(0);
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        _openWith(a.settler, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
        vm.revertToState(snapshot);
        vm.prank(owner);
        IPermit2Nonces(permit2).invalidateUnorderedNonces(0, 1 << order.head.nonce);
        vm.expectRevert(INVALID_NONCE);
        _openWith(a.settler, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
    }

    /// An order opened by its own signature cannot be opened a second time through Permit2, although
    /// Permit2 has not seen the nonce: the slot is one.
    function test_attack_openTwiceByBothKinds() public {
        open(a, order, award, 0);
        fundPermit2(order, 0);
        Leg memory leg = order.leg(0);
        vm.expectRevert(PortfolioSettler.NotNone.selector);
        _openWith(a.settler, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
    }

    /// Contract wallets are asked by Permit2 (ERC-1271).
    function test_contractOwner() public {
        TestWallet wallet = new TestWallet();
        Order memory own = order;
        own.head.owner = address(wallet);
        _award(own);
        Input[] memory inputs = own.origins[0].inputs;
        for (uint256 i; i < inputs.length; ++i) {
            TestToken(inputs[i].token).mint(address(wallet), inputs[i].amount);
            wallet.approve(TestToken(inputs[i].token), permit2);
        }
        on(a);
        Leg memory leg = own.leg(0);
        wallet.setMood(TestWallet.Mood.No);
        vm.expectRevert(INVALID_1271);
        _openWith(a.settler, own.head, leg, order.outputs.hashOutputs(), "1271");
        wallet.setMood(TestWallet.Mood.Yes);
        _openWith(a.settler, own.head, leg, order.outputs.hashOutputs(), "1271");
        assertTrue(slotIs(a, own, award, 1));
    }

    /// Where Permit2 is not there the function says so, and a wrong address is refused at deployment.
    function test_withoutPermit2() public {
        PortfolioSettler bare = new PortfolioSettler(PROOF_WINDOW, address(0));
        on(a);
        Leg memory leg = order.leg(0);
        vm.expectRevert(PortfolioSettler.NoPermit2.selector);
        _openWith(bare, order.head, leg, order.outputs.hashOutputs(), permit2Sig);
        vm.expectRevert(PortfolioSettler.NoPermit2.selector);
        new PortfolioSettler(PROOF_WINDOW, address(0xbad));
    }

    /// The exact-delta check is open's.
    function test_attack_feeOnTransfer() public {
        Order memory own = order;
        Input[] memory inputs = new Input[](1);
        FeeToken token = new FeeToken();
        inputs[0] = Input(address(token), 1_000);
        own.origins[0].inputs = inputs;
        _award(own);
        fundPermit2(own, 0);
        bytes memory signature = signPermit2(own, 0);
        on(a);
        Leg memory leg = own.leg(0);
        vm.expectRevert(
            abi.encodeWithSelector(PortfolioSettler.InexactInput.selector, address(token))
        );
        _openWith(a.settler, own.head, leg, order.outputs.hashOutputs(), signature);
    }

    /// Inputs must be strictly ascending, so that no token is counted twice by the delta check.
    function test_attack_sameTokenTwice() public {
        Order memory own = order;
        own.origins[0].inputs[1].token = own.origins[0].inputs[0].token;
        _award(own);
        fundPermit2(own, 0);
        bytes memory signature = signPermit2(own, 0);
        on(a);
        Leg memory leg = own.leg(0);
        vm.expectRevert(PortfolioSettler.BadInputs.selector);
        _openWith(a.settler, own.head, leg, order.outputs.hashOutputs(), signature);
    }

    function _open() private returns (bytes32) {
        return _openWith(
            a.settler, order.head, order.leg(0), order.outputs.hashOutputs(), permit2Sig
        );
    }

    function _openWith(
        PortfolioSettler settler,
        Head memory head,
        Leg memory leg,
        bytes32 outputsHash,
        bytes memory signature
    ) private returns (bytes32) {
        return settler.openWithPermit2(
            head, leg, outputsHash, AwardTerms(award.filler, award.openBy, award.amountsHash),
            awardSig, signature
        );
    }

    function _use(Order memory next) private {
        order.head = next.head;
        for (uint256 i; i < next.origins.length; ++i) {
            order.origins.push();
            order.origins[i].chainId = next.origins[i].chainId;
            order.origins[i].settler = next.origins[i].settler;
            order.origins[i].oracle = next.origins[i].oracle;
            for (uint256 j; j < next.origins[i].inputs.length; ++j) {
                order.origins[i].inputs.push(next.origins[i].inputs[j]);
            }
        }
        for (uint256 i; i < next.outputs.length; ++i) {
            order.outputs.push(next.outputs[i]);
        }
        _award(next);
        fundPermit2(next, 0);
        permit2Sig = signPermit2(next, 0);
    }

    /// @dev The auctioneer is honest about whatever order it is shown: only the owner's word differs.
    function _award(Order memory of_) private {
        award = awardOf(of_, sampleAmounts(of_));
        awardSig = sign(AUCTIONEER_KEY, award.hashAward());
    }

    function _awardSigFor(PortfolioSettler twin, Leg memory leg) private returns (bytes memory) {
        Order memory own = order;
        own.origins[0].settler = address(twin);
        own.origins[0].inputs = leg.inputs;
        _award(own);
        return awardSig;
    }
}
