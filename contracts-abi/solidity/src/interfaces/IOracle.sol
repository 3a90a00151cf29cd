// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice OIF's input oracle: what an origin's settler asks.
interface IOracle {
    /// @return Whether `application` on `remoteChainId` recorded the payload with hash `dataHash`, as
    /// told by `remoteOracle`.
    function isProven(
        uint256 remoteChainId,
        bytes32 remoteOracle,
        bytes32 application,
        bytes32 dataHash
    ) external view returns (bool);

    /// @notice Reverts unless every (chain id, oracle, application, hash) of the 128-byte series is
    /// proven.
    function efficientRequireProven(bytes calldata proofSeries) external view;
}
