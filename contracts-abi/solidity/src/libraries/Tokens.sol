// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice ERC-20 calls that believe a token only as far as needed. Success is: the call did not
/// revert, and it returned either nothing from an address with code (USDT), or at least one word
/// that is exactly 1. A false or a short return (1–31 bytes) is a failure.
library Tokens {
    /// @dev Gas a delivery gets: enough for the known tokens, and fixed so that a token or recipient
    /// that burns gas fails alone. The caller cannot starve it either: it must be there.
    uint256 internal constant PUSH_GAS = 300_000;
    /// @dev Gas a native delivery gets: enough for a smart wallet's proxy and an event.
    uint256 internal constant NATIVE_PUSH_GAS = 60_000;

    error TransferFailed(address token);
    error NotEnoughGas();

    /// @notice Moves tokens or reverts.
    function transferFrom(address token, address from, address to, uint256 amount) internal {
        if (!_transferFrom(token, from, to, amount, gasleft())) revert TransferFailed(token);
    }

    /// @notice Moves own tokens or reverts.
    function transfer(address token, address to, uint256 amount) internal {
        if (!_call2(token, 0xa9059cbb, to, amount, gasleft())) revert TransferFailed(token);
    }

    /// @notice Sets this contract's allowance for `spender` or reverts.
    function approve(address token, address spender, uint256 amount) internal {
        // approve(address,uint256) has transfer's shape.
        if (!_call2(token, 0x095ea7b3, spender, amount, gasleft())) revert TransferFailed(token);
    }

    /// @notice Moves own tokens with PUSH_GAS; false if the token refuses.
    function tryTransfer(address token, address to, uint256 amount) internal returns (bool) {
        requireGas(PUSH_GAS);
        return _call2(token, 0xa9059cbb, to, amount, PUSH_GAS);
    }

    /// @notice Moves another's tokens with PUSH_GAS; false if the token refuses.
    function tryTransferFrom(address token, address from, address to, uint256 amount)
        internal
        returns (bool)
    {
        requireGas(PUSH_GAS);
        return _transferFrom(token, from, to, amount, PUSH_GAS);
    }

    /// @notice Sends native coin with NATIVE_PUSH_GAS, copying nothing back.
    function trySendNative(address to, uint256 amount) internal returns (bool success) {
        requireGas(NATIVE_PUSH_GAS);
        uint256 gasLimit = NATIVE_PUSH_GAS;
        assembly ("memory-safe") {
            success := call(gasLimit, to, amount, 0, 0, 0, 0)
        }
    }

    /// @notice The token's balance of `account`; reverts if the token does not answer one word.
    function balanceOf(address token, address account) internal view returns (uint256 held) {
        bool success;
        assembly ("memory-safe") {
            mstore(0x00, 0x70a0823100000000000000000000000000000000000000000000000000000000)
            mstore(0x04, account)
            success := staticcall(gas(), token, 0x00, 0x24, 0x00, 0x20)
            success := and(success, gt(returndatasize(), 31))
            held := mload(0x00)
        }
        if (!success) revert TransferFailed(token);
    }

    /// @dev EIP-150 keeps 1/64 back: without this check a caller could leave so little gas that the
    /// push fails and what follows it still succeeds. 12,000 covers the call's own cost.
    function requireGas(uint256 needed) internal view {
        if (gasleft() < needed * 64 / 63 + 12_000) revert NotEnoughGas();
    }

    /// @dev selector(address,uint256), with the success rule of this library.
    function _call2(address token, uint256 selector, address to, uint256 amount, uint256 gasLimit)
        private
        returns (bool success)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, shl(224, selector))
            mstore(add(free, 0x04), to)
            mstore(add(free, 0x24), amount)
            mstore(0x00, 0)
            success := call(gasLimit, token, 0, free, 0x44, 0x00, 0x20)
            switch returndatasize()
            case 0 { success := and(success, iszero(iszero(extcodesize(token)))) }
            default { success := and(success, and(gt(returndatasize(), 31), eq(mload(0x00), 1))) }
        }
    }

    function _transferFrom(address token, address from, address to, uint256 amount, uint256 gasLimit)
        private
        returns (bool success)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 0x23b872dd00000000000000000000000000000000000000000000000000000000)
            mstore(add(free, 0x04), from)
            mstore(add(free, 0x24), to)
            mstore(add(free, 0x44), amount)
            mstore(0x00, 0)
            success := call(gasLimit, token, 0, free, 0x64, 0x00, 0x20)
            switch returndatasize()
            case 0 { success := and(success, iszero(iszero(extcodesize(token)))) }
            default { success := and(success, and(gt(returndatasize(), 31), eq(mload(0x00), 1))) }
        }
    }
}
