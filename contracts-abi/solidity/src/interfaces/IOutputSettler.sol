// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { FillItem } from "../libraries/Structs.sol";

/// @notice OIF's attester: what a destination's oracle asks before it sends.
interface IAttester {
    /// @return Whether every payload is recorded by this contract, for the calling oracle.
    function hasAttested(bytes[] calldata payloads) external view returns (bool);
}

/// @notice What PortfolioSettler and RouteExecutor use of the OutputSettler.
interface IOutputSettler is IAttester {
    function getFillRecord(bytes32 orderId, bytes32 outputHash) external view returns (bytes32);

    function fillBatch(FillItem[] calldata items, bytes calldata fillerData)
        external
        payable
        returns (bytes32[] memory records);
}

/// @notice OIF's callback on an output's recipient.
interface IOutputCallback {
    function outputFilled(bytes32 token, uint256 amount, bytes calldata executionData) external;
}

/// @notice The callback on the caller of PortfolioSettler.settleLocal, between its receiving the
/// inputs and its paying the outputs.
interface ISettleCallback {
    function inputsReceived(bytes32 awardId, bytes calldata data) external;
}
