// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { OutputSettler } from "../../src/OutputSettler.sol";
import { MandateOutput } from "../../src/libraries/Structs.sol";
import { TestToken } from "./Tokens.sol";

/// @notice An ERC-1271 wallet that can misbehave in each known way.
contract TestWallet {
    enum Mood {
        Yes,
        No,
        Revert,
        BurnGas,
        Bomb,
        ShortYes,
        DirtyYes
    }

    Mood public mood;

    function setMood(Mood value) external {
        mood = value;
    }

    function approve(TestToken token, address spender) external {
        token.approve(spender, type(uint256).max);
    }

    function call(address target, bytes calldata data) external returns (bytes memory) {
        (bool success, bytes memory result) = target.call(data);
        if (!success) {
            assembly {
                revert(add(result, 0x20), mload(result))
            }
        }
        return result;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        if (mood == Mood.No) return 0xffffffff;
        if (mood == Mood.Revert) revert("no");
        if (mood == Mood.BurnGas) {
            assembly {
                invalid()
            }
        }
        if (mood == Mood.Bomb) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 1000000)
            }
        }
        if (mood == Mood.ShortYes) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (mood == Mood.DirtyYes) {
            assembly {
                mstore(0, or(shl(224, 0x1626ba7e), 1))
                return(0, 32)
            }
        }
        return 0x1626ba7e;
    }
}

/// @notice Refuses native coin, or re-enters with what it was given to say.
contract TestRecipient {
    bool public accepts;
    address public target;
    bytes public data;
    bool public reentered;
    bool public callbackReverts;
    uint256 public calls;

    function set(bool accepts_, address target_, bytes calldata data_) external {
        (accepts, target, data) = (accepts_, target_, data_);
    }

    function setCallback(bool reverts) external {
        callbackReverts = reverts;
    }

    function withdraw(OutputSettler settler, address token, address to) external {
        settler.withdraw(token, to);
    }

    receive() external payable {
        if (target != address(0)) (reentered,) = target.call(data);
        require(accepts, "no thanks");
    }

    function outputFilled(bytes32, uint256, bytes calldata) external {
        require(!callbackReverts, "callback");
        calls += 1;
        if (target != address(0)) (reentered,) = target.call(data);
    }
}
