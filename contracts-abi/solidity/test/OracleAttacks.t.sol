// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { LayerZeroOracle } from "../src/LayerZeroOracle.sol";
import { PacketOrigin, UlnConfig } from "../src/interfaces/ILayerZero.sol";
import { Award, MandateOutput } from "../src/libraries/Structs.sol";
import { Order, Reference } from "./helpers/Reference.sol";
import { IEndpointSetup, IUlnSetup, Kit, Rig } from "./helpers/Rig.sol";

/// @notice The message path, over two real EndpointV2 and ULN302 pairs: every attack by name.
contract OracleAttacksTest is Rig {
    using Reference for *;

    Order internal order;
    uint256[] internal amounts;
    Award internal award;
    bytes internal payload;

    function setUp() public override {
        super.setUp();
        Order memory sample = sampleOrder(7);
        amounts = sampleAmounts(sample);
        award = awardOf(sample, amounts);
        payload = fill(b, sample, award, amounts, 1);
    }

    /// The former delegate installs its own DVNs: after freeze nobody can configure the path.
    function test_attack_delegateInstallsItsOwnDvns() public {
        address[] memory mine = new address[](1);
        mine[0] = address(0xbad);
        UlnConfig memory weak = UlnConfig(1, 1, 255, 0, mine, new address[](0));
        vm.expectRevert();
        this.setUlnOfA(weak);
        vm.expectRevert();
        IEndpointSetup(a.endpoint).setReceiveLibrary(
            address(a.oracle), b.eid, a.receiveLib, 100_000
        );
        vm.expectRevert(LayerZeroOracle.AlreadyFrozen.selector);
        a.oracle.setPath(b.eid, id(address(0xbad)), LayerZeroOracle.Path(1, 1, 1));
        vm.expectRevert(LayerZeroOracle.AlreadyFrozen.selector);
        a.oracle.freeze();
        assertEq(a.oracle.owner(), address(0));
    }

    /// One required DVN of two is no proof (KelpDAO 2026), and neither is one DVN twice.
    function test_attack_oneDvnIsNotEnough() public {
        Packet memory packet = submit(b, a, one(payload));
        on(a);
        vm.startPrank(dvn1);
        IUlnSetup(a.receiveLib).verify(packet.header, packet.payloadHash, CONFIRMATIONS);
        IUlnSetup(a.receiveLib).verify(packet.header, packet.payloadHash, CONFIRMATIONS);
        vm.stopPrank();
        vm.expectRevert();
        IUlnSetup(a.receiveLib).commitVerification(packet.header, packet.payloadHash);
        vm.prank(dvn2);
        IUlnSetup(a.receiveLib).verify(packet.header, packet.payloadHash, CONFIRMATIONS - 1);
        vm.expectRevert();
        IUlnSetup(a.receiveLib).commitVerification(packet.header, packet.payloadHash);
        deliver(a, packet);
        assertTrue(_isProven());
    }

    /// freeze() refuses every configuration that leaves something to LayerZero's defaults.
    function test_attack_deploymentWithAWeakDvnSetIsRefused() public {
        LayerZeroOracle fresh = _freshOracle();
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.UnknownPath.selector, 0));
        fresh.freeze();
        fresh.setPath(b.eid, id(address(b.oracle)), LayerZeroOracle.Path(uint64(b.chainId), 1, 1));
        _expectWeak(fresh);
        IEndpointSetup(a.endpoint).setSendLibrary(address(fresh), b.eid, a.sendLib);
        IEndpointSetup(a.endpoint).setReceiveLibrary(address(fresh), b.eid, a.receiveLib, 0);
        _expectWeak(fresh);
        Kit storage kit = a;
        kit.oracle = fresh;
        setExecutor(kit, b.eid);
        setUln(kit, kit.sendLib, b.eid, strongUln());
        _expectWeak(fresh);
        UlnConfig memory weak = strongUln();
        weak.optionalDVNCount = 0;
        _expectWeakReceive(weak);
        weak = strongUln();
        weak.confirmations = 0;
        _expectWeakReceive(weak);
        weak.confirmations = type(uint64).max;
        _expectWeakReceive(weak);
        address[] memory single = new address[](1);
        single[0] = dvn1;
        weak = UlnConfig(CONFIRMATIONS, 1, 255, 0, single, new address[](0));
        _expectWeakReceive(weak);
        setUln(kit, kit.receiveLib, b.eid, strongUln());
        vm.prank(address(0xbad));
        vm.expectRevert(LayerZeroOracle.NotOwner.selector);
        fresh.freeze();
        fresh.freeze();
        assertEq(fresh.chainOf(b.eid), b.chainId);
    }

    /// Before freeze nothing is sent or received: the switch is chainOf.
    function test_attack_useBeforeFreeze() public {
        LayerZeroOracle fresh = _freshOracle();
        fresh.setPath(b.eid, id(address(b.oracle)), LayerZeroOracle.Path(uint64(b.chainId), 1, 1));
        PacketOrigin memory origin = PacketOrigin(b.eid, id(address(b.oracle)), 1);
        assertFalse(fresh.allowInitializePath(origin));
        bytes memory message = abi.encode(address(b.outputs), keccak256("p"));
        vm.prank(a.endpoint);
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.UnknownPath.selector, b.eid));
        fresh.lzReceive(origin, 0, message, address(0), "");
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.UnknownPath.selector, b.eid));
        fresh.quote(b.eid, 1);
    }

    /// The gateway check (CrossCurve 2026), the peer check, the eid check, the value check.
    function test_attack_wrongCallerPeerEidAndValue() public {
        bytes memory message = abi.encode(address(b.outputs), keccak256("p"));
        PacketOrigin memory right = PacketOrigin(b.eid, id(address(b.oracle)), 1);
        vm.expectRevert(LayerZeroOracle.NotEndpoint.selector);
        a.oracle.lzReceive(right, 0, message, address(0), "");
        vm.startPrank(a.endpoint);
        PacketOrigin memory wrong = PacketOrigin(b.eid, id(address(0xbad)), 1);
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.UnknownPath.selector, b.eid));
        a.oracle.lzReceive(wrong, 0, message, address(0), "");
        wrong = PacketOrigin(b.eid + 1, id(address(b.oracle)), 1);
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.UnknownPath.selector, b.eid + 1));
        a.oracle.lzReceive(wrong, 0, message, address(0), "");
        wrong = PacketOrigin(b.eid + 1, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.UnknownPath.selector, b.eid + 1));
        a.oracle.lzReceive(wrong, 0, message, address(0), "");
        vm.deal(a.endpoint, 1);
        vm.expectRevert(LayerZeroOracle.ValueRefused.selector);
        a.oracle.lzReceive{ value: 1 }(right, 0, message, address(0), "");
        bytes[4] memory malformed =
            [bytes(""), abi.encode(address(1)), abi.encodePacked(message, uint8(1)), new bytes(33)];
        for (uint256 i; i < 4; ++i) {
            vm.expectRevert(LayerZeroOracle.BadMessage.selector);
            a.oracle.lzReceive(right, 0, malformed[i], address(0), "");
        }
        bytes memory tooLong = new bytes(32 * 66);
        vm.expectRevert(LayerZeroOracle.BadMessage.selector);
        a.oracle.lzReceive(right, 0, tooLong, address(0), "");
    }

    /// Zero is proven nowhere (Nomad 2022).
    function test_attack_zeroIsNotProven() public view {
        assertFalse(a.oracle.isProven(0, 0, 0, 0));
        assertFalse(a.oracle.isProven(b.chainId, id(address(b.oracle)), id(address(b.outputs)), 0));
    }

    /// Too little gas reverts whole; anyone delivers the same packet again.
    function test_attack_lowGasDeliveryThenRetry() public {
        Packet memory packet = submit(b, a, one(payload));
        verify(a, packet);
        for (uint256 gasLimit = 30_000; gasLimit < 90_000; gasLimit += 15_000) {
            (bool delivered,) = a.endpoint.call{ gas: gasLimit }(_lzReceiveCall(packet));
            assertEq(delivered, _isProven());
            if (delivered) return;
        }
        vm.prank(address(0xabc));
        execute(a, packet);
        assertTrue(_isProven());
        vm.expectRevert();
        this.executeOnA(packet);
    }

    /// Packet 1 withheld, 2 and 3 verified: they wait, and are delivered in any order afterwards.
    function test_attack_firstNonceWithheld() public {
        Packet memory first = submit(b, a, one(payload));
        Packet memory second = submit(b, a, one(payload));
        Packet memory third = submit(b, a, one(payload));
        verify(a, second);
        verify(a, third);
        vm.expectRevert();
        this.executeOnA(second);
        assertFalse(_isProven());
        verify(a, first);
        execute(a, third);
        assertTrue(_isProven());
        execute(a, first);
        execute(a, second);
    }

    function test_attack_submitWhatIsNotRecorded() public {
        on(b);
        bytes[] memory forged = one(payload);
        forged[0][100] ^= 0x01;
        vm.expectRevert(LayerZeroOracle.NotAttested.selector);
        b.oracle.submit(a.eid, address(b.outputs), forged);
        bytes[] memory none = new bytes[](0);
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.BadRecordCount.selector, 0));
        b.oracle.submit(a.eid, address(b.outputs), none);
        bytes[] memory many = new bytes[](65);
        for (uint256 i; i < 65; ++i) {
            many[i] = payload;
        }
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.BadRecordCount.selector, 65));
        b.oracle.submit(a.eid, address(b.outputs), many);
    }

    /// Another application that says yes to everything proves only things about itself.
    function test_attack_lyingApplication() public {
        on(b);
        address liar = address(0x11a2);
        vm.etch(liar, hex"60015f5260205ff3"); // returns 1 to every call
        uint256 fee = b.oracle.quote(a.eid, 1);
        vm.recordLogs();
        b.oracle.submit{ value: fee }(a.eid, liar, one(payload));
        deliver(a, lastPacket(vm.getRecordedLogs()));
        assertFalse(_isProven());
        assertTrue(
            a.oracle.isProven(b.chainId, id(address(b.oracle)), id(liar), keccak256(payload))
        );
    }

    /// A packet at the limit goes through with the gas its options buy.
    function test_attack_payloadAtTheLimit() public {
        uint256 count = b.oracle.MAX_RECORDS();
        bytes[] memory payloads = new bytes[](count);
        on(b);
        b.tokenA.mint(filler, 1e18);
        vm.startPrank(filler);
        b.tokenA.approve(address(b.outputs), 1e18);
        for (uint256 i; i < count; ++i) {
            MandateOutput memory out = output(b, address(b.tokenA), i + 1, owner);
            bytes32 fillId = keccak256(abi.encode(i));
            b.outputs.fill(fillId, out, type(uint48).max, abi.encode(filler));
            payloads[i] = fillId.fillDescription(out, id(filler), uint32(block.timestamp));
        }
        vm.stopPrank();
        Packet memory packet = submit(b, a, payloads);
        verify(a, packet);
        uint256 gasLimit = 60_000 + 30_000 * count;
        (bool success,) = a.endpoint.call{ gas: gasLimit }(_lzReceiveCall(packet));
        assertTrue(success);
        assertTrue(
            a.oracle.isProven(
                b.chainId,
                id(address(b.oracle)),
                id(address(b.outputs)),
                keccak256(payloads[count - 1])
            )
        );
    }

    /// The fee is quote's; change returns to the caller; nothing stays in the oracle.
    function test_changeGoesToTheCaller() public {
        on(b);
        uint256 fee = b.oracle.quote(a.eid, 1);
        assertEq(fee, 3 gwei);
        uint256 before = filler.balance;
        vm.startPrank(filler);
        b.oracle.submit{ value: fee + 1 ether }(a.eid, address(b.outputs), one(payload));
        assertEq(before - filler.balance, fee);
        uint32[] memory eids = new uint32[](2);
        (eids[0], eids[1]) = (a.eid, a.eid);
        assertEq(b.oracle.quoteMany(eids, 1), 2 * fee);
        b.oracle.submitMany{ value: 1 ether }(eids, address(b.outputs), one(payload));
        assertEq(before - filler.balance, 3 * fee);
        vm.expectRevert(
            abi.encodeWithSelector(LayerZeroOracle.FeeTooLow.selector, fee + 1, 2 * fee)
        );
        b.oracle.submitMany{ value: fee + 1 }(eids, address(b.outputs), one(payload));
        vm.expectRevert();
        b.oracle.submit{ value: fee - 1 }(a.eid, address(b.outputs), one(payload));
        assertEq(address(b.oracle).balance, 0);
    }

    function test_efficientRequireProven() public {
        prove(b, a, payload);
        bytes memory series = abi.encode(
            b.chainId, address(b.oracle), address(b.outputs), keccak256(payload)
        );
        a.oracle.efficientRequireProven("");
        a.oracle.efficientRequireProven(abi.encodePacked(series, series));
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.NotDivisible.selector, 127, 128));
        a.oracle.efficientRequireProven(slice(series, 0, 127));
        bytes memory other =
            abi.encode(b.chainId, address(b.oracle), address(b.outputs), keccak256("other"));
        vm.expectRevert();
        a.oracle.efficientRequireProven(abi.encodePacked(series, other));
    }

    function test_optionsAreFixedByThePath() public view {
        assertEq(
            b.oracle.optionsFor(a.eid, 3),
            abi.encodePacked(hex"0003010011", uint8(1), uint128(150_000))
        );
    }

    function executeOnA(Packet calldata packet) external {
        execute(a, packet);
    }

    function setUlnOfA(UlnConfig calldata config) external {
        setUln(a, a.receiveLib, b.eid, config);
    }

    function _isProven() private view returns (bool) {
        return a.oracle.isProven(
            b.chainId, id(address(b.oracle)), id(address(b.outputs)), keccak256(payload)
        );
    }

    function _lzReceiveCall(Packet memory packet) private view returns (bytes memory) {
        return abi.encodeCall(
            IEndpointSetup.lzReceive,
            (packet.origin, address(a.oracle), packet.guid, packet.message, "")
        );
    }

    function _freshOracle() private returns (LayerZeroOracle) {
        on(a);
        return LayerZeroOracle(_ours("LayerZeroOracle", abi.encode(a.endpoint, address(this))));
    }

    function _expectWeak(LayerZeroOracle oracle) private {
        vm.expectRevert(abi.encodeWithSelector(LayerZeroOracle.WeakConfiguration.selector, b.eid));
        oracle.freeze();
    }

    function _expectWeakReceive(UlnConfig memory config) private {
        setUln(a, a.receiveLib, b.eid, config);
        _expectWeak(a.oracle);
    }
}
