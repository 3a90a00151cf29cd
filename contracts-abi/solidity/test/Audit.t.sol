// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { LayerZeroOracle } from "../src/LayerZeroOracle.sol";
import { PortfolioSettler } from "../src/PortfolioSettler.sol";
import { PacketOrigin, UlnConfig } from "../src/interfaces/ILayerZero.sol";
import { Award, AwardTerms, Input, Leg } from "../src/libraries/Structs.sol";
import { Order, Reference, SignedOrigin } from "./helpers/Reference.sol";
import { ExecutorConfig, IEndpointSetup, IUlnSetup, Rig, SetConfigParam } from "./helpers/Rig.sol";
import { TestToken } from "./helpers/Tokens.sol";

interface IEndpointDelegate {
    function skip(address oapp, uint32 srcEid, bytes32 sender, uint64 nonce) external;
}

/// @notice Attacks found by review after the contracts were built, each with the hole it closed.
contract AuditTest is Rig {
    using Reference for *;

    address internal constant THIEF = address(0x7e1f);

    /// An order that names this chain and settler twice: what was opened with the small leg must not
    /// be paid out with the large one, which is other owners' escrow.
    function test_attack_openOneLegRefundAnother() public {
        TestToken token = a.tokenA;
        token.mint(address(a.settler), 1_000e18); // other owners' escrow
        Order memory order = _twoLegs(address(token), 1, 1_000e18);
        AwardTerms memory terms = AwardTerms(THIEF, order.head.openDeadline, keccak256("any"));
        bytes32 outputsHash = order.outputs.hashOutputs();
        token.mint(THIEF, 1);
        vm.startPrank(THIEF);
        token.approve(address(a.settler), 1);
        a.settler.open(order.head, order.leg(0), outputsHash, terms, "", "");
        Leg memory large = order.leg(1);
        vm.expectRevert(PortfolioSettler.NotOpen.selector);
        a.settler.refundDeclined(order.head, large, outputsHash, terms, "");
        vm.expectRevert(PortfolioSettler.NotOpen.selector);
        a.settler.releaseAccepted(order.head, large, outputsHash, terms, THIEF, "");
        a.settler.refundDeclined(order.head, order.leg(0), outputsHash, terms, "");
        assertEq(token.balanceOf(THIEF), 1);
        assertEq(token.balanceOf(address(a.settler)), 1_000e18);
    }

    /// The index has five bits of the slot: a larger one must not run into the awardId.
    function test_attack_indexBeyondTheSlot() public {
        Order memory order = _twoLegs(address(a.tokenA), 1, 1);
        SignedOrigin memory own = order.origins[1];
        order.origins = new SignedOrigin[](33);
        for (uint256 i; i < 32; ++i) {
            order.origins[i] = SignedOrigin(i + 1, THIEF, THIEF, new Input[](0));
        }
        order.origins[32] = own;
        AwardTerms memory terms = AwardTerms(THIEF, order.head.openDeadline, keccak256("any"));
        bytes32 outputsHash = order.outputs.hashOutputs();
        Leg memory leg = order.leg(32);
        vm.prank(THIEF);
        vm.expectRevert(PortfolioSettler.TooManyOrigins.selector);
        a.settler.open(order.head, leg, outputsHash, terms, "", "");
        (order.origins[31], order.origins[32]) = (order.origins[32], order.origins[31]);
        a.tokenA.mint(THIEF, 1);
        vm.startPrank(THIEF);
        a.tokenA.approve(address(a.settler), 1);
        a.settler.open(order.head, order.leg(31), outputsHash, terms, "", "");
        assertEq(uint8(uint256(a.settler.slot(THIEF, 1))), (31 << 3) | 1);
        a.settler.refundDeclined(order.head, order.leg(31), outputsHash, terms, "");
        assertEq(a.tokenA.balanceOf(THIEF), 1);
    }

    /// A deployer that skips a nonce before freeze() opens the path to a packet its own DVN verified,
    /// and would execute it afterwards, when the frozen configuration looks strong.
    function test_attack_packetVerifiedBeforeFreeze() public {
        on(a);
        LayerZeroOracle fresh =
            LayerZeroOracle(_ours("LayerZeroOracle", abi.encode(a.endpoint, address(this))));
        IEndpointSetup endpoint = IEndpointSetup(a.endpoint);
        bytes32 peer = id(address(b.oracle));
        endpoint.setSendLibrary(address(fresh), b.eid, a.sendLib);
        endpoint.setReceiveLibrary(address(fresh), b.eid, a.receiveLib, 0);
        _configure(fresh, a.receiveLib, _mine());
        fresh.setPath(b.eid, peer, LayerZeroOracle.Path(uint64(b.chainId), 60_000, 30_000));
        // The delegate's own DVN verifies nonce 2, after nonce 1 was skipped.
        IEndpointDelegate(a.endpoint).skip(address(fresh), b.eid, peer, 1);
        bytes memory message = abi.encodePacked(id(address(b.outputs)), keccak256("forged"));
        bytes32 guid = keccak256("guid");
        bytes memory header = abi.encodePacked(
            uint8(1), uint64(2), b.eid, peer, a.eid, id(address(fresh))
        );
        bytes32 payloadHash = keccak256(abi.encodePacked(guid, message));
        vm.prank(address(0xbad));
        IUlnSetup(a.receiveLib).verify(header, payloadHash, CONFIRMATIONS);
        IUlnSetup(a.receiveLib).commitVerification(header, payloadHash);
        // Strong again, as everyone will read it for ever.
        _configure(fresh, a.receiveLib, strongUln());
        _configure(fresh, a.sendLib, strongUln());
        SetConfigParam[] memory params = new SetConfigParam[](1);
        params[0] = SetConfigParam(b.eid, 1, abi.encode(ExecutorConfig(10_000, executor)));
        endpoint.setConfig(address(fresh), a.sendLib, params);
        vm.expectRevert(
            abi.encodeWithSelector(LayerZeroOracle.WeakConfiguration.selector, b.eid)
        );
        fresh.freeze();
        (bool delivered,) = a.endpoint.call(
            abi.encodeCall(
                endpoint.lzReceive,
                (PacketOrigin(b.eid, peer, 2), address(fresh), guid, message, "")
            )
        );
        assertFalse(delivered);
        assertFalse(fresh.isProven(b.chainId, peer, id(address(b.outputs)), keccak256("forged")));
    }

    /// A message size left to LayerZero's default is one LayerZero can lower until no proof fits.
    function test_attack_messageSizeLeftToTheDefault() public {
        LayerZeroOracle fresh = _strongOracle();
        uint32 least = uint32(32 + 32 * fresh.MAX_RECORDS());
        uint32[2] memory small = [uint32(0), least - 1];
        for (uint256 i; i < small.length; ++i) {
            _setMessageSize(fresh, small[i]);
            vm.expectRevert(
                abi.encodeWithSelector(LayerZeroOracle.WeakConfiguration.selector, b.eid)
            );
            fresh.freeze();
        }
        _setMessageSize(fresh, least);
        fresh.freeze();
    }

    /// Two paths of one chain id: with equal addresses on every chain, what the second chain records
    /// would prove fills on the first.
    function test_attack_twoPathsOfOneChain() public {
        LayerZeroOracle fresh = _strongOracle();
        _setMessageSize(fresh, 10_000);
        fresh.setPath(
            99, id(address(b.oracle)), LayerZeroOracle.Path(uint64(b.chainId), 60_000, 30_000)
        );
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.BadPath.selector, 99));
        fresh.freeze();
    }

    /// Malformed calldata of open: whatever word is changed, it fails or opens exactly what was signed.
    function testFuzz_attack_malformedOpen(uint16 at, bytes32 flip) public {
        Order memory order = sampleOrder(7);
        Award memory award = awardOf(order, sampleAmounts(order));
        fund(a, order, 0);
        _othersEscrow();
        on(a);
        bytes memory data = abi.encodeCall(
            a.settler.open,
            (
                order.head,
                order.leg(0),
                order.outputs.hashOutputs(),
                award.terms(),
                sign(AUCTIONEER_KEY, award.hashAward()),
                sign(OWNER_KEY, order.hashOrder())
            )
        );
        _flip(data, at, flip);
        (bool success,) = address(a.settler).call(data);
        if (success) assertTrue(slotIs(a, order, award, 1));
        _assertHeld(order, success ? 1 : 0);
    }

    /// The same for release: it fails or pays the award's filler exactly the escrow.
    function testFuzz_attack_malformedRelease(uint16 at, bytes32 flip) public {
        Order memory order = sampleOrder(7);
        uint256[] memory amounts = sampleAmounts(order);
        Award memory award = awardOf(order, amounts);
        open(a, order, award, 0);
        _othersEscrow();
        fill(a, order, award, amounts, 0);
        prove(b, a, fill(b, order, award, amounts, 1));
        on(a);
        bytes memory data = abi.encodeCall(
            a.settler.release,
            (
                order.head,
                order.leg(0),
                order.outputs,
                award.terms(),
                amounts,
                fillsAt(2, time),
                address(0)
            )
        );
        _flip(data, at, flip);
        (bool success,) = address(a.settler).call(data);
        assertTrue(slotIs(a, order, award, success ? 2 : 1));
        _assertHeld(order, success ? 0 : 1);
        if (!success) return;
        for (uint256 i; i < order.origins[0].inputs.length; ++i) {
            Input memory input = order.origins[0].inputs[i];
            assertEq(TestToken(input.token).balanceOf(filler), input.amount);
        }
    }

    /// Even a caller who is owner and auctioneer, and needs no signature, cannot open an order whose
    /// words carry dirty bits: its hash would be no EIP-712 hash.
    function test_attack_dirtyUpperBits() public {
        Order memory order = sampleOrder(7);
        order.head.auctioneer = owner;
        Award memory award = awardOf(order, sampleAmounts(order));
        fund(a, order, 0);
        bytes memory data = abi.encodeCall(
            a.settler.open,
            (
                order.head,
                order.leg(0),
                order.outputs.hashOutputs(),
                award.terms(),
                "",
                ""
            )
        );
        // owner, the three times, auctioneer, filler, openBy; then oracle and the first input's token.
        uint256 leg = 4 + uint256(word(data, 4 + 7 * 32));
        uint256 inputs = leg + uint256(word(data, leg + 32));
        uint256[9] memory at = [
            uint256(4),
            4 + 2 * 32,
            4 + 3 * 32,
            4 + 4 * 32,
            4 + 5 * 32,
            4 + 9 * 32,
            4 + 10 * 32,
            leg,
            inputs + 32
        ];
        vm.startPrank(owner);
        for (uint256 i; i < at.length; ++i) {
            bytes memory dirty = bytes.concat(data);
            dirty[at[i]] ^= 0x01;
            (bool opened, bytes memory why) = address(a.settler).call(dirty);
            assertFalse(opened);
            assertEq(why.length, 0, "refused as calldata, not as an order");
        }
        (bool success,) = address(a.settler).call(data);
        assertTrue(success);
    }

    /// A signature for an account that is not deployed yet (ERC-6492) would have the settler call
    /// whatever it names, here a token.
    function test_attack_erc6492FactoryIsAToken() public {
        Order memory order = sampleOrder(7);
        order.head.owner = address(0x6492);
        Award memory award = awardOf(order, sampleAmounts(order));
        _othersEscrow();
        bytes memory wrapped = abi.encodePacked(
            abi.encode(
                address(a.tokenA), abi.encodeCall(TestToken.transfer, (THIEF, 1)), bytes("sig")
            ),
            bytes32(0x6492649264926492649264926492649264926492649264926492649264926492)
        );
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        bytes32 outputsHash = order.outputs.hashOutputs();
        Leg memory leg = order.leg(0);
        vm.expectRevert(PortfolioSettler.BadOwnerSignature.selector);
        a.settler.open(order.head, leg, outputsHash, award.terms(), awardSig, wrapped);
        assertEq(a.tokenA.balanceOf(THIEF), 0);
    }

    function _othersEscrow() private {
        a.tokenA.mint(address(a.settler), 1e30);
        a.tokenB.mint(address(a.settler), 1e30);
    }

    /// @dev The settler holds the others' escrow and `times` this order's.
    function _assertHeld(Order memory order, uint256 times) private view {
        for (uint256 i; i < order.origins[0].inputs.length; ++i) {
            Input memory input = order.origins[0].inputs[i];
            uint256 held = TestToken(input.token).balanceOf(address(a.settler));
            assertEq(held, 1e30 + times * input.amount);
        }
    }

    /// @dev Changes one word of the arguments or cuts them off there; sometimes only low bits, as a
    /// wrong offset or length would have.
    function _flip(bytes memory data, uint16 at, bytes32 flip) private pure {
        uint256 words = (data.length - 4) / 32;
        uint256 where = 0x24 + uint256(at) % words * 32;
        if (uint256(at) % 7 == 0) flip = bytes32(uint256(flip) % 0x400);
        if (uint256(at) % 11 == 0) {
            assembly {
                mstore(data, sub(where, 0x20))
            }
            return;
        }
        assembly {
            mstore(add(data, where), xor(mload(add(data, where)), flip))
        }
    }

    /// @dev On chain a, configured towards b but for the executor and its message size.
    function _strongOracle() private returns (LayerZeroOracle fresh) {
        on(a);
        fresh = LayerZeroOracle(_ours("LayerZeroOracle", abi.encode(a.endpoint, address(this))));
        IEndpointSetup endpoint = IEndpointSetup(a.endpoint);
        endpoint.setSendLibrary(address(fresh), b.eid, a.sendLib);
        endpoint.setReceiveLibrary(address(fresh), b.eid, a.receiveLib, 0);
        _configure(fresh, a.receiveLib, strongUln());
        _configure(fresh, a.sendLib, strongUln());
        fresh.setPath(
            b.eid, id(address(b.oracle)), LayerZeroOracle.Path(uint64(b.chainId), 60_000, 30_000)
        );
    }

    function _setMessageSize(LayerZeroOracle oracle, uint32 size) private {
        SetConfigParam[] memory params = new SetConfigParam[](1);
        params[0] = SetConfigParam(b.eid, 1, abi.encode(ExecutorConfig(size, executor)));
        IEndpointSetup(a.endpoint).setConfig(address(oracle), a.sendLib, params);
    }

    function _configure(LayerZeroOracle oracle, address lib, UlnConfig memory config) private {
        SetConfigParam[] memory params = new SetConfigParam[](1);
        params[0] = SetConfigParam(b.eid, 2, abi.encode(config));
        IEndpointSetup(a.endpoint).setConfig(address(oracle), lib, params);
    }

    function _mine() private pure returns (UlnConfig memory) {
        address[] memory dvns = new address[](1);
        dvns[0] = address(0xbad);
        return UlnConfig(1, 1, 255, 0, dvns, new address[](0));
    }

    /// @dev The thief is owner, auctioneer and filler, so that it needs no signature.
    function _twoLegs(address token, uint256 small, uint256 large)
        private
        view
        returns (Order memory order)
    {
        order = sampleOrder(1);
        order.head.owner = THIEF;
        order.head.auctioneer = THIEF;
        order.origins[0].inputs = new Input[](1);
        order.origins[0].inputs[0] = Input(token, small);
        order.origins[1] = SignedOrigin(
            a.chainId, address(a.settler), address(a.oracle), new Input[](1)
        );
        order.origins[1].inputs[0] = Input(token, large);
    }
}
