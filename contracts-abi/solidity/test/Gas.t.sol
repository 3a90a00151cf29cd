// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { ILayerZeroEndpoint, PacketOrigin } from "../src/interfaces/ILayerZero.sol";
import { Award, Fill, FillItem, Input, LocalCall, MandateOutput } from "../src/libraries/Structs.sol";
import { Order, Reference, SignedOrigin } from "./helpers/Reference.sol";
import { IEndpointSetup, Rig } from "./helpers/Rig.sol";
import { TestToken } from "./helpers/Tokens.sol";

/// @notice A cheatcode newer than the forge-std at hand.
interface GasCheats {
    function snapshotGasLastCall(string calldata group, string calldata name)
        external
        returns (uint256);
}

/// @notice Calls with a fixed gas, as LayerZero's executor does.
contract Forwarder {
    function forward(address target, bytes calldata data, uint256 gasLimit)
        external
        returns (bool success)
    {
        (success,) = target.call{ gas: gasLimit }(data);
    }
}

/// @notice Gas of every act, one line each in snapshots/Gas.json, as a transaction of its own: with
/// the 21,000, calldata and refunds, all storage cold, receivers' balances zero before.
/// forge-config: default.isolate = true
contract GasTest is Rig {
    using Reference for *;

    GasCheats private constant CHEATS =
        GasCheats(address(uint160(uint256(keccak256("hevm cheat code")))));

    function test_open_owner() public {
        _open("open, owner calls", _single(1), true, false);
    }

    function test_open_ownerSignature() public {
        _open("open, owner's signature", _single(1), false, false);
    }

    function test_open_award() public {
        _open("open, both signatures", _single(1), false, true);
    }

    function test_open_awardThreeOrigins() public {
        _open("open, both signatures, three origins", _single(3), false, true);
    }

    function test_open_permit2() public {
        (Order memory order,, Award memory award) = _awarded(1);
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        bytes memory permit2Sig = signPermit2(order, 0);
        fundPermit2(order, 0);
        on(a);
        vm.prank(filler);
        a.settler.openWithPermit2(
            order.head,
            order.leg(0),
            order.outputs.hashOutputs(),
            award.terms(),
            awardSig,
            permit2Sig
        );
        CHEATS.snapshotGasLastCall("Gas", "open, Permit2 and award");
    }

    function test_open_permit2Alone() public {
        Order memory order = _single(1);
        order.head.auctioneer = address(0);
        Award memory none;
        bytes memory permit2Sig = signPermit2(order, 0);
        fundPermit2(order, 0);
        on(a);
        vm.prank(filler);
        a.settler.openWithPermit2(
            order.head, order.leg(0), order.outputs.hashOutputs(), none.terms(), "", permit2Sig
        );
        CHEATS.snapshotGasLastCall("Gas", "open, Permit2");
    }

    function test_fill() public {
        (Order memory order,, Award memory award) = _awarded(1);
        MandateOutput memory out = order.outputs[0];
        _fundFiller(out.amount);
        vm.prank(filler);
        b.outputs.fill(award.hashAward(), out, award.fillDeadline, abi.encode(filler));
        CHEATS.snapshotGasLastCall("Gas", "fill, one output");
    }

    function test_fillTwo() public {
        (Order memory order,, Award memory award) = _awarded(1);
        MandateOutput[] memory outs = new MandateOutput[](2);
        outs[0] = order.outputs[0];
        outs[1] = output(b, address(b.tokenB), 5e18, owner);
        _fundFiller(outs[0].amount + outs[1].amount);
        vm.prank(filler);
        b.outputs.fillOrderOutputs(award.hashAward(), outs, award.fillDeadline, abi.encode(filler));
        CHEATS.snapshotGasLastCall("Gas", "fill, two outputs");
    }

    function test_fillBatch() public {
        (Order memory order,, Award memory award) = _awarded(1);
        FillItem[] memory items = new FillItem[](2);
        items[0] = FillItem(award.hashAward(), order.outputs[0], award.fillDeadline);
        items[1] = FillItem(keccak256("other"), order.outputs[0], award.fillDeadline);
        _fundFiller(2 * order.outputs[0].amount);
        vm.prank(filler);
        b.outputs.fillBatch(items, abi.encode(filler));
        CHEATS.snapshotGasLastCall("Gas", "fillBatch, two orders");
    }

    function test_outputCancel() public {
        (Order memory order,, Award memory award) = _awarded(1);
        vm.warp(award.fillDeadline + 1);
        on(b);
        b.outputs.cancel(award, order.outputs);
        CHEATS.snapshotGasLastCall("Gas", "cancel an output");
    }

    function test_submit() public {
        (Order memory order, uint256[] memory amounts, Award memory award) = _awarded(1);
        bytes[] memory payloads = one(fill(b, order, award, amounts, 0));
        prove(b, a, payloads[0]);
        uint256 fee = b.oracle.quote(a.eid, 1);
        on(b);
        vm.prank(filler);
        b.oracle.submit{ value: fee }(a.eid, address(b.outputs), payloads);
        CHEATS.snapshotGasLastCall("Gas", "submit one record, real EndpointV2 and two DVNs");
    }

    function test_submitOracleAlone() public {
        (Order memory order, uint256[] memory amounts, Award memory award) = _awarded(1);
        bytes[] memory payloads = one(fill(b, order, award, amounts, 0));
        on(b);
        vm.mockCall(
            b.endpoint,
            abi.encodeWithSelector(ILayerZeroEndpoint.send.selector),
            abi.encode(keccak256("guid"), 1, 0, 0)
        );
        vm.prank(filler);
        b.oracle.submit(a.eid, address(b.outputs), payloads);
        CHEATS.snapshotGasLastCall("Gas", "submit one record, endpoint mocked");
    }

    function test_receive1() public {
        _receive(1, "receive one record");
    }

    function test_receive10() public {
        _receive(10, "receive ten records");
    }

    function test_receive64() public {
        _receive(64, "receive 64 records");
    }

    function test_deliverThroughEndpoint() public {
        (Order memory order, uint256[] memory amounts, Award memory award) = _awarded(1);
        Packet memory packet = submit(b, a, one(fill(b, order, award, amounts, 0)));
        verify(a, packet);
        execute(a, packet);
        CHEATS.snapshotGasLastCall("Gas", "deliver one record through the real EndpointV2");
    }

    /// oracleSetup.ts's gasTable buys what the executor forwards to EndpointV2.lzReceive, for the
    /// first packet of a path (the dearest) and for a full one.
    function test_gasTableBuysDelivery() public {
        uint256[3] memory counts = [uint256(1), 10, 64];
        for (uint256 c; c < 3; ++c) {
            bytes[] memory payloads = new bytes[](counts[c]);
            for (uint256 i; i < counts[c]; ++i) {
                bytes32 fillId = keccak256(abi.encode(c, i));
                MandateOutput memory out = output(b, address(b.tokenB), 1, owner);
                _fundFiller(1);
                vm.prank(filler);
                b.outputs.fill(fillId, out, type(uint48).max, abi.encode(filler));
                payloads[i] = fillId.fillDescription(out, id(filler), uint32(block.timestamp));
            }
            Packet memory packet = submit(b, a, payloads);
            verify(a, packet);
            on(a);
            bytes memory data = abi.encodeCall(
                IEndpointSetup.lzReceive,
                (packet.origin, address(a.oracle), packet.guid, packet.message, "")
            );
            Forwarder forwarder = new Forwarder();
            assertTrue(forwarder.forward(a.endpoint, data, 60_000 + 30_000 * counts[c]));
        }
    }

    function test_release() public {
        (Order memory order, uint256[] memory amounts, Award memory award) = _awarded(1);
        open(a, order, award, 0);
        prove(b, a, fill(b, order, award, amounts, 0));
        on(a);
        Fill[] memory fills = fillsAt(1, block.timestamp);
        a.settler.release(
            order.head, order.leg(0), order.outputs, award.terms(), amounts, fills, filler
        );
        CHEATS.snapshotGasLastCall("Gas", "release, one input, one output");
    }

    function test_refundExpired() public {
        (Order memory order,, Award memory award) = _awarded(1);
        open(a, order, award, 0);
        vm.warp(order.head.expiry + 1);
        a.settler.refundExpired(
            order.head, order.leg(0), order.outputs.hashOutputs(), award.terms()
        );
        CHEATS.snapshotGasLastCall("Gas", "refund, expired");
    }

    function test_refundTombstone() public {
        (Order memory order, uint256[] memory amounts, Award memory award) = _awarded(1);
        open(a, order, award, 0);
        vm.warp(order.head.fillDeadline + 1);
        on(b);
        b.outputs.cancel(award, order.outputs);
        prove(b, a, award.hashAward().tombstone(order.outputs[0]));
        on(a);
        a.settler.refundTombstone(
            order.head, order.leg(0), order.outputs, award.terms(), amounts, 0
        );
        CHEATS.snapshotGasLastCall("Gas", "refund, tombstone");
    }

    function test_settleLocal() public {
        (Order memory order,,) = _awarded(1);
        order.outputs[0] = output(a, address(a.tokenB), 900e18, owner);
        uint256[] memory amounts = new uint256[](1);
        amounts[0] = 900e18;
        Award memory award = awardOf(order, amounts);
        fund(a, order, 0);
        on(a);
        a.tokenB.mint(filler, 900e18);
        vm.prank(filler);
        a.tokenB.approve(address(a.settler), 900e18);
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        bytes memory ownerSig = sign(OWNER_KEY, order.hashOrder());
        vm.prank(filler);
        a.settler.settleLocal(
            order.head,
            order.leg(0),
            order.outputs,
            award.terms(),
            LocalCall(amounts, awardSig, ownerSig, filler, "")
        );
        CHEATS.snapshotGasLastCall("Gas", "settleLocal, one input, one output");
    }

    function _receive(uint256 records, string memory name) private {
        bytes memory message = abi.encode(address(b.outputs));
        for (uint256 i; i < records; ++i) {
            message = abi.encodePacked(message, keccak256(abi.encode(i)));
        }
        on(a);
        vm.prank(a.endpoint);
        a.oracle.lzReceive(
            PacketOrigin(b.eid, id(address(b.oracle)), 1), keccak256("g"), message, address(0), ""
        );
        CHEATS.snapshotGasLastCall("Gas", name);
    }

    /// @dev One input on a, one output on b.
    function _single(uint256 origins) private view returns (Order memory order) {
        order = sampleOrder(1);
        Input[] memory inputs = new Input[](1);
        inputs[0] = Input(address(a.tokenA), 1_000e18);
        order.origins = new SignedOrigin[](origins);
        for (uint256 i; i < origins; ++i) {
            order.origins[i] = SignedOrigin(
                a.chainId + i, address(a.settler), address(a.oracle), inputs
            );
        }
        MandateOutput[] memory outputs = new MandateOutput[](1);
        outputs[0] = output(b, address(b.tokenB), 900e18, owner);
        order.outputs = outputs;
    }

    function _awarded(uint256 origins)
        private
        view
        returns (Order memory order, uint256[] memory amounts, Award memory award)
    {
        order = _single(origins);
        amounts = new uint256[](1);
        amounts[0] = order.outputs[0].amount;
        award = awardOf(order, amounts);
    }

    function _open(string memory name, Order memory order, bool ownerCalls, bool awarded) private {
        if (!awarded) order.head.auctioneer = address(0);
        Award memory award;
        bytes memory awardSig;
        if (awarded) {
            uint256[] memory amounts = new uint256[](1);
            amounts[0] = order.outputs[0].amount;
            award = awardOf(order, amounts);
            awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        }
        bytes memory ownerSig;
        if (!ownerCalls) ownerSig = sign(OWNER_KEY, order.hashOrder());
        fund(a, order, 0);
        on(a);
        vm.prank(ownerCalls ? owner : filler);
        a.settler.open(
            order.head,
            order.leg(0),
            order.outputs.hashOutputs(),
            award.terms(),
            awardSig,
            ownerSig
        );
        CHEATS.snapshotGasLastCall("Gas", name);
    }

    function _fundFiller(uint256 amount) private {
        on(b);
        b.tokenB.mint(filler, amount);
        vm.prank(filler);
        b.tokenB.approve(address(b.outputs), amount);
    }

}
