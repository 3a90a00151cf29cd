// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { IOracle } from "./interfaces/IOracle.sol";
import { IOutputSettler, ISettleCallback } from "./interfaces/IOutputSettler.sol";
import { IPermit2 } from "./interfaces/IPermit2.sol";
import { OrderHash } from "./libraries/OrderHash.sol";
import { OutputHash } from "./libraries/OutputHash.sol";
import { Signatures } from "./libraries/Signatures.sol";
import { AwardTerms, Fill, Head, Input, Leg, LocalCall, MandateOutput } from "./libraries/Structs.sol";
import { Tokens } from "./libraries/Tokens.sol";
import { TransientLock } from "./libraries/TransientLock.sol";

/// @title PortfolioSettler
/// @notice The origin of an order: takes this chain's inputs into escrow under one award, and gives
/// them to the filler on proof that every output was delivered in time, or back to the owner. It
/// owns escrow and nothing else; it has no admin, no pause and no upgrade, and trusts no periphery.
///
///     None ─open→ Open ─release→ Released      None ─settleLocal→ Released
///     None ─cancel→ Cancelled                  Open ─refund→ Refunded
///
/// Every function takes the order's static fields (`head`), this chain's part (`leg`) and either the
/// outputs or their hash: what is needed to recompute orderId and awardId, and no more.
contract PortfolioSettler is TransientLock {
    uint256 private constant NONE = 0;
    uint256 private constant OPEN = 1;
    uint256 private constant RELEASED = 2;
    uint256 private constant REFUNDED = 3;
    uint256 private constant CANCELLED = 4;

    /// @notice Origins of one order: their index has five bits of the slot.
    uint256 public constant MAX_ORIGINS = 32;
    /// @notice Longest time from open to expiry.
    uint256 public constant MAX_LIFE = 30 days;
    /// @notice Least time from fillDeadline to expiry, seconds: at least twice finality, verification
    /// and execution of the slowest path, so that an honest filler can always prove in time.
    uint256 public immutable MIN_PROOF_WINDOW;
    /// @notice Uniswap's Permit2 on this chain, or zero where there is none.
    IPermit2 public immutable PERMIT2;

    /// @notice Upper 31 bytes of the awardId, then five bits of leg.index and three of the status.
    /// @dev The index fixes which leg of the order was escrowed: the other origins are hashes here,
    /// so that an order could name this chain twice, open its small leg and be paid its large one.
    mapping(address owner => mapping(uint256 nonce => bytes32)) public slot;
    /// @notice What could not be delivered and waits to be withdrawn.
    mapping(address token => mapping(address account => uint256)) public owed;

    /// @notice Escrow taken: final for this award.
    event Opened(
        bytes32 indexed orderId, bytes32 indexed awardId, address indexed owner, uint256 nonce
    );
    /// @notice Escrow went to the beneficiary (or as it directed).
    event Released(bytes32 indexed awardId, address indexed beneficiary, address to);
    /// @notice Escrow went back to the owner.
    event Refunded(bytes32 indexed awardId, address indexed owner);
    /// @notice Inputs were swapped for the outputs on this chain, without escrow.
    event SettledLocally(
        bytes32 indexed orderId, bytes32 indexed awardId, address indexed owner, uint256 nonce
    );
    /// @notice The nonce can never be opened here.
    event Cancelled(address indexed owner, uint256 nonce);
    /// @notice A delivery failed and was credited.
    event Owed(address indexed token, address indexed account, uint256 amount);
    /// @notice A credit was paid out.
    event Withdrawn(address indexed token, address indexed account, address to, uint256 amount);

    error NotNone();
    error NotOpen();
    error BadTimes();
    error BadAward();
    error BadAwardSignature();
    error BadOwnerSignature();
    error BadFillerSignature();
    error BadOutputs();
    error BadAmounts();
    error BadInputs();
    error TooManyOrigins();
    error InexactInput(address token);
    error FilledTooLate(uint256 index);
    error NotProven(uint256 index);
    error NotLate();
    error NotExpired();
    error BadBeneficiary();
    error NothingOwed();
    error NoPermit2();

    /// @param minProofWindow Seconds; the same on every chain, as it is part of the address.
    /// @param permit2 Permit2, or zero: then openWithPermit2 reverts with NoPermit2.
    constructor(uint256 minProofWindow, address permit2) {
        if (minProofWindow == 0 || minProofWindow > MAX_LIFE) revert BadTimes();
        if (permit2 != address(0) && permit2.code.length == 0) revert NoPermit2();
        MIN_PROOF_WINDOW = minProofWindow;
        PERMIT2 = IPermit2(permit2);
    }

    // None → Open

    /// @notice Takes this chain's inputs from the owner into escrow under one award, for ever.
    /// @param outputsHash EIP-712 hash of the order's outputs array.
    /// @param awardSig The auctioneer's signature of the Award; ignored without an auctioneer, or
    /// when the auctioneer is the caller.
    /// @param ownerSig The owner's signature of the order; ignored when the owner is the caller.
    /// @return awardId What destinations key the fills by.
    function open(
        Head calldata head,
        Leg calldata leg,
        bytes32 outputsHash,
        AwardTerms calldata award,
        bytes calldata awardSig,
        bytes calldata ownerSig
    ) external locked returns (bytes32 awardId) {
        _checkTimes(head);
        bytes32 orderId;
        (orderId, awardId) = _identify(head, leg, outputsHash, award);
        _checkAward(head, award, awardId, awardSig);
        _requireOwner(head.owner, OrderHash.digest(orderId), ownerSig);
        _leaveNone(head, _slotValue(awardId, leg.index, OPEN));
        _pull(leg.inputs, head.owner);
        emit Opened(orderId, awardId, head.owner, head.nonce);
    }

    /// @notice As open, for an owner that approved Permit2 instead of this contract and signed the
    /// order as the witness of a batch transfer: permitted = this chain's inputs, spender = this
    /// contract, nonce = the order's, deadline = openDeadline.
    /// @dev The owner's authority is Permit2's own check of that signature and nothing else (its key
    /// if the owner has no code, else ERC-1271): it is asked even when the owner calls, as nothing
    /// else lets Permit2 move the tokens. The witness is orderId, so the signature binds every word
    /// of the order; Permit2's domain binds the chain. An order without inputs here cannot be opened
    /// unsigned either: Permit2 checks the signature before it looks at the transfers.
    /// @param permit2Sig The owner's signature of PermitBatchWitnessTransferFrom.
    function openWithPermit2(
        Head calldata head,
        Leg calldata leg,
        bytes32 outputsHash,
        AwardTerms calldata award,
        bytes calldata awardSig,
        bytes calldata permit2Sig
    ) external locked returns (bytes32 awardId) {
        if (address(PERMIT2) == address(0)) revert NoPermit2();
        _checkTimes(head);
        bytes32 orderId;
        (orderId, awardId) = _identify(head, leg, outputsHash, award);
        _checkAward(head, award, awardId, awardSig);
        _leaveNone(head, _slotValue(awardId, leg.index, OPEN));
        _pullWithPermit2(head, leg.inputs, orderId, permit2Sig);
        emit Opened(orderId, awardId, head.owner, head.nonce);
    }

    // Open → Released

    /// @notice Gives the escrow to the filler on proof that every awarded output was delivered by
    /// fillDeadline. Anyone may call.
    /// @param amounts The awarded amounts, in the order's output order.
    /// @param fills Who is named in each output's fill record, and when it was made.
    /// @param to Where the beneficiary wants it, if it calls itself; else it, or zero for it.
    function release(
        Head calldata head,
        Leg calldata leg,
        MandateOutput[] calldata outputs,
        AwardTerms calldata award,
        uint256[] calldata amounts,
        Fill[] calldata fills,
        address to
    ) external locked {
        (, bytes32 awardId) = _identify(head, leg, OrderHash.hashOutputs(outputs), award);
        _leaveOpen(head, leg, awardId, RELEASED);
        _checkOutputs(head, outputs, award, amounts);
        if (fills.length != outputs.length) revert BadOutputs();
        for (uint256 i; i < outputs.length; ++i) {
            Fill calldata fill = fills[i];
            if (fill.timestamp > head.fillDeadline) revert FilledTooLate(i);
            if (!_isFillProven(awardId, outputs[i], amounts[i], leg.oracle, fill)) {
                revert NotProven(i);
            }
        }
        // Whoever filled, an award pays its filler: a stranger's fill of a small output under
        // another name must not redirect the escrow. Without an award the single fill decides.
        address beneficiary = award.filler;
        if (head.auctioneer == address(0)) beneficiary = _toAddress(fills[0].solver);
        _payBeneficiary(leg.inputs, awardId, beneficiary, to);
    }

    /// @notice Gives the escrow to the filler because the owner says it was served: the way out for
    /// honest parties when no message arrives.
    /// @dev Only for awarded orders, and only to the award's filler or as it directs by calling:
    /// otherwise an owner could accept the escrow to himself after having been filled.
    /// @param to Bound by the owner's signature.
    /// @param ownerSig The owner's signature of Accept(awardId, to); ignored if the owner calls.
    function releaseAccepted(
        Head calldata head,
        Leg calldata leg,
        bytes32 outputsHash,
        AwardTerms calldata award,
        address to,
        bytes calldata ownerSig
    ) external locked {
        (, bytes32 awardId) = _identify(head, leg, outputsHash, award);
        _leaveOpen(head, leg, awardId, RELEASED);
        if (award.filler == address(0)) revert BadAward();
        bytes32 digest = OrderHash.digest(OrderHash.acceptHash(awardId, to));
        _requireOwner(head.owner, digest, ownerSig);
        _payBeneficiary(leg.inputs, awardId, award.filler, to);
    }

    // Open → Refunded: always to the owner, by anyone

    /// @notice Refunds on proof that the awarded output `index` was not filled in time.
    function refundTombstone(
        Head calldata head,
        Leg calldata leg,
        MandateOutput[] calldata outputs,
        AwardTerms calldata award,
        uint256[] calldata amounts,
        uint256 index
    ) external locked {
        (, bytes32 awardId) = _identify(head, leg, OrderHash.hashOutputs(outputs), award);
        _leaveOpen(head, leg, awardId, REFUNDED);
        // As release does: anyone can tombstone an output that is none of the order's.
        _checkOutputs(head, outputs, award, amounts);
        if (!_isTombstoneProven(awardId, outputs[index], amounts[index], leg.oracle)) {
            revert NotProven(index);
        }
        _refund(leg.inputs, awardId, head.owner);
    }

    /// @notice Refunds on proof that the awarded output `index` was filled after fillDeadline.
    function refundLate(
        Head calldata head,
        Leg calldata leg,
        MandateOutput[] calldata outputs,
        AwardTerms calldata award,
        uint256[] calldata amounts,
        uint256 index,
        Fill calldata fill
    ) external locked {
        (, bytes32 awardId) = _identify(head, leg, OrderHash.hashOutputs(outputs), award);
        _leaveOpen(head, leg, awardId, REFUNDED);
        _checkOutputs(head, outputs, award, amounts);
        if (fill.timestamp <= head.fillDeadline) revert NotLate();
        if (!_isFillProven(awardId, outputs[index], amounts[index], leg.oracle, fill)) {
            revert NotProven(index);
        }
        _refund(leg.inputs, awardId, head.owner);
    }

    /// @notice Refunds because the award's filler gives it up. Needs only what open's calldata holds.
    /// @param fillerSig The filler's signature of Decline(awardId); ignored if the filler calls.
    function refundDeclined(
        Head calldata head,
        Leg calldata leg,
        bytes32 outputsHash,
        AwardTerms calldata award,
        bytes calldata fillerSig
    ) external locked {
        (, bytes32 awardId) = _identify(head, leg, outputsHash, award);
        _leaveOpen(head, leg, awardId, REFUNDED);
        if (msg.sender != award.filler) {
            bytes32 digest = OrderHash.digest(OrderHash.declineHash(awardId));
            if (!Signatures.isValid(award.filler, digest, fillerSig)) revert BadFillerSignature();
        }
        _refund(leg.inputs, awardId, head.owner);
    }

    /// @notice Refunds after expiry. Needs only what open's calldata holds.
    function refundExpired(
        Head calldata head,
        Leg calldata leg,
        bytes32 outputsHash,
        AwardTerms calldata award
    ) external locked {
        (, bytes32 awardId) = _identify(head, leg, outputsHash, award);
        _leaveOpen(head, leg, awardId, REFUNDED);
        if (block.timestamp <= head.expiry) revert NotExpired();
        _refund(leg.inputs, awardId, head.owner);
    }

    // None → Released

    /// @notice Swaps the owner's inputs for the outputs in one transaction, when the whole order is
    /// on this chain: inputs to `to`, a callback to the caller, then the caller pays every output.
    /// Any failure reverts everything.
    /// @dev Outputs are plain ERC-20 deliveries: no native coin, callback data or price context.
    function settleLocal(
        Head calldata head,
        Leg calldata leg,
        MandateOutput[] calldata outputs,
        AwardTerms calldata award,
        LocalCall calldata call
    ) external locked {
        _checkTimes(head);
        if (leg.others.length != 0) revert BadInputs();
        (bytes32 orderId, bytes32 awardId) =
            _identify(head, leg, OrderHash.hashOutputs(outputs), award);
        _checkAward(head, award, awardId, call.awardSig);
        _requireOwner(head.owner, OrderHash.digest(orderId), call.ownerSig);
        if (head.auctioneer != address(0) && msg.sender != award.filler) revert BadAward();
        _leaveNone(head, _slotValue(awardId, leg.index, RELEASED));
        _checkOutputs(head, outputs, award, call.amounts);
        _sendInputs(leg.inputs, head.owner, call.to);
        if (msg.sender.code.length != 0) {
            ISettleCallback(msg.sender).inputsReceived(awardId, call.data);
        }
        for (uint256 i; i < outputs.length; ++i) {
            _deliverLocally(outputs[i], call.amounts[i]);
        }
        emit SettledLocally(orderId, awardId, head.owner, head.nonce);
    }

    // None → Cancelled

    /// @notice Voids the caller's nonces on this chain; reverts if one is already used.
    function cancel(uint256[] calldata nonces) external {
        for (uint256 i; i < nonces.length; ++i) {
            _cancel(msg.sender, nonces[i]);
        }
    }

    /// @notice Voids one nonce with the owner's signature of Cancel(owner, nonce), which is good on
    /// every chain.
    function cancelFor(address owner, uint256 nonce, bytes calldata signature) external {
        bytes32 digest = OrderHash.digest(OrderHash.cancelHash(owner, nonce));
        if (!Signatures.isValid(owner, digest, signature)) revert BadOwnerSignature();
        _cancel(owner, nonce);
    }

    /// @notice Pays the caller's whole credit in a token to an address of its choice.
    function withdraw(address token, address to) external locked returns (uint256 amount) {
        amount = owed[token][msg.sender];
        if (amount == 0) revert NothingOwed();
        if (to == address(0) || to == address(this)) revert BadBeneficiary();
        owed[token][msg.sender] = 0;
        Tokens.transfer(token, to, amount);
        emit Withdrawn(token, msg.sender, to, amount);
    }

    // Identity and authority

    function _identify(
        Head calldata head,
        Leg calldata leg,
        bytes32 outputsHash,
        AwardTerms calldata award
    ) private view returns (bytes32 orderId, bytes32 awardId) {
        orderId = OrderHash.orderId(head, leg, outputsHash);
        awardId = OrderHash.awardId(orderId, head.fillDeadline, award);
    }

    function _checkTimes(Head calldata head) private view {
        uint256 fillDeadline = head.fillDeadline;
        uint256 expiry = head.expiry;
        if (
            block.timestamp > head.openDeadline || head.openDeadline >= fillDeadline
                || fillDeadline + MIN_PROOF_WINDOW > expiry || expiry > block.timestamp + MAX_LIFE
        ) revert BadTimes();
    }

    function _checkAward(
        Head calldata head,
        AwardTerms calldata award,
        bytes32 awardId,
        bytes calldata awardSig
    ) private view {
        address auctioneer = head.auctioneer;
        if (auctioneer == address(0)) {
            // Fields left free would give one order many awardIds.
            if (award.filler != address(0) || award.openBy != 0 || award.amountsHash != 0) {
                revert BadAward();
            }
        } else {
            if (award.filler == address(0) || block.timestamp > award.openBy) revert BadAward();
            if (
                msg.sender != auctioneer
                    && !Signatures.isValid(auctioneer, OrderHash.digest(awardId), awardSig)
            ) revert BadAwardSignature();
        }
    }

    function _requireOwner(address owner, bytes32 digest, bytes calldata signature) private view {
        if (msg.sender != owner && !Signatures.isValid(owner, digest, signature)) {
            revert BadOwnerSignature();
        }
    }

    // The slot

    function _slotValue(bytes32 awardId, uint256 index, uint256 status)
        private
        pure
        returns (bytes32)
    {
        if (index >= MAX_ORIGINS) revert TooManyOrigins();
        return bytes32((uint256(awardId) & ~uint256(0xff)) | (index << 3) | status);
    }

    function _leaveNone(Head calldata head, bytes32 value) private {
        if (uint256(slot[head.owner][head.nonce]) != NONE) revert NotNone();
        slot[head.owner][head.nonce] = value;
    }

    function _leaveOpen(Head calldata head, Leg calldata leg, bytes32 awardId, uint256 status)
        private
    {
        uint256 index = leg.index;
        if (slot[head.owner][head.nonce] != _slotValue(awardId, index, OPEN)) revert NotOpen();
        slot[head.owner][head.nonce] = _slotValue(awardId, index, status);
    }

    function _cancel(address owner, uint256 nonce) private {
        if (uint256(slot[owner][nonce]) != NONE) revert NotNone();
        slot[owner][nonce] = bytes32(CANCELLED);
        emit Cancelled(owner, nonce);
    }

    // Outputs and proofs

    /// @dev Canonical order makes the awarded outputs' hashes distinct, so that no two share a fill.
    function _checkOutputs(
        Head calldata head,
        MandateOutput[] calldata outputs,
        AwardTerms calldata award,
        uint256[] calldata amounts
    ) private pure {
        uint256 count = outputs.length;
        if (count == 0 || amounts.length != count) revert BadOutputs();
        if (head.auctioneer == address(0)) {
            if (count != 1) revert BadOutputs();
            if (amounts[0] != outputs[0].amount) revert BadAmounts();
            return;
        }
        if (OrderHash.hashAmounts(amounts) != award.amountsHash) revert BadAmounts();
        for (uint256 i; i < count; ++i) {
            MandateOutput calldata output = outputs[i];
            if (amounts[i] < output.amount) revert BadAmounts();
            if (output.context.length != 0) revert BadOutputs();
            if (i != 0 && !_isBefore(outputs[i - 1], output)) revert BadOutputs();
        }
    }

    /// @dev Strictly ascending by (chainId, token, recipient).
    function _isBefore(MandateOutput calldata a, MandateOutput calldata b)
        private
        pure
        returns (bool)
    {
        if (a.chainId != b.chainId) return a.chainId < b.chainId;
        if (a.token != b.token) return a.token < b.token;
        return a.recipient < b.recipient;
    }

    function _isFillProven(
        bytes32 awardId,
        MandateOutput calldata output,
        uint256 amount,
        address oracle,
        Fill calldata fill
    ) private view returns (bool) {
        if (output.chainId == block.chainid) {
            bytes32 record = OutputHash.fillRecord(fill.solver, fill.timestamp);
            return _localRecord(awardId, output, amount) == record;
        }
        bytes32 hash =
            OutputHash.fillPayloadHash(awardId, output, amount, fill.solver, fill.timestamp);
        return IOracle(oracle).isProven(output.chainId, output.oracle, output.settler, hash);
    }

    function _isTombstoneProven(
        bytes32 awardId,
        MandateOutput calldata output,
        uint256 amount,
        address oracle
    ) private view returns (bool) {
        if (output.chainId == block.chainid) {
            return _localRecord(awardId, output, amount) == OutputHash.TOMBSTONE;
        }
        bytes32 hash = OutputHash.tombstonePayloadHash(
            awardId, OutputHash.outputHash(output, amount)
        );
        return IOracle(oracle).isProven(output.chainId, output.oracle, output.settler, hash);
    }

    function _localRecord(bytes32 awardId, MandateOutput calldata output, uint256 amount)
        private
        view
        returns (bytes32)
    {
        bytes32 hash = OutputHash.outputHash(output, amount);
        return IOutputSettler(_toAddress(output.settler)).getFillRecord(awardId, hash);
    }

    function _toAddress(bytes32 id) private pure returns (address) {
        if (uint256(id) >> 160 != 0 || id == 0) revert BadBeneficiary();
        return address(uint160(uint256(id)));
    }

    // Moving tokens

    /// @dev The exact growth refuses fee-on-transfer tokens and tokens that lie.
    function _pull(Input[] calldata inputs, address owner) private {
        address last;
        for (uint256 i; i < inputs.length; ++i) {
            address token = inputs[i].token;
            if (token <= last) revert BadInputs();
            last = token;
            uint256 amount = inputs[i].amount;
            uint256 before = Tokens.balanceOf(token, address(this));
            Tokens.transferFrom(token, owner, address(this), amount);
            if (Tokens.balanceOf(token, address(this)) - before != amount) {
                revert InexactInput(token);
            }
        }
    }

    /// @dev All balances are read before Permit2 moves anything: one call pulls every input.
    function _pullWithPermit2(
        Head calldata head,
        Input[] calldata inputs,
        bytes32 orderId,
        bytes calldata signature
    ) private {
        uint256 count = inputs.length;
        IPermit2.PermitBatchTransferFrom memory permit;
        permit.permitted = inputs;
        permit.nonce = head.nonce;
        permit.deadline = head.openDeadline;
        IPermit2.SignatureTransferDetails[] memory details =
            new IPermit2.SignatureTransferDetails[](count);
        uint256[] memory held = new uint256[](count);
        address last;
        for (uint256 i; i < count; ++i) {
            address token = inputs[i].token;
            if (token <= last) revert BadInputs();
            last = token;
            held[i] = Tokens.balanceOf(token, address(this));
            details[i] = IPermit2.SignatureTransferDetails(address(this), inputs[i].amount);
        }
        PERMIT2.permitWitnessTransferFrom(
            permit, details, head.owner, orderId, OrderHash.PERMIT2_WITNESS, signature
        );
        for (uint256 i; i < count; ++i) {
            address token = inputs[i].token;
            if (Tokens.balanceOf(token, address(this)) - held[i] != inputs[i].amount) {
                revert InexactInput(token);
            }
        }
    }

    /// @dev settleLocal's inputs never touch this contract.
    function _sendInputs(Input[] calldata inputs, address owner, address to) private {
        if (to == address(0) || to == address(this)) revert BadBeneficiary();
        for (uint256 i; i < inputs.length; ++i) {
            Tokens.transferFrom(inputs[i].token, owner, to, inputs[i].amount);
        }
    }

    function _deliverLocally(MandateOutput calldata output, uint256 amount) private {
        if (
            output.chainId != block.chainid || output.callbackData.length != 0
                || output.context.length != 0
        ) revert BadOutputs();
        Tokens.transferFrom(
            _toAddress(output.token), msg.sender, _toAddress(output.recipient), amount
        );
    }

    function _payBeneficiary(
        Input[] calldata inputs,
        bytes32 awardId,
        address beneficiary,
        address to
    ) private {
        if (to == address(0)) to = beneficiary;
        if (to != beneficiary && msg.sender != beneficiary) revert BadBeneficiary();
        if (to == address(this)) revert BadBeneficiary();
        for (uint256 i; i < inputs.length; ++i) {
            _push(inputs[i].token, to, inputs[i].amount, beneficiary);
        }
        emit Released(awardId, beneficiary, to);
    }

    function _refund(Input[] calldata inputs, bytes32 awardId, address owner) private {
        for (uint256 i; i < inputs.length; ++i) {
            _push(inputs[i].token, owner, inputs[i].amount, owner);
        }
        emit Refunded(awardId, owner);
    }

    /// @dev A token that refuses is credited, so that one of them cannot freeze the others.
    function _push(address token, address to, uint256 amount, address creditor) private {
        if (Tokens.tryTransfer(token, to, amount)) return;
        owed[token][creditor] += amount;
        emit Owed(token, creditor, amount);
    }
}
