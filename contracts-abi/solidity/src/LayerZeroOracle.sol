// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { IOracle } from "./interfaces/IOracle.sol";
import { IAttester } from "./interfaces/IOutputSettler.sol";
import {
    ILayerZeroEndpoint,
    ISendUln,
    IUln,
    MessagingFee,
    MessagingParams,
    MessagingReceipt,
    PacketOrigin,
    UlnConfig
} from "./interfaces/ILayerZero.sol";
import { TransientLock } from "./libraries/TransientLock.sol";

/// @title LayerZeroOracle
/// @notice Carries hashes of payloads an application has recorded on one chain to the other chains,
/// over LayerZero V2. It owns the attestations and the once-only configuration of its paths; it
/// refuses to know what a payload means, and has no owner after freeze().
///
/// Trust: all required DVNs of a path together can forge a proof; nobody else can.
contract LayerZeroOracle is IOracle, TransientLock {
    /// @notice Records per packet: 32 + 64 · 32 bytes stay far below LayerZero's 10,000-byte default.
    uint256 public constant MAX_RECORDS = 64;
    /// @notice Paths one oracle may have; bounds the loop in freeze().
    uint256 public constant MAX_PATHS = 64;

    uint256 private constant UNSET_OR_NIL_DVN_COUNT = 255;

    /// @notice What the owner fixes for one remote endpoint before freeze().
    struct Path {
        /// The remote chain's EIP-155 id.
        uint64 chainId;
        /// Gas of lzReceive before the first record, from docs/contracts.md's measured table.
        uint32 baseGas;
        /// Gas of lzReceive per record.
        uint32 perRecordGas;
    }

    ILayerZeroEndpoint public immutable endpoint;

    /// @notice Configures paths until freeze(), then zero for ever.
    address public owner;
    /// @notice Non-zero only after freeze(): the switch without which nothing is sent or received.
    mapping(uint32 eid => uint256 chainId) public chainOf;
    /// @notice The oracle at the other end of a path.
    mapping(uint32 eid => bytes32 peer) public peers;
    mapping(uint32 eid => Path path) public paths;
    /// @notice Keyed by keccak256(chainId ‖ remoteOracle ‖ application ‖ payloadHash).
    mapping(bytes32 key => bool) public attested;
    uint32[] private _eids;

    /// @notice A path was configured; it works only after Frozen.
    event PathSet(uint32 indexed eid, uint64 chainId, bytes32 peer, uint32 baseGas, uint32 perRecordGas);
    /// @notice Configuration ended for ever.
    event Frozen(uint32[] eids);
    /// @notice Records of `application` were sent.
    event Submitted(bytes32 indexed guid, uint32 indexed eid, address application, uint256 records);
    /// @notice A packet's records count as proven from now on.
    event Attested(bytes32 indexed guid, uint256 indexed chainId, bytes32 application, uint256 records);

    error NotOwner();
    error NotEndpoint();
    error AlreadyFrozen();
    error UnknownPath(uint32 eid);
    error BadPath(uint32 eid);
    error TooManyPaths();
    error WeakConfiguration(uint32 eid);
    error NotAttested();
    error BadRecordCount(uint256 records);
    error BadMessage();
    error ValueRefused();
    error FeeTooLow(uint256 sent, uint256 needed);
    error NotProven(uint256 chainId, bytes32 remoteOracle, bytes32 application, bytes32 dataHash);
    error NotDivisible(uint256 length, uint256 divisor);
    error RefundFailed();

    /// @param endpoint_ LayerZero's EndpointV2 on this chain.
    /// @param owner_ Configures the paths and calls freeze().
    constructor(ILayerZeroEndpoint endpoint_, address owner_) {
        endpoint = endpoint_;
        owner = owner_;
        endpoint_.setDelegate(owner_);
    }

    // Sending

    /// @notice Sends the hashes of `payloads` to `eid`. Anyone may, as often as they pay for it.
    /// @param source The contract that recorded the payloads for this oracle.
    /// @param payloads Whole payloads, at most MAX_RECORDS; only their hashes travel.
    /// @return guid LayerZero's id of the packet. The endpoint returns change to the caller.
    function submit(uint32 eid, address source, bytes[] calldata payloads)
        external
        payable
        returns (bytes32 guid)
    {
        bytes memory message = _message(source, payloads);
        MessagingReceipt memory receipt =
            endpoint.send{ value: msg.value }(_params(eid, message, payloads.length), msg.sender);
        emit Submitted(receipt.guid, eid, source, payloads.length);
        return receipt.guid;
    }

    /// @notice submit to several chains at once; what the fees leave goes back to the caller.
    function submitMany(uint32[] calldata eids, address source, bytes[] calldata payloads)
        external
        payable
        locked
        returns (bytes32[] memory guids)
    {
        if (eids.length > MAX_PATHS) revert TooManyPaths();
        bytes memory message = _message(source, payloads);
        uint256 left = msg.value;
        guids = new bytes32[](eids.length);
        for (uint256 i; i < eids.length; ++i) {
            MessagingParams memory params = _params(eids[i], message, payloads.length);
            uint256 fee = endpoint.quote(params, address(this)).nativeFee;
            if (fee > left) revert FeeTooLow(msg.value, msg.value - left + fee);
            left -= fee;
            guids[i] = endpoint.send{ value: fee }(params, msg.sender).guid;
            emit Submitted(guids[i], eids[i], source, payloads.length);
        }
        if (left != 0) {
            (bool sent,) = msg.sender.call{ value: left }("");
            if (!sent) revert RefundFailed();
        }
    }

    /// @return nativeFee Wei submit(eid, …) of this many records costs now.
    function quote(uint32 eid, uint256 records) external view returns (uint256 nativeFee) {
        return _quote(eid, records);
    }

    /// @return nativeFee Wei submitMany(eids, …) of this many records costs now.
    function quoteMany(uint32[] calldata eids, uint256 records)
        external
        view
        returns (uint256 nativeFee)
    {
        for (uint256 i; i < eids.length; ++i) {
            nativeFee += _quote(eids[i], records);
        }
    }

    /// @return The LayerZero options a packet of `records` records travels with: type 3, one
    /// lzReceive option of the executor. Fixed by the path, never by the caller.
    function optionsFor(uint32 eid, uint256 records) public view returns (bytes memory) {
        Path memory path = paths[eid];
        uint128 gasLimit = uint128(path.baseGas + path.perRecordGas * records);
        // uint16 type 3 ‖ uint8 worker 1 (executor) ‖ uint16 size 17 ‖ uint8 option 1 ‖ uint128 gas
        return abi.encodePacked(uint16(3), uint8(1), uint16(17), uint8(1), gasLimit);
    }

    // Receiving

    /// @notice Called by the endpoint with a verified packet: application ‖ payloadHash[].
    /// @dev Only writes, so that a packet can fail for want of gas alone, and then whole: anyone
    /// delivers it again.
    function lzReceive(
        PacketOrigin calldata origin,
        bytes32 guid,
        bytes calldata message,
        address,
        bytes calldata
    ) external payable {
        if (msg.sender != address(endpoint)) revert NotEndpoint();
        if (msg.value != 0) revert ValueRefused();
        uint256 chainId = chainOf[origin.srcEid];
        if (chainId == 0 || peers[origin.srcEid] != origin.sender) revert UnknownPath(origin.srcEid);
        if (message.length < 64 || message.length % 32 != 0) revert BadMessage();
        uint256 records = message.length / 32 - 1;
        if (records > MAX_RECORDS) revert BadMessage();
        bytes32 application = bytes32(message);
        bytes32 remoteOracle = origin.sender;
        for (uint256 i = 1; i <= records; ++i) {
            bytes32 payloadHash = bytes32(message[i * 32:]);
            attested[_key(chainId, remoteOracle, application, payloadHash)] = true;
        }
        emit Attested(guid, chainId, application, records);
    }

    /// @notice LayerZero asks before it lets a path's first packet in.
    function allowInitializePath(PacketOrigin calldata origin) external view returns (bool) {
        return chainOf[origin.srcEid] != 0 && peers[origin.srcEid] == origin.sender;
    }

    /// @notice Zero tells the executor that packets may be executed in any order.
    function nextNonce(uint32, bytes32) external pure returns (uint64) {
        return 0;
    }

    /// @inheritdoc IOracle
    function isProven(
        uint256 remoteChainId,
        bytes32 remoteOracle,
        bytes32 application,
        bytes32 dataHash
    ) public view returns (bool) {
        return attested[_key(remoteChainId, remoteOracle, application, dataHash)];
    }

    /// @inheritdoc IOracle
    function efficientRequireProven(bytes calldata proofSeries) external view {
        if (proofSeries.length % 128 != 0) revert NotDivisible(proofSeries.length, 128);
        for (uint256 at; at < proofSeries.length; at += 128) {
            (uint256 chainId, bytes32 remoteOracle, bytes32 application, bytes32 dataHash) =
                abi.decode(proofSeries[at:at + 128], (uint256, bytes32, bytes32, bytes32));
            if (!isProven(chainId, remoteOracle, application, dataHash)) {
                revert NotProven(chainId, remoteOracle, application, dataHash);
            }
        }
    }

    // Configuration, once

    /// @notice Names the oracle, chain and gas table behind an endpoint id.
    /// @dev Libraries, DVNs, confirmations and executor are set by the owner at the endpoint, whose
    /// delegate for this contract it is until freeze().
    function setPath(uint32 eid, bytes32 peer, Path calldata path) external {
        _onlyOwner();
        if (eid == 0 || peer == 0 || path.chainId == 0 || path.chainId == block.chainid) {
            revert BadPath(eid);
        }
        if (path.baseGas == 0 || path.perRecordGas == 0) revert BadPath(eid);
        if (peers[eid] == 0) {
            if (_eids.length == MAX_PATHS) revert TooManyPaths();
            _eids.push(eid);
        }
        peers[eid] = peer;
        paths[eid] = path;
        emit PathSet(eid, path.chainId, peer, path.baseGas, path.perRecordGas);
    }

    /// @notice Checks every path's configuration at the endpoint, switches the paths on, and gives
    /// up owner and delegate for ever.
    /// @dev One path per chain: with equal addresses everywhere, a chain id copied to a second path
    /// would make that chain's records proof of this one's.
    function freeze() external {
        _onlyOwner();
        uint32[] memory list = _eids;
        if (list.length == 0) revert UnknownPath(0);
        for (uint256 i; i < list.length; ++i) {
            uint256 chainId = paths[list[i]].chainId;
            for (uint256 j; j < i; ++j) {
                if (chainOf[list[j]] == chainId) revert BadPath(list[i]);
            }
            _checkConfiguration(list[i]);
            chainOf[list[i]] = chainId;
        }
        owner = address(0);
        endpoint.setDelegate(address(0));
        emit Frozen(list);
    }

    /// @return The configured endpoint ids.
    function configuredEids() external view returns (uint32[] memory) {
        return _eids;
    }

    /// @dev Nothing may be left to LayerZero's defaults, which LayerZero can change: both libraries,
    /// no grace period for an older receive library, at least two required DVNs both ways, the
    /// optional ones decided, confirmations, the executor, and a message size a full packet fits. What
    /// the other chain has configured cannot be seen from here; the deployer compares both ends.
    /// Nor may a nonce have been skipped: that alone opens a path before chainOf is written, so that
    /// the delegate's own DVN could verify a packet to be executed after freeze().
    function _checkConfiguration(uint32 eid) private view {
        address sendLib = endpoint.getSendLibrary(address(this), eid);
        (address receiveLib, bool receiveDefault) = endpoint.getReceiveLibrary(address(this), eid);
        (, uint256 graceExpiry) = endpoint.receiveLibraryTimeout(address(this), eid);
        bool isDefault = endpoint.isDefaultSendLibrary(address(this), eid) || receiveDefault;
        (uint32 maxMessageSize, address executor) =
            ISendUln(sendLib).executorConfigs(address(this), eid);
        if (
            isDefault || graceExpiry > block.number || executor == address(0)
                || maxMessageSize < 32 + 32 * MAX_RECORDS
                || endpoint.lazyInboundNonce(address(this), eid, peers[eid]) != 0
                || !_isStrong(IUln(sendLib).getAppUlnConfig(address(this), eid))
                || !_isStrong(IUln(receiveLib).getAppUlnConfig(address(this), eid))
        ) revert WeakConfiguration(eid);
    }

    function _isStrong(UlnConfig memory config) private pure returns (bool) {
        return config.requiredDVNCount >= 2 && config.requiredDVNCount != UNSET_OR_NIL_DVN_COUNT
            && config.optionalDVNCount != 0 && config.confirmations != 0
            && config.confirmations != type(uint64).max;
    }

    function _onlyOwner() private view {
        if (owner == address(0)) revert AlreadyFrozen();
        if (msg.sender != owner) revert NotOwner();
    }

    function _quote(uint32 eid, uint256 records) private view returns (uint256) {
        if (records == 0 || records > MAX_RECORDS) revert BadRecordCount(records);
        MessagingParams memory params = _params(eid, new bytes(32 + 32 * records), records);
        MessagingFee memory fee = endpoint.quote(params, address(this));
        return fee.nativeFee;
    }

    function _params(uint32 eid, bytes memory message, uint256 records)
        private
        view
        returns (MessagingParams memory)
    {
        if (chainOf[eid] == 0) revert UnknownPath(eid);
        return MessagingParams(eid, peers[eid], message, optionsFor(eid, records), false);
    }

    /// @dev application ‖ payloadHash[], after the application vouched for every payload.
    function _message(address source, bytes[] calldata payloads)
        private
        view
        returns (bytes memory message)
    {
        uint256 records = payloads.length;
        if (records == 0 || records > MAX_RECORDS) revert BadRecordCount(records);
        if (!IAttester(source).hasAttested(payloads)) revert NotAttested();
        message = new bytes(32 + 32 * records);
        assembly ("memory-safe") {
            mstore(add(message, 0x20), source)
        }
        for (uint256 i; i < records; ++i) {
            bytes32 payloadHash = keccak256(payloads[i]);
            assembly ("memory-safe") {
                mstore(add(add(message, 0x40), shl(5, i)), payloadHash)
            }
        }
    }

    function _key(uint256 chainId, bytes32 remoteOracle, bytes32 application, bytes32 payloadHash)
        private
        pure
        returns (bytes32 key)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, chainId)
            mstore(add(free, 0x20), remoteOracle)
            mstore(add(free, 0x40), application)
            mstore(add(free, 0x60), payloadHash)
            key := keccak256(free, 0x80)
        }
    }
}
