// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { LayerZeroOracle } from "../src/LayerZeroOracle.sol";
import { PortfolioSettler } from "../src/PortfolioSettler.sol";
import { PacketOrigin, UlnConfig } from "../src/interfaces/ILayerZero.sol";
import { AwardTerms, Input, Leg } from "../src/libraries/Structs.sol";
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
        on(a);
        LayerZeroOracle fresh =
            LayerZeroOracle(_ours("LayerZeroOracle", abi.encode(a.endpoint, address(this))));
        IEndpointSetup endpoint = IEndpointSetup(a.endpoint);
        endpoint.setSendLibrary(address(fresh), b.eid, a.sendLib);
        endpoint.setReceiveLibrary(address(fresh), b.eid, a.receiveLib, 0);
        _configure(fresh, a.receiveLib, strongUln());
        _configure(fresh, a.sendLib, strongUln());
        fresh.setPath(
            b.eid, id(address(b.oracle)), LayerZeroOracle.Path(uint64(b.chainId), 60_000, 30_000)
        );
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
