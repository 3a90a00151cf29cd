// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice Who signed a digest. An account's key is asked before its code, so that the key of an
/// EIP-7702 account stays valid whatever it delegates to; then ERC-1271. ERC-6492 is refused: it
/// would let a signature make this contract call a factory of the signer's choice.
library Signatures {
    /// @dev Half the order of secp256k1: the larger s is the same signature malleated.
    uint256 private constant S_MAX =
        0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @return Whether `signer`, which is not zero, signed `digest`: 65 bytes r ‖ s ‖ v with low s and
    /// v 27 or 28, or whatever its code accepts.
    function isValid(address signer, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool)
    {
        if (signer == address(0)) return false;
        if (signature.length == 65) {
            bytes32 r = bytes32(signature);
            bytes32 s = bytes32(signature[32:]);
            uint8 v = uint8(signature[64]);
            if (uint256(s) <= S_MAX && (v == 27 || v == 28)) {
                if (ecrecover(digest, v, r, s) == signer) return true;
            }
        }
        return signer.code.length != 0 && _isValid1271(signer, digest, signature);
    }

    /// @dev Copies at most one word back, so that a wallet cannot charge the caller for a large one,
    /// and takes nothing but the exact magic value for a yes.
    function _isValid1271(address signer, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool valid)
    {
        // isValidSignature(bytes32,bytes): the magic value is its selector.
        bytes4 magic = 0x1626ba7e;
        bytes memory data = abi.encodeWithSelector(magic, digest, signature);
        assembly ("memory-safe") {
            mstore(0x00, 0)
            let success := staticcall(gas(), signer, add(data, 0x20), mload(data), 0x00, 0x20)
            valid := and(success, and(gt(returndatasize(), 31), eq(mload(0x00), magic)))
        }
    }
}
