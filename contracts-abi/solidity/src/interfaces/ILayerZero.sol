// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

// The part of LayerZero V2's EndpointV2 and ULN302 interfaces LayerZeroOracle uses, declared here
// so that our build does not compile LayerZero's sources. test/contracts compares every selector
// with LayerZero's published ABI.

struct MessagingParams {
    uint32 dstEid;
    bytes32 receiver;
    bytes message;
    bytes options;
    bool payInLzToken;
}

struct MessagingFee {
    uint256 nativeFee;
    uint256 lzTokenFee;
}

struct MessagingReceipt {
    bytes32 guid;
    uint64 nonce;
    MessagingFee fee;
}

/// @notice LayerZero's Origin of a packet (not an order's origin).
struct PacketOrigin {
    uint32 srcEid;
    bytes32 sender;
    uint64 nonce;
}

struct UlnConfig {
    uint64 confirmations;
    uint8 requiredDVNCount;
    uint8 optionalDVNCount;
    uint8 optionalDVNThreshold;
    address[] requiredDVNs;
    address[] optionalDVNs;
}

interface ILayerZeroEndpoint {
    function quote(MessagingParams calldata params, address sender)
        external
        view
        returns (MessagingFee memory);

    function send(MessagingParams calldata params, address refundAddress)
        external
        payable
        returns (MessagingReceipt memory);

    function setDelegate(address delegate) external;

    /// @notice The highest inbound nonce executed or skipped; it never falls.
    function lazyInboundNonce(address receiver, uint32 srcEid, bytes32 sender)
        external
        view
        returns (uint64);

    function isDefaultSendLibrary(address sender, uint32 eid) external view returns (bool);

    function getSendLibrary(address sender, uint32 eid) external view returns (address);

    function getReceiveLibrary(address receiver, uint32 eid)
        external
        view
        returns (address lib, bool isDefault);

    function receiveLibraryTimeout(address receiver, uint32 eid)
        external
        view
        returns (address lib, uint256 expiry);
}

interface IUln {
    /// @notice The application's own configuration, without the defaults merged in.
    function getAppUlnConfig(address oapp, uint32 remoteEid)
        external
        view
        returns (UlnConfig memory);
}

interface ISendUln is IUln {
    function executorConfigs(address oapp, uint32 eid)
        external
        view
        returns (uint32 maxMessageSize, address executor);
}
