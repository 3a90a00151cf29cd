// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { OutputSettler } from "../src/OutputSettler.sol";
import { RouteExecutor } from "../src/RouteExecutor.sol";
import { FillItem, MandateOutput } from "../src/libraries/Structs.sol";
import { TestRecipient } from "./helpers/Actors.sol";
import { Reference } from "./helpers/Reference.sol";
import { Rig } from "./helpers/Rig.sol";
import { SilentToken, TestToken } from "./helpers/Tokens.sol";

interface IV2Factory {
    function createPair(address x, address y) external returns (address);
}

interface IV2Pair {
    function mint(address to) external returns (uint256);
}

interface IV3Factory {
    function createPool(address x, address y, uint24 fee) external returns (address);
}

interface IV3Pool {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address to, int24 low, int24 high, uint128 amount, bytes calldata data)
        external
        returns (uint256, uint256);
    function token0() external view returns (address);
    function token1() external view returns (address);
}

/// @notice A pool that speaks v3's language and is none of the factory's.
contract FakePool {
    function callBack(RouteExecutor executor, address tokenIn, address tokenOut) external {
        executor.uniswapV3SwapCallback(1e18, 1e18, abi.encode(tokenIn, tokenOut, uint24(3000)));
    }
}

/// @notice RouteExecutor over real Uniswap v2 and v3 pools from published bytecode.
contract RouteExecutorTest is Rig {
    using Reference for *;

    RouteExecutor internal routes;
    TestToken internal x;
    TestToken internal y;
    SilentToken internal z;
    address internal pool;

    function setUp() public override {
        super.setUp();
        string memory root = "../../node_modules/@uniswap/";
        // This artifact names its bytecode twice, which vm.getCode refuses.
        string memory v2Json = vm.readFile(string.concat(root, "v2-core/build/UniswapV2Factory.json"));
        address v2 = _deployCode(
            abi.encodePacked(
                vm.parseBytes(string.concat("0x", vm.parseJsonString(v2Json, ".bytecode"))),
                abi.encode(address(this))
            )
        );
        address v3 = _create(
            string.concat(
                root,
                "v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"
            ),
            ""
        );
        routes = RouteExecutor(
            payable(_ours("RouteExecutor", abi.encode(v2, v3, address(a.outputs))))
        );
        (x, y, z) = (a.tokenA, a.tokenB, new SilentToken());
        pool = IV3Factory(v3).createPool(address(x), address(y), 3000);
        IV3Pool(pool).initialize(2 ** 96);
        IV3Pool(pool).mint(address(this), -6000, 6000, 1e24, "");
        address pair = IV2Factory(v2).createPair(address(y), address(z));
        y.mint(pair, 1e24);
        z.mint(pair, 2e24);
        IV2Pair(pair).mint(address(this));
        x.mint(filler, 1_000e18);
        vm.startPrank(filler);
        x.approve(address(routes), type(uint256).max);
        y.approve(address(routes), type(uint256).max);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        TestToken(IV3Pool(msg.sender).token0()).mint(msg.sender, amount0);
        TestToken(IV3Pool(msg.sender).token1()).mint(msg.sender, amount1);
    }

    function test_swapOnlyReturnsEverythingToTheCaller() public {
        (uint256[] memory outs,) =
            _run(_pulls(address(x), 10e18), _routes(_route(10e18, 0)), _none(), _noItems());
        assertGt(outs[0], 19e18);
        assertEq(z.balanceOf(filler), outs[0]);
        assertEq(x.balanceOf(filler), 990e18);
        _assertEmpty();
    }

    function test_swapAndFillInOneTransaction() public {
        FillItem[] memory items = _items(address(z), 15e18);
        (uint256[] memory outs, bytes32[] memory records) = _run(
            _pulls(address(x), 10e18),
            _routes(_route(10e18, 15e18)),
            _pulls(address(z), 15e18),
            items
        );
        assertEq(records[0], keccak256(abi.encodePacked(id(filler), uint32(time))));
        assertEq(z.balanceOf(owner), 15e18);
        assertEq(z.balanceOf(filler), outs[0] - 15e18);
        _assertEmpty();
    }

    function test_fillFromOwnTokensWithoutASwap() public {
        FillItem[] memory items = _items(address(x), 7e18);
        _run(_pulls(address(x), 9e18), _routes(), _pulls(address(x), 7e18), items);
        assertEq(x.balanceOf(owner), 7e18);
        assertEq(x.balanceOf(filler), 993e18);
        // Filled already: nothing is spent, all comes back.
        _run(_pulls(address(x), 9e18), _routes(), _pulls(address(x), 7e18), items);
        assertEq(x.balanceOf(filler), 993e18);
        _assertEmpty();
    }

    function test_nativeFillAndItsChange() public {
        FillItem[] memory items = _items(address(0), 1 ether);
        routes.execute{ value: 3 ether }(
            _none(), _routes(), _none(), items, abi.encode(filler), time
        );
        assertEq(owner.balance, 1 ether);
        assertEq(filler.balance, 99 ether);
        _assertEmpty();
    }

    function test_exactMinimumAndDeadline() public {
        uint256 snapshot = vm.snapshotState();
        (uint256[] memory outs,) =
            _run(_pulls(address(x), 10e18), _routes(_route(10e18, 0)), _none(), _noItems());
        uint256 out = outs[0];
        vm.revertToState(snapshot);
        vm.expectRevert(abi.encodeWithSelector(RouteExecutor.TooLittleOut.selector, 0, out));
        _run(_pulls(address(x), 10e18), _routes(_route(10e18, out + 1)), _none(), _noItems());
        _run(_pulls(address(x), 10e18), _routes(_route(10e18, out)), _none(), _noItems());
        vm.expectRevert(RouteExecutor.Expired.selector);
        routes.execute(_none(), _routes(), _none(), _noItems(), "", time - 1);
    }

    /// Selling the other way, and more than a pool can take: v3's rest comes back.
    function test_otherDirectionAndExhaustedPool() public {
        y.mint(filler, 1e25);
        RouteExecutor.Route memory route = _route(1e25, 1);
        route.tokenIn = address(y);
        route.hops = new RouteExecutor.Hop[](1);
        route.hops[0] = RouteExecutor.Hop(address(x), 3000);
        uint256 before = x.balanceOf(filler);
        (uint256[] memory outs,) =
            _run(_pulls(address(y), 1e25), _routes(route), _none(), _noItems());
        assertEq(x.balanceOf(filler) - before, outs[0]);
        assertGt(y.balanceOf(filler), 0);
        _assertEmpty();
    }

    function test_attack_callbackFromAFakePool() public {
        FakePool fake = new FakePool();
        vm.expectRevert(RouteExecutor.UnexpectedCallback.selector);
        fake.callBack(routes, address(x), address(y));
        vm.expectRevert(RouteExecutor.UnexpectedCallback.selector);
        routes.uniswapV3SwapCallback(1, 1, abi.encode(address(x), address(y), uint24(3000)));
        // The real pool outside a swap of ours.
        vm.stopPrank();
        vm.prank(pool);
        vm.expectRevert(RouteExecutor.UnexpectedCallback.selector);
        routes.uniswapV3SwapCallback(1, 1, abi.encode(address(x), address(y), uint24(3000)));
    }

    /// Allowances of others are out of reach (LI.FI and Socket 2024): no call of the caller's choice,
    /// and tokens only ever from the caller.
    function test_attack_anothersAllowance() public {
        vm.stopPrank();
        vm.prank(address(0xbad));
        vm.expectRevert();
        routes.execute(
            _pulls(address(x), 1), _routes(), _none(), _noItems(), abi.encode(address(0xbad)), time
        );
    }

    function test_attack_unknownPoolsAndEmptyRoutes() public {
        RouteExecutor.Route memory route = _route(1e18, 0);
        route.hops[0].feePips = 500;
        vm.expectRevert();
        _run(_pulls(address(x), 1e18), _routes(route), _none(), _noItems());
        route.hops[0].feePips = 0;
        vm.expectRevert();
        _run(_pulls(address(x), 1e18), _routes(route), _none(), _noItems());
        route.hops = new RouteExecutor.Hop[](0);
        vm.expectRevert(RouteExecutor.BadRoute.selector);
        _run(_pulls(address(x), 1e18), _routes(route), _none(), _noItems());
    }

    /// A recipient's callback re-enters while the executor holds the rest of the tokens.
    function test_attack_reentryFromARecipient() public {
        TestRecipient thief = new TestRecipient();
        FillItem[] memory items = _items(address(x), 1e18);
        items[0].output.recipient = id(address(thief));
        items[0].output.callbackData = hex"01";
        bytes memory again = abi.encodeCall(
            routes.execute, (_none(), _routes(), _none(), _noItems(), "", type(uint256).max)
        );
        thief.set(true, address(routes), again);
        _run(_pulls(address(x), 9e18), _routes(), _pulls(address(x), 1e18), items);
        assertEq(thief.calls(), 1);
        assertFalse(thief.reentered());
        assertEq(x.balanceOf(filler), 999e18);
        _assertEmpty();
    }

    function test_attack_strayEther() public {
        (bool sent,) = address(routes).call{ value: 1 }("");
        assertFalse(sent);
    }

    function testFuzz_nothingStaysBehind(uint96 amountIn, uint96 fillAmount) public {
        uint256 amount = bound(amountIn, 1e6, 900e18);
        uint256 fill_ = bound(fillAmount, 0, amount);
        FillItem[] memory items = _items(address(z), fill_);
        (uint256[] memory outs,) = _run(
            _pulls(address(x), amount),
            _routes(_route(amount, fill_)),
            _pulls(address(z), fill_),
            items
        );
        assertEq(z.balanceOf(filler) + fill_, outs[0]);
        assertEq(x.balanceOf(filler), 1_000e18 - amount);
        _assertEmpty();
    }

    function _assertEmpty() private view {
        assertEq(x.balanceOf(address(routes)), 0);
        assertEq(y.balanceOf(address(routes)), 0);
        assertEq(z.balanceOf(address(routes)), 0);
        assertEq(address(routes).balance, 0);
        assertEq(x.allowance(address(routes), address(a.outputs)), 0);
        assertEq(z.allowance(address(routes), address(a.outputs)), 0);
    }

    function _run(
        RouteExecutor.TokenAmount[] memory pulls,
        RouteExecutor.Route[] memory list,
        RouteExecutor.TokenAmount[] memory spends,
        FillItem[] memory items
    ) private returns (uint256[] memory, bytes32[] memory) {
        return routes.execute(pulls, list, spends, items, abi.encode(filler), time);
    }

    /// @dev X → Y over v3, Y → Z over v2.
    function _route(uint256 amountIn, uint256 least)
        private
        view
        returns (RouteExecutor.Route memory route)
    {
        route = RouteExecutor.Route(address(x), amountIn, least, new RouteExecutor.Hop[](2));
        route.hops[0] = RouteExecutor.Hop(address(y), 3000);
        route.hops[1] = RouteExecutor.Hop(address(z), 0);
    }

    function _items(address token, uint256 amount) private view returns (FillItem[] memory items) {
        MandateOutput memory out = output(a, token, amount, owner);
        items = new FillItem[](1);
        items[0] = FillItem(keccak256("award"), out, uint48(time));
    }

    function _noItems() private pure returns (FillItem[] memory) { }

    function _none() private pure returns (RouteExecutor.TokenAmount[] memory) { }

    function _routes() private pure returns (RouteExecutor.Route[] memory) { }

    function _routes(RouteExecutor.Route memory route)
        private
        pure
        returns (RouteExecutor.Route[] memory list)
    {
        list = new RouteExecutor.Route[](1);
        list[0] = route;
    }

    function _pulls(address token, uint256 amount)
        private
        pure
        returns (RouteExecutor.TokenAmount[] memory list)
    {
        list = new RouteExecutor.TokenAmount[](1);
        list[0] = RouteExecutor.TokenAmount(token, amount);
    }
}
