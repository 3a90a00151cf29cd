// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { IOutputSettler } from "./interfaces/IOutputSettler.sol";
import {
    IUniswapV2Factory,
    IUniswapV2Pair,
    IUniswapV3Factory,
    IUniswapV3Pool
} from "./interfaces/IUniswap.sol";
import { FillItem } from "./libraries/Structs.sol";
import { Tokens } from "./libraries/Tokens.sol";
import { TransientLock } from "./libraries/TransientLock.sol";

/// @title RouteExecutor
/// @notice A filler's tool: swaps the caller's tokens through Uniswap v2 and v3 pools and fills
/// outputs with the result, in one transaction. It holds nothing between transactions, calls nothing
/// but pools its factories know and one OutputSettler, moves nobody's tokens but the caller's, and is
/// trusted by no other contract here.
contract RouteExecutor is TransientLock {
    /// @notice Bounds the loops of one call.
    uint256 public constant MAX_ROUTES = 32;
    uint256 public constant MAX_HOPS = 8;

    /// @dev v3's TickMath bounds, exclusive: no price limit, as the exact minimum decides.
    uint160 private constant SQRT_PRICE_MIN = 4295128739 + 1;
    uint160 private constant SQRT_PRICE_MAX =
        1461446703485210103287273052203988822378723970342 - 1;
    /// @dev Transient slot of the one v3 pool that may call back; slot 0 is the lock.
    uint256 private constant EXPECTED_POOL = 1;

    struct TokenAmount {
        address token;
        uint256 amount;
    }

    struct Hop {
        address tokenOut;
        /// Fee tier of the v3 pool in 1e-6; zero for the v2 pair.
        uint24 feePips;
    }

    struct Route {
        address tokenIn;
        uint256 amountIn;
        /// The least the last hop must give, base units; exact.
        uint256 amountOutMin;
        Hop[] hops;
    }

    IUniswapV2Factory public immutable v2Factory;
    IUniswapV3Factory public immutable v3Factory;
    IOutputSettler public immutable outputSettler;

    error Expired();
    error NoPool(address tokenIn, address tokenOut, uint24 feePips);
    error BadRoute();
    error TooLittleOut(uint256 route, uint256 amountOut);
    error UnexpectedCallback();
    error UnexpectedValue();
    error RefundFailed();

    constructor(
        IUniswapV2Factory v2Factory_,
        IUniswapV3Factory v3Factory_,
        IOutputSettler outputSettler_
    ) {
        v2Factory = v2Factory_;
        v3Factory = v3Factory_;
        outputSettler = outputSettler_;
    }

    /// @dev Change of a native fill, and nothing else: an idle balance could be taken by anyone.
    receive() external payable {
        if (msg.sender != address(outputSettler) || !_isLocked()) revert UnexpectedValue();
    }

    /// @notice Pulls, swaps, fills, and returns everything left over to the caller.
    /// @param pulls Tokens to take from the caller, who approved this contract: what the routes and
    /// the fills spend beyond what the routes give.
    /// @param routes Exact-input swaps, in this order; empty to fill from the caller's own tokens.
    /// @param spends What the OutputSettler may take: exactly, and zero again afterwards.
    /// @param items Outputs to fill; empty to swap only. Ones already filled are skipped.
    /// @param fillerData The solver to record (32 bytes), then anything.
    /// @param deadline Unix seconds after which the call reverts.
    /// @return amountsOut What each route gave, base units of its last token.
    /// @return records Each output's fill record.
    function execute(
        TokenAmount[] calldata pulls,
        Route[] calldata routes,
        TokenAmount[] calldata spends,
        FillItem[] calldata items,
        bytes calldata fillerData,
        uint256 deadline
    ) external payable locked returns (uint256[] memory amountsOut, bytes32[] memory records) {
        if (block.timestamp > deadline) revert Expired();
        _pull(pulls);
        amountsOut = _swapAll(routes);
        if (items.length != 0) records = _fill(spends, items, fillerData);
        _returnLeftovers(pulls, routes);
    }

    /// @notice Called by a v3 pool during its swap, to be paid.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data)
        external
    {
        (address tokenIn, address tokenOut, uint24 feePips) =
            abi.decode(data, (address, address, uint24));
        address expected;
        assembly ("memory-safe") {
            expected := tload(EXPECTED_POOL)
        }
        if (msg.sender != expected || msg.sender != v3Factory.getPool(tokenIn, tokenOut, feePips)) {
            revert UnexpectedCallback();
        }
        int256 owedToPool = tokenIn < tokenOut ? amount0Delta : amount1Delta;
        if (owedToPool <= 0) revert UnexpectedCallback();
        Tokens.transfer(tokenIn, msg.sender, uint256(owedToPool));
    }

    function _pull(TokenAmount[] calldata pulls) private {
        for (uint256 i; i < pulls.length; ++i) {
            Tokens.transferFrom(pulls[i].token, msg.sender, address(this), pulls[i].amount);
        }
    }

    function _swapAll(Route[] calldata routes) private returns (uint256[] memory amountsOut) {
        if (routes.length > MAX_ROUTES) revert BadRoute();
        amountsOut = new uint256[](routes.length);
        for (uint256 i; i < routes.length; ++i) {
            uint256 amountOut = _swap(routes[i]);
            if (amountOut < routes[i].amountOutMin) revert TooLittleOut(i, amountOut);
            amountsOut[i] = amountOut;
        }
    }

    function _swap(Route calldata route) private returns (uint256 amount) {
        if (route.hops.length == 0 || route.hops.length > MAX_HOPS) revert BadRoute();
        address tokenIn = route.tokenIn;
        amount = route.amountIn;
        for (uint256 i; i < route.hops.length; ++i) {
            Hop calldata hop = route.hops[i];
            amount = hop.feePips == 0
                ? _swapV2(tokenIn, hop.tokenOut, amount)
                : _swapV3(tokenIn, hop.tokenOut, hop.feePips, amount);
            tokenIn = hop.tokenOut;
        }
    }

    /// @dev v2's own formula: out = ⌊in · 997 · reserveOut / (reserveIn · 1000 + in · 997)⌋.
    function _swapV2(address tokenIn, address tokenOut, uint256 amountIn)
        private
        returns (uint256 amountOut)
    {
        address pair = v2Factory.getPair(tokenIn, tokenOut);
        if (pair == address(0)) revert NoPool(tokenIn, tokenOut, 0);
        bool zeroForOne = tokenIn < tokenOut;
        (uint256 reserveIn, uint256 reserveOut,) = IUniswapV2Pair(pair).getReserves();
        if (!zeroForOne) (reserveIn, reserveOut) = (reserveOut, reserveIn);
        uint256 amountInAfterFee = amountIn * 997;
        amountOut = amountInAfterFee * reserveOut / (reserveIn * 1000 + amountInAfterFee);
        Tokens.transfer(tokenIn, pair, amountIn);
        (uint256 out0, uint256 out1) = zeroForOne ? (uint256(0), amountOut) : (amountOut, uint256(0));
        IUniswapV2Pair(pair).swap(out0, out1, address(this), "");
    }

    /// @dev A pool that runs out of liquidity takes less than amountIn; the rest is left over.
    function _swapV3(address tokenIn, address tokenOut, uint24 feePips, uint256 amountIn)
        private
        returns (uint256 amountOut)
    {
        address pool = v3Factory.getPool(tokenIn, tokenOut, feePips);
        if (pool == address(0)) revert NoPool(tokenIn, tokenOut, feePips);
        if (amountIn > uint256(type(int256).max)) revert BadRoute();
        bool zeroForOne = tokenIn < tokenOut;
        _expect(pool);
        (int256 amount0, int256 amount1) = IUniswapV3Pool(pool).swap(
            address(this),
            zeroForOne,
            int256(amountIn),
            zeroForOne ? SQRT_PRICE_MIN : SQRT_PRICE_MAX,
            abi.encode(tokenIn, tokenOut, feePips)
        );
        _expect(address(0));
        amountOut = uint256(-(zeroForOne ? amount1 : amount0));
    }

    function _expect(address pool) private {
        assembly ("memory-safe") {
            tstore(EXPECTED_POOL, pool)
        }
    }

    function _fill(
        TokenAmount[] calldata spends,
        FillItem[] calldata items,
        bytes calldata fillerData
    ) private returns (bytes32[] memory records) {
        address settler = address(outputSettler);
        for (uint256 i; i < spends.length; ++i) {
            Tokens.approve(spends[i].token, settler, spends[i].amount);
        }
        records = outputSettler.fillBatch{ value: msg.value }(items, fillerData);
        for (uint256 i; i < spends.length; ++i) {
            Tokens.approve(spends[i].token, settler, 0);
        }
    }

    function _returnLeftovers(TokenAmount[] calldata pulls, Route[] calldata routes) private {
        for (uint256 i; i < pulls.length; ++i) {
            _return(pulls[i].token);
        }
        for (uint256 i; i < routes.length; ++i) {
            for (uint256 j; j < routes[i].hops.length; ++j) {
                _return(routes[i].hops[j].tokenOut);
            }
        }
        uint256 left = address(this).balance;
        if (left == 0) return;
        (bool sent,) = msg.sender.call{ value: left }("");
        if (!sent) revert RefundFailed();
    }

    function _return(address token) private {
        uint256 left = Tokens.balanceOf(token, address(this));
        if (left != 0) Tokens.transfer(token, msg.sender, left);
    }
}
