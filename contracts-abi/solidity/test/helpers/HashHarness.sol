// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { OrderHash } from "../../src/libraries/OrderHash.sol";
import { OutputHash } from "../../src/libraries/OutputHash.sol";
import { Award, AwardTerms, Head, Leg, MandateOutput } from "../../src/libraries/Structs.sol";

/// @notice The libraries behind an ABI, so that they read calldata as the contracts do. Also called
/// from test/contracts on anvil, to compare with typedData.ts.
contract HashHarness {
    function orderId(Head calldata head, Leg calldata leg, bytes32 outputsHash)
        external
        view
        returns (bytes32)
    {
        return OrderHash.orderId(head, leg, outputsHash);
    }

    function awardIds(Award calldata award, AwardTerms calldata terms)
        external
        pure
        returns (bytes32 whole, bytes32 fromTerms)
    {
        whole = OrderHash.awardId(award);
        fromTerms = OrderHash.awardId(award.orderId, award.fillDeadline, terms);
    }

    function digest(bytes32 structHash) external pure returns (bytes32) {
        return OrderHash.digest(structHash);
    }

    function hashOutputs(MandateOutput[] calldata outputs) external pure returns (bytes32) {
        return OrderHash.hashOutputs(outputs);
    }

    function hashAmounts(uint256[] calldata amounts) external pure returns (bytes32) {
        return OrderHash.hashAmounts(amounts);
    }

    function outputHash(MandateOutput calldata output, uint256 amount)
        external
        pure
        returns (bytes32)
    {
        return OutputHash.outputHash(output, amount);
    }

    function fillPayloadHash(
        bytes32 id,
        MandateOutput calldata output,
        uint256 amount,
        bytes32 solver,
        uint32 time
    ) external pure returns (bytes32) {
        return OutputHash.fillPayloadHash(id, output, amount, solver, time);
    }

    function tombstonePayloadHash(bytes32 id, bytes32 output) external pure returns (bytes32) {
        return OutputHash.tombstonePayloadHash(id, output);
    }

    function fillRecord(bytes32 solver, uint32 time) external pure returns (bytes32) {
        return OutputHash.fillRecord(solver, time);
    }
}
