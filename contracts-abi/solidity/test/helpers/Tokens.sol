// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A plain token, and the base of the zoo below.
contract TestToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external virtual returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount)
        external
        virtual
        returns (bool)
    {
        _spend(from, amount);
        _move(from, to, amount);
        return true;
    }

    function _spend(address from, uint256 amount) internal {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= amount, "allowance");
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
    }

    function _move(address from, address to, uint256 amount) internal virtual {
        require(balanceOf[from] >= amount, "balance");
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice USDT's shape: returns nothing, refuses to change a non-zero allowance to another.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowance[msg.sender][spender] == 0, "usdt");
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Takes one per cent of every transfer.
contract FeeToken is TestToken {
    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, amount - amount / 100);
        super._move(from, address(0xfee), amount / 100);
    }
}

/// @notice Refuses listed accounts, as sender or as recipient.
contract BlockListToken is TestToken {
    mapping(address => bool) public blocked;

    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    function _move(address from, address to, uint256 amount) internal override {
        require(!blocked[from] && !blocked[to], "blocked");
        super._move(from, to, amount);
    }
}

/// @notice Says false (or one byte of truth) instead of reverting, and moves nothing.
contract LyingToken is TestToken {
    bool public lying;
    bool public short;

    function setLying(bool lying_, bool short_) external {
        (lying, short) = (lying_, short_);
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (short) _shortReturn();
        if (lying) return false;
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount)
        external
        override
        returns (bool)
    {
        if (short) _shortReturn();
        if (lying) return false;
        _spend(from, amount);
        _move(from, to, amount);
        return true;
    }

    function _shortReturn() private pure {
        assembly {
            mstore(0, not(0))
            return(0, 31)
        }
    }
}

/// @notice Burns all gas when told to.
contract GasBurningToken is TestToken {
    bool public burning;

    function setBurning(bool value) external {
        burning = value;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (burning) {
            assembly {
                invalid()
            }
        }
        super._move(from, to, amount);
    }
}

/// @notice Calls back whoever is set before it moves, as an ERC-777 would.
contract HookToken is TestToken {
    address public hook;
    bytes public data;
    bool public succeeded;

    function setHook(address hook_, bytes calldata data_) external {
        (hook, data) = (hook_, data_);
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (hook != address(0)) {
            address target = hook;
            hook = address(0);
            (succeeded,) = target.call(data);
        }
        super._move(from, to, amount);
    }
}
