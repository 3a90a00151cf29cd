// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice OIF's output contexts: how much an output costs now, and for whom. The first byte names
/// the kind; each has one length.
///
///     (empty)                                                     limit
///     0x00                                                        limit, 1 byte
///     0x01 uint32 start uint32 stop uint256 slope                 Dutch, 41 bytes
///     0xe0 bytes32 exclusiveFor uint32 start                      exclusive limit, 37 bytes
///     0xe1 bytes32 exclusiveFor uint32 start uint32 stop uint256 slope   exclusive Dutch, 73 bytes
library OutputContext {
    error NotImplemented();
    error InvalidContextDataLength();
    error ExclusiveTo(bytes32 solver);

    /// @param minimum The output's signed amount, which a Dutch price never falls below.
    /// @return Base units to deliver now; grows with time left, so that waiting never costs more.
    function resolve(uint256 minimum, bytes calldata context, bytes32 solver)
        internal
        view
        returns (uint256)
    {
        if (context.length == 0) return minimum;
        bytes1 kind = context[0];
        if (kind == 0x00) {
            _requireLength(context, 1);
            return minimum;
        }
        if (kind == 0x01) {
            _requireLength(context, 41);
            return _dutch(minimum, context[1:]);
        }
        if (kind == 0xe0) {
            _requireLength(context, 37);
            _requireExclusive(context, solver);
            return minimum;
        }
        if (kind == 0xe1) {
            _requireLength(context, 73);
            _requireExclusive(context, solver);
            return _dutch(minimum, context[33:]);
        }
        revert NotImplemented();
    }

    /// @dev minimum + slope · (stop − max(now, start)), the minimum from stop on. An overflow reverts
    /// and the output cannot be filled before it is over.
    /// @param curve uint32 start ‖ uint32 stop ‖ uint256 slope.
    function _dutch(uint256 minimum, bytes calldata curve) private view returns (uint256) {
        uint256 start = uint32(bytes4(curve));
        uint256 stop = uint32(bytes4(curve[4:]));
        uint256 slope = uint256(bytes32(curve[8:]));
        uint256 time = block.timestamp > start ? block.timestamp : start;
        if (stop <= time) return minimum;
        return minimum + slope * (stop - time);
    }

    function _requireExclusive(bytes calldata context, bytes32 solver) private view {
        bytes32 exclusiveFor = bytes32(context[1:]);
        uint256 start = uint32(bytes4(context[33:]));
        if (start > block.timestamp && exclusiveFor != solver) revert ExclusiveTo(exclusiveFor);
    }

    function _requireLength(bytes calldata context, uint256 length) private pure {
        if (context.length != length) revert InvalidContextDataLength();
    }
}
