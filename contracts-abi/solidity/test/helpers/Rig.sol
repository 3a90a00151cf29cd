// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { Test, Vm } from "forge-std/Test.sol";
import { LayerZeroOracle } from "../../src/LayerZeroOracle.sol";
import { OutputSettler } from "../../src/OutputSettler.sol";
import { PortfolioSettler } from "../../src/PortfolioSettler.sol";
import { PacketOrigin, UlnConfig } from "../../src/interfaces/ILayerZero.sol";
import {
    Award,
    AwardTerms,
    Fill,
    Head,
    Input,
    Leg,
    MandateOutput
} from "../../src/libraries/Structs.sol";
import { Order, Reference, SignedOrigin } from "./Reference.sol";
import { SilentToken, TestToken } from "./Tokens.sol";

struct SetConfigParam {
    uint32 eid;
    uint32 configType;
    bytes config;
}

struct ExecutorConfig {
    uint32 maxMessageSize;
    address executor;
}

struct DefaultExecutorParam {
    uint32 eid;
    ExecutorConfig config;
}

struct DefaultUlnParam {
    uint32 eid;
    UlnConfig config;
}

interface IEndpointSetup {
    function registerLibrary(address lib) external;
    function setDefaultSendLibrary(uint32 eid, address lib) external;
    function setDefaultReceiveLibrary(uint32 eid, address lib, uint256 grace) external;
    function setSendLibrary(address oapp, uint32 eid, address lib) external;
    function setReceiveLibrary(address oapp, uint32 eid, address lib, uint256 grace) external;
    function setConfig(address oapp, address lib, SetConfigParam[] calldata params) external;
    function lzReceive(
        PacketOrigin calldata origin,
        address receiver,
        bytes32 guid,
        bytes calldata message,
        bytes calldata extra
    ) external payable;
}

interface IUlnSetup {
    function setDefaultExecutorConfigs(DefaultExecutorParam[] calldata params) external;
    function setDefaultUlnConfigs(DefaultUlnParam[] calldata params) external;
    function verify(bytes calldata header, bytes32 payloadHash, uint64 confirmations) external;
    function commitVerification(bytes calldata header, bytes32 payloadHash) external;
}

/// @notice A DVN's or executor's prices, and nothing else: the rig plays their off-chain part.
contract TestWorker {
    uint256 public constant FEE = 1 gwei;

    struct Job {
        uint32 dstEid;
        bytes packetHeader;
        bytes32 payloadHash;
        uint64 confirmations;
        address sender;
    }

    function assignJob(uint32, address, uint256, bytes calldata) external pure returns (uint256) {
        return FEE;
    }

    function getFee(uint32, address, uint256, bytes calldata) external pure returns (uint256) {
        return FEE;
    }

    function assignJob(Job calldata, bytes calldata) external payable returns (uint256) {
        return FEE;
    }

    function getFee(uint32, uint64, address, bytes calldata) external pure returns (uint256) {
        return FEE;
    }
}

struct Kit {
    uint256 chainId;
    uint32 eid;
    address endpoint;
    address sendLib;
    address receiveLib;
    PortfolioSettler settler;
    OutputSettler outputs;
    LayerZeroOracle oracle;
    TestToken tokenA;
    TestToken tokenB;
}

/// @notice Two chains in one EVM: two real EndpointV2 and ULN302 pairs from LayerZero's published
/// artifacts, our contracts on both, chain ids faked with vm.chainId. Tests say `on(kit)` before
/// they call a chain's contracts.
abstract contract Rig is Test {
    using Reference for *;

    uint256 internal constant OWNER_KEY = 0xa11ce;
    uint256 internal constant AUCTIONEER_KEY = 0xa0c;
    uint256 internal constant FILLER_KEY = 0xf111e5;
    uint32 internal constant PROOF_WINDOW = 600;
    uint64 internal constant CONFIRMATIONS = 3;

    address internal owner = vm.addr(OWNER_KEY);
    address internal auctioneer = vm.addr(AUCTIONEER_KEY);
    address internal filler = vm.addr(FILLER_KEY);

    Kit internal a;
    Kit internal b;
    address internal dvn1;
    address internal dvn2;
    address internal executor;
    address internal permit2;
    uint256 internal time = 1_800_000_000;

    function setUp() public virtual {
        vm.warp(time);
        dvn1 = address(new TestWorker());
        dvn2 = address(new TestWorker());
        if (dvn1 > dvn2) (dvn1, dvn2) = (dvn2, dvn1);
        executor = address(new TestWorker());
        _deploy(a, 31_338, 40_001);
        _deploy(b, 31_339, 40_002);
        _defaults(a, b.eid);
        _defaults(b, a.eid);
        _wire(a, b);
        _wire(b, a);
        on(a);
        a.oracle.freeze();
        on(b);
        b.oracle.freeze();
        on(a);
        vm.deal(filler, 100 ether);
    }

    function on(Kit storage kit) internal {
        vm.chainId(kit.chainId);
    }

    // Orders

    /// @dev Two origins (a: A and B, b: A), two outputs (b: B and, second, A on a), the first
    /// likeliest to fail being the test's choice.
    function sampleOrder(uint256 nonce) internal view returns (Order memory order) {
        order.head = Head({
            owner: owner,
            nonce: nonce,
            openDeadline: uint32(time + 100),
            fillDeadline: uint32(time + 200),
            expiry: uint32(time + 200 + PROOF_WINDOW),
            auctioneer: auctioneer,
            targets: keccak256("targets")
        });
        order.origins = new SignedOrigin[](2);
        Input[] memory inputs = new Input[](2);
        (TestToken low, TestToken high) =
            a.tokenA < a.tokenB ? (a.tokenA, a.tokenB) : (a.tokenB, a.tokenA);
        inputs[0] = Input(address(low), 1_000e18);
        inputs[1] = Input(address(high), 500e18);
        order.origins[0] =
            SignedOrigin(a.chainId, address(a.settler), address(a.oracle), inputs);
        Input[] memory second = new Input[](1);
        second[0] = Input(address(b.tokenA), 70e18);
        order.origins[1] =
            SignedOrigin(b.chainId, address(b.settler), address(b.oracle), second);
        order.outputs = new MandateOutput[](2);
        order.outputs[0] = output(a, address(a.tokenB), 10e18, owner);
        order.outputs[1] = output(b, address(b.tokenB), 900e18, owner);
    }

    function output(Kit storage kit, address token, uint256 amount, address recipient)
        internal
        view
        returns (MandateOutput memory)
    {
        return MandateOutput(
            id(address(kit.oracle)),
            id(address(kit.outputs)),
            kit.chainId,
            id(token),
            amount,
            id(recipient),
            "",
            ""
        );
    }

    /// @dev One per cent of surplus on every output.
    function sampleAmounts(Order memory order) internal pure returns (uint256[] memory amounts) {
        amounts = new uint256[](order.outputs.length);
        for (uint256 i; i < amounts.length; ++i) {
            amounts[i] = order.outputs[i].amount * 101 / 100;
        }
    }

    function awardOf(Order memory order, uint256[] memory amounts)
        internal
        view
        returns (Award memory)
    {
        return Award({
            orderId: order.hashOrder(),
            filler: filler,
            fillDeadline: order.head.fillDeadline,
            openBy: order.head.openDeadline,
            amountsHash: keccak256(abi.encodePacked(amounts))
        });
    }

    function sign(uint256 key, bytes32 structHash) internal pure returns (bytes memory) {
        return signRaw(key, structHash.digest());
    }

    /// @dev The owner's Permit2 signature for origin `index`.
    function signPermit2(Order memory order, uint256 index) internal view returns (bytes memory) {
        return signRaw(OWNER_KEY, order.permit2Digest(index, address(a.settler.PERMIT2())));
    }

    function signRaw(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Funds the owner and approves Permit2 alone.
    function fundPermit2(Order memory order, uint256 index) internal {
        Input[] memory inputs = order.origins[index].inputs;
        for (uint256 i; i < inputs.length; ++i) {
            TestToken(inputs[i].token).mint(owner, inputs[i].amount);
            vm.prank(owner);
            SilentToken(inputs[i].token).approve(permit2, type(uint256).max);
        }
    }

    function id(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    /// @dev Funds and approves the owner, and opens origin `index` with both signatures.
    function open(Kit storage kit, Order memory order, Award memory award, uint256 index) internal {
        fund(kit, order, index);
        on(kit);
        kit.settler.open(
            order.head,
            order.leg(index),
            order.outputs.hashOutputs(),
            award.terms(),
            sign(AUCTIONEER_KEY, award.hashAward()),
            sign(OWNER_KEY, order.hashOrder())
        );
    }

    function fund(Kit storage kit, Order memory order, uint256 index) internal {
        Input[] memory inputs = order.origins[index].inputs;
        for (uint256 i; i < inputs.length; ++i) {
            TestToken(inputs[i].token).mint(owner, inputs[i].amount);
            vm.prank(owner);
            // SilentToken's shape, which fits every token: no answer is asked for.
            SilentToken(inputs[i].token).approve(address(kit.settler), type(uint256).max);
        }
    }

    /// @dev Funds, approves and fills output `index` as the filler; returns its payload.
    function fill(
        Kit storage kit,
        Order memory order,
        Award memory award,
        uint256[] memory amounts,
        uint256 index
    ) internal returns (bytes memory payload) {
        MandateOutput memory out = order.outputs[index].awarded(amounts[index]);
        address token = address(uint160(uint256(out.token)));
        on(kit);
        TestToken(token).mint(filler, out.amount);
        vm.startPrank(filler);
        TestToken(token).approve(address(kit.outputs), out.amount);
        kit.outputs.fill(award.hashAward(), out, award.fillDeadline, abi.encode(filler));
        vm.stopPrank();
        return
            award.hashAward().fillDescription(out, id(filler), uint32(block.timestamp));
    }

    function fillsAt(uint256 count, uint256 timestamp) internal view returns (Fill[] memory fills) {
        fills = new Fill[](count);
        for (uint256 i; i < count; ++i) {
            fills[i] = Fill(id(filler), uint32(timestamp));
        }
    }

    function slotIs(Kit storage kit, Order memory order, Award memory award, uint8 status)
        internal
        view
        returns (bool)
    {
        uint256 index;
        while (order.origins[index].chainId != kit.chainId) ++index;
        bytes32 expected =
            bytes32((uint256(award.hashAward()) & ~uint256(0xff)) | (index << 3) | status);
        return kit.settler.slot(order.head.owner, order.head.nonce) == expected;
    }

    // Messages

    struct Packet {
        bytes header;
        bytes32 payloadHash;
        PacketOrigin origin;
        bytes32 guid;
        bytes message;
    }

    /// @dev Submits payloads as the filler and returns the packet LayerZero was given.
    function submit(Kit storage from, Kit storage to, bytes[] memory payloads)
        internal
        returns (Packet memory)
    {
        on(from);
        uint256 fee = from.oracle.quote(to.eid, payloads.length);
        vm.recordLogs();
        vm.prank(filler);
        from.oracle.submit{ value: fee }(to.eid, address(from.outputs), payloads);
        return lastPacket(vm.getRecordedLogs());
    }

    function one(bytes memory payload) internal pure returns (bytes[] memory payloads) {
        payloads = new bytes[](1);
        payloads[0] = payload;
    }

    function lastPacket(Vm.Log[] memory logs) internal pure returns (Packet memory packet) {
        for (uint256 i = logs.length; i > 0; --i) {
            if (logs[i - 1].topics[0] != keccak256("PacketSent(bytes,bytes,address)")) continue;
            (bytes memory encoded,,) = abi.decode(logs[i - 1].data, (bytes, bytes, address));
            return parsePacket(encoded);
        }
        revert("no packet");
    }

    /// @dev version ‖ nonce ‖ srcEid ‖ sender ‖ dstEid ‖ receiver (81 bytes), then guid ‖ message.
    function parsePacket(bytes memory encoded) internal pure returns (Packet memory packet) {
        packet.header = slice(encoded, 0, 81);
        bytes memory payload = slice(encoded, 81, encoded.length);
        packet.payloadHash = keccak256(payload);
        packet.origin = PacketOrigin({
            nonce: uint64(uint256(word(encoded, 1)) >> 192),
            srcEid: uint32(uint256(word(encoded, 9)) >> 224),
            sender: word(encoded, 13)
        });
        packet.guid = word(payload, 0);
        packet.message = slice(payload, 32, payload.length);
    }

    /// @dev Both DVNs verify, anyone commits.
    function verify(Kit storage at, Packet memory packet) internal {
        on(at);
        vm.prank(dvn1);
        IUlnSetup(at.receiveLib).verify(packet.header, packet.payloadHash, CONFIRMATIONS);
        vm.prank(dvn2);
        IUlnSetup(at.receiveLib).verify(packet.header, packet.payloadHash, CONFIRMATIONS);
        IUlnSetup(at.receiveLib).commitVerification(packet.header, packet.payloadHash);
    }

    function execute(Kit storage at, Packet memory packet) internal {
        on(at);
        IEndpointSetup(at.endpoint).lzReceive(
            packet.origin, address(at.oracle), packet.guid, packet.message, ""
        );
    }

    function deliver(Kit storage at, Packet memory packet) internal {
        verify(at, packet);
        execute(at, packet);
    }

    /// @dev submit and deliver.
    function prove(Kit storage from, Kit storage to, bytes memory payload) internal {
        deliver(to, submit(from, to, one(payload)));
    }

    // Deployment

    function _deploy(Kit storage kit, uint256 chainId, uint32 eid) internal {
        kit.chainId = chainId;
        kit.eid = eid;
        on(kit);
        string memory root = "../../node_modules/@layerzerolabs/";
        kit.endpoint = _create(
            string.concat(root, "lz-evm-protocol-v2/artifacts/contracts/EndpointV2.sol/EndpointV2.json"),
            abi.encode(eid, address(this))
        );
        string memory uln = string.concat(root, "lz-evm-messagelib-v2/artifacts/contracts/uln/uln302/");
        kit.sendLib = _create(
            string.concat(uln, "SendUln302.sol/SendUln302.json"),
            abi.encode(kit.endpoint, uint256(100_000), uint256(0))
        );
        kit.receiveLib = _create(
            string.concat(uln, "ReceiveUln302.sol/ReceiveUln302.json"), abi.encode(kit.endpoint)
        );
        kit.settler =
            PortfolioSettler(_ours("PortfolioSettler", abi.encode(PROOF_WINDOW, _permit2())));
        kit.outputs = OutputSettler(_ours("OutputSettler", ""));
        kit.oracle = LayerZeroOracle(
            _ours("LayerZeroOracle", abi.encode(kit.endpoint, address(this)))
        );
        kit.tokenA = new TestToken();
        kit.tokenB = new TestToken();
    }

    /// @dev The real Permit2, from Uniswap's sources at its published settings. One instance serves both
    /// chains, as on chain: its domain follows block.chainid.
    function _permit2() internal returns (address) {
        if (permit2 == address(0)) permit2 = _create(vm.envString("TRIMTAB_PERMIT2"), "");
        return permit2;
    }

    /// @dev Our contracts as they are deployed for good: compiled by contracts-abi/compile.ts with the
    /// IR pipeline, while forge compiles the tests without it, ten times faster.
    function _ours(string memory name, bytes memory args) internal returns (address) {
        string memory folder = vm.envString("TRIMTAB_ARTIFACTS");
        return _create(string.concat(folder, "/", name, ".json"), args);
    }

    function _create(string memory artifact, bytes memory args) internal returns (address) {
        return _deployCode(abi.encodePacked(vm.getCode(artifact), args));
    }

    function _deployCode(bytes memory code) internal returns (address result) {
        assembly {
            result := create(0, add(code, 0x20), mload(code))
        }
        require(result != address(0), "deployment failed");
    }

    /// @dev LayerZero's own defaults, weak on purpose: one DVN, one confirmation.
    function _defaults(Kit storage kit, uint32 remote) internal {
        on(kit);
        IEndpointSetup endpoint = IEndpointSetup(kit.endpoint);
        DefaultUlnParam[] memory uln = new DefaultUlnParam[](1);
        address[] memory single = new address[](1);
        single[0] = dvn1;
        uln[0] = DefaultUlnParam(remote, UlnConfig(1, 1, 0, 0, single, new address[](0)));
        DefaultExecutorParam[] memory exec = new DefaultExecutorParam[](1);
        exec[0] = DefaultExecutorParam(remote, ExecutorConfig(10_000, executor));
        IUlnSetup(kit.sendLib).setDefaultUlnConfigs(uln);
        IUlnSetup(kit.sendLib).setDefaultExecutorConfigs(exec);
        IUlnSetup(kit.receiveLib).setDefaultUlnConfigs(uln);
        endpoint.registerLibrary(kit.sendLib);
        endpoint.registerLibrary(kit.receiveLib);
        endpoint.setDefaultSendLibrary(remote, kit.sendLib);
        endpoint.setDefaultReceiveLibrary(remote, kit.receiveLib, 0);
    }

    function strongUln() internal view returns (UlnConfig memory) {
        address[] memory dvns = new address[](2);
        (dvns[0], dvns[1]) = (dvn1, dvn2);
        return UlnConfig(CONFIRMATIONS, 2, 255, 0, dvns, new address[](0));
    }

    function _wire(Kit storage kit, Kit storage remote) internal {
        on(kit);
        IEndpointSetup endpoint = IEndpointSetup(kit.endpoint);
        endpoint.setSendLibrary(address(kit.oracle), remote.eid, kit.sendLib);
        endpoint.setReceiveLibrary(address(kit.oracle), remote.eid, kit.receiveLib, 0);
        setExecutor(kit, remote.eid);
        setUln(kit, kit.sendLib, remote.eid, strongUln());
        setUln(kit, kit.receiveLib, remote.eid, strongUln());
        kit.oracle.setPath(
            remote.eid,
            id(address(remote.oracle)),
            LayerZeroOracle.Path(uint64(remote.chainId), 60_000, 30_000)
        );
    }

    function setExecutor(Kit storage kit, uint32 remote) internal {
        SetConfigParam[] memory params = new SetConfigParam[](1);
        params[0] = SetConfigParam(remote, 1, abi.encode(ExecutorConfig(10_000, executor)));
        IEndpointSetup(kit.endpoint).setConfig(address(kit.oracle), kit.sendLib, params);
    }

    function setUln(Kit storage kit, address lib, uint32 remote, UlnConfig memory config) internal {
        SetConfigParam[] memory params = new SetConfigParam[](1);
        params[0] = SetConfigParam(remote, 2, abi.encode(config));
        IEndpointSetup(kit.endpoint).setConfig(address(kit.oracle), lib, params);
    }

    // Bytes

    function slice(bytes memory data, uint256 from, uint256 to)
        internal
        pure
        returns (bytes memory out)
    {
        out = new bytes(to - from);
        for (uint256 i; i < out.length; ++i) {
            out[i] = data[from + i];
        }
    }

    function word(bytes memory data, uint256 at) internal pure returns (bytes32 out) {
        assembly {
            out := mload(add(add(data, 0x20), at))
        }
    }
}
