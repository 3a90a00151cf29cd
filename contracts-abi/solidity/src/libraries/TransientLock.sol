// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A re-entrancy lock in transient storage (EIP-1153): 200 gas, gone with the transaction.
/// @dev Slot 0 of the transient space; the contracts here use no other transient storage but through
/// the names declared beside it.
abstract contract TransientLock {
    error Locked();

    modifier locked() {
        _lock();
        _;
        _unlock();
    }

    function _lock() internal {
        bool held;
        assembly ("memory-safe") {
            held := tload(0)
            tstore(0, 1)
        }
        if (held) revert Locked();
    }

    function _unlock() internal {
        assembly ("memory-safe") {
            tstore(0, 0)
        }
    }

    function _isLocked() internal view returns (bool held) {
        assembly ("memory-safe") {
            held := tload(0)
        }
    }
}
