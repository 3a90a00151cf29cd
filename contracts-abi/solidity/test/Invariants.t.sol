// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { Handler } from "./helpers/Handler.sol";
import { Rig } from "./helpers/Rig.sol";

/// @notice PROTOCOL.md's I1–I7 over random sequences of every act on two chains, with hostile
/// orderings, clocks and messages. The handler keeps the books; this contract compares.
contract InvariantsTest is Rig {
    uint256 private constant WALKS_MAX = 40;
    uint256 private constant STEPS = 250;

    Handler internal handler;

    function setUp() public override {
        super.setUp();
        handler = new Handler();
        handler.init(a, b, dvn1, dvn2, executor);
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](13);
        selectors[0] = handler.openOrder.selector;
        selectors[1] = handler.fillOutput.selector;
        selectors[2] = handler.fillForeign.selector;
        selectors[3] = handler.tombstone.selector;
        selectors[4] = handler.submitRecord.selector;
        selectors[5] = handler.deliverPacket.selector;
        selectors[6] = handler.release.selector;
        selectors[7] = handler.refundTombstone.selector;
        selectors[8] = handler.refundLate.selector;
        selectors[9] = handler.refundDeclined.selector;
        selectors[10] = handler.refundExpired.selector;
        selectors[11] = handler.cancelOrAccept.selector;
        selectors[12] = handler.passTimeOrWithdraw.selector;
        targetSelector(FuzzSelector({ addr: address(handler), selectors: selectors }));
    }

    /// I1: per token, the settler holds at least all open inputs and all it owes.
    function invariant_I1_solvent() public view {
        handler.checkSolvent();
    }

    /// I2: a slot leaves Open once; deposited = released + refunded + open.
    function invariant_I2_conserved() public view {
        handler.checkConserved();
    }

    /// I3: Released means every awarded output was filled in time, or the owner accepted.
    function invariant_I3_releasedOnlyWhenFilled() public view {
        handler.checkReleases();
    }

    /// I4: no output is both filled and tombstoned, and a record never changes.
    function invariant_I4_recordsAreFinal() public view {
        handler.checkRecords();
    }

    /// I5: a tombstone of an awarded output means no origin was released under it but by Accept.
    function invariant_I5_tombstoneExcludesRelease() public view {
        handler.checkTombstones();
    }

    /// I6: inputs went only from owner to escrow to beneficiary or owner.
    function invariant_I6_inputsGoNowhereElse() public view {
        handler.checkFlows();
    }

    /// I7: what is attested is recorded at its source.
    function invariant_I7_attestedIsRecorded() public view {
        handler.checkAttestations();
    }

    /// Every act of the handler succeeds somewhere in fixed walks, so that an invariant cannot hold
    /// merely because nothing happened.
    function test_everyHandlerPathIsReached() public {
        uint256 seed = 0x7472696d;
        bool[16] memory reached;
        string memory missing = "all";
        for (uint256 walk; walk < WALKS_MAX && bytes(missing).length != 0; ++walk) {
            uint256 snapshot = vm.snapshotState();
            for (uint256 i; i < STEPS; ++i) {
                seed = uint256(keccak256(abi.encode(seed)));
                handler.step(seed);
            }
            _checkAll();
            bool[16] memory now_;
            for (uint256 i; i < 16; ++i) {
                now_[i] = handler.reached(i) != 0;
            }
            vm.revertToState(snapshot);
            missing = "";
            for (uint256 i; i < 16; ++i) {
                reached[i] = reached[i] || now_[i];
                if (!reached[i]) missing = string.concat(missing, " ", vm.toString(i));
            }
        }
        assertEq(missing, "");
    }

    function _checkAll() private view {
        handler.checkSolvent();
        handler.checkConserved();
        handler.checkReleases();
        handler.checkRecords();
        handler.checkTombstones();
        handler.checkFlows();
        handler.checkAttestations();
    }
}
