// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { IOutputCallback, IOutputSettler } from "./interfaces/IOutputSettler.sol";
import { OrderHash } from "./libraries/OrderHash.sol";
import { OutputContext } from "./libraries/OutputContext.sol";
import { OutputHash } from "./libraries/OutputHash.sol";
import { Award, FillItem, MandateOutput } from "./libraries/Structs.sol";
import { Tokens } from "./libraries/Tokens.sol";
import { TransientLock } from "./libraries/TransientLock.sol";

/// @title OutputSettler
/// @notice The destination of an order: delivers outputs and records who delivered them when, in the
/// encodings of the Open Intents Framework (OIF), so that its fillers can fill here. What OIF calls
/// orderId is our awardId. It owns records; it knows no order, no other chain and no signature.
///
///     Empty ─fill→ keccak256(bytes32 solver ‖ uint32 now)      Empty ─cancel→ 1 (tombstone)
contract OutputSettler is IOutputSettler, TransientLock {
    /// @dev Keyed by keccak256(id ‖ outputHash).
    mapping(bytes32 key => bytes32 record) private _records;
    /// @notice What a recipient refused and may withdraw elsewhere; token zero is the native coin.
    mapping(address token => mapping(address account => uint256)) public owed;

    /// @notice OIF's event.
    event OutputFilled(
        bytes32 indexed orderId,
        bytes32 solver,
        uint32 timestamp,
        MandateOutput output,
        uint256 finalAmount
    );
    /// @notice The output was not filled in time and never will be.
    event OutputCancelled(bytes32 indexed awardId, bytes32 indexed outputHash);
    /// @notice The recipient refused a delivery, which was credited.
    event Owed(address indexed token, address indexed account, uint256 amount);
    /// @notice A credit was paid out.
    event Withdrawn(address indexed token, address indexed account, address to, uint256 amount);

    // OIF's errors
    error FillDeadline();
    error AlreadyFilled();
    error PayloadTooSmall();
    error WrongChain(uint256 expected, uint256 actual);
    error WrongOutputSettler(bytes32 expected, bytes32 actual);
    error ZeroValue();

    error Tombstoned();
    error NotPastDeadline();
    error DirtyAddress(bytes32 id);
    error ValueTooLow();
    error RefundFailed();
    error NothingOwed();

    // Filling

    /// @notice Delivers one output from the caller's funds; returns the existing record if it is
    /// already filled.
    /// @param id The awardId, used as is.
    /// @param fillDeadline The caller's claim: protects only the caller from filling too late.
    /// @param fillerData The solver to record (32 bytes), then anything.
    /// @return record keccak256(solver ‖ uint32 time) of the fill.
    function fill(
        bytes32 id,
        MandateOutput calldata output,
        uint48 fillDeadline,
        bytes calldata fillerData
    ) external payable locked returns (bytes32 record) {
        if (fillDeadline < block.timestamp) revert FillDeadline();
        uint256 spent;
        (record, spent) = _fill(id, output, fillerData, 0);
        _returnChange(spent);
    }

    /// @notice Delivers all outputs of one order or none. The first decides who wins: it reverts if
    /// another solver, or an earlier block, filled it.
    function fillOrderOutputs(
        bytes32 id,
        MandateOutput[] calldata outputs,
        uint48 fillDeadline,
        bytes calldata fillerData
    ) external payable locked {
        if (fillDeadline < block.timestamp) revert FillDeadline();
        (bytes32 record, uint256 spent) = _fill(id, outputs[0], fillerData, 0);
        if (record != OutputHash.fillRecord(_solver(fillerData), uint32(block.timestamp))) {
            revert AlreadyFilled();
        }
        for (uint256 i = 1; i < outputs.length; ++i) {
            (, spent) = _fill(id, outputs[i], fillerData, spent);
        }
        _returnChange(spent);
    }

    /// @notice Delivers outputs of many orders; filled ones are skipped, a tombstone reverts.
    /// @return records Each output's record.
    function fillBatch(FillItem[] calldata items, bytes calldata fillerData)
        external
        payable
        locked
        returns (bytes32[] memory records)
    {
        records = new bytes32[](items.length);
        uint256 spent;
        for (uint256 i; i < items.length; ++i) {
            FillItem calldata item = items[i];
            if (item.fillDeadline < block.timestamp) revert FillDeadline();
            (records[i], spent) = _fill(item.id, item.output, fillerData, spent);
        }
        _returnChange(spent);
    }

    // Proving

    /// @notice Tombstones awarded outputs that are empty after the award's deadline. Anyone may.
    /// @param award The whole award, so that its deadline is the true one.
    /// @param outputs Awarded outputs: with the awarded amounts.
    function cancel(Award calldata award, MandateOutput[] calldata outputs) external {
        bytes32 id = OrderHash.awardId(award);
        if (block.timestamp <= award.fillDeadline) revert NotPastDeadline();
        for (uint256 i; i < outputs.length; ++i) {
            MandateOutput calldata output = outputs[i];
            _checkHere(output);
            bytes32 hash = OutputHash.outputHash(output, output.amount);
            bytes32 key = _key(id, hash);
            bytes32 record = _records[key];
            if (record == OutputHash.TOMBSTONE) continue;
            if (record != 0) revert AlreadyFilled();
            _records[key] = OutputHash.TOMBSTONE;
            emit OutputCancelled(id, hash);
        }
    }

    /// @notice Whether every payload (a FillDescription, or a tombstone of 96 bytes) is recorded here
    /// for the calling oracle.
    function hasAttested(bytes[] calldata payloads) external view returns (bool) {
        for (uint256 i; i < payloads.length; ++i) {
            if (!_isRecorded(payloads[i])) return false;
        }
        return true;
    }

    /// @return The record of an output by its packed hash: 0 empty, 1 tombstone, else the fill.
    function getFillRecord(bytes32 id, bytes32 outputHash) external view returns (bytes32) {
        return _records[_key(id, outputHash)];
    }

    /// @return The record of an output.
    function getFillRecord(bytes32 id, MandateOutput calldata output)
        external
        view
        returns (bytes32)
    {
        return _records[_key(id, OutputHash.outputHash(output, output.amount))];
    }

    /// @notice Pays the caller's whole credit to an address of its choice.
    function withdraw(address token, address to) external locked returns (uint256 amount) {
        amount = owed[token][msg.sender];
        if (amount == 0) revert NothingOwed();
        if (to == address(0) || to == address(this)) revert DirtyAddress(bytes32(0));
        owed[token][msg.sender] = 0;
        if (token == address(0)) {
            (bool sent,) = to.call{ value: amount }("");
            if (!sent) revert RefundFailed();
        } else {
            Tokens.transfer(token, to, amount);
        }
        emit Withdrawn(token, msg.sender, to, amount);
    }

    /// @param spentBefore Native coin this call has spent so far, wei.
    /// @return record The output's record, new or old.
    /// @return spent Native coin spent in all, wei.
    function _fill(
        bytes32 id,
        MandateOutput calldata output,
        bytes calldata fillerData,
        uint256 spentBefore
    ) private returns (bytes32 record, uint256 spent) {
        _checkHere(output);
        bytes32 solver = _solver(fillerData);
        uint256 amount = OutputContext.resolve(output.amount, output.context, solver);
        bytes32 key = _key(id, OutputHash.outputHash(output, output.amount));
        record = _records[key];
        spent = spentBefore;
        if (record == OutputHash.TOMBSTONE) revert Tombstoned();
        if (record != 0) return (record, spent);
        // The record stands before anything is called.
        record = OutputHash.fillRecord(solver, uint32(block.timestamp));
        _records[key] = record;
        if (output.token == 0) {
            spent += amount;
            if (spent > msg.value) revert ValueTooLow();
        }
        _deliver(output, amount);
        emit OutputFilled(id, solver, uint32(block.timestamp), output, amount);
    }

    /// @dev Moves the tokens, then calls the recipient if the output says so.
    function _deliver(MandateOutput calldata output, uint256 amount) private {
        address recipient = _toAddress(output.recipient);
        bytes calldata callbackData = output.callbackData;
        bool mayCredit = callbackData.length == 0;
        if (output.token == 0) {
            _deliverNative(recipient, amount, mayCredit);
        } else {
            _deliverToken(_toAddress(output.token), recipient, amount, mayCredit);
        }
        if (!mayCredit) {
            IOutputCallback(recipient).outputFilled(output.token, amount, callbackData);
        }
    }

    /// @dev A recipient that refuses must not stop the order's other outputs: the settler takes the
    /// tokens instead and credits what arrived. An output with callback data has no such way out:
    /// its recipient must not be told of tokens it has not got.
    function _deliverToken(address token, address recipient, uint256 amount, bool mayCredit) private {
        if (Tokens.tryTransferFrom(token, msg.sender, recipient, amount)) return;
        if (!mayCredit) revert Tokens.TransferFailed(token);
        uint256 before = Tokens.balanceOf(token, address(this));
        Tokens.transferFrom(token, msg.sender, address(this), amount);
        _credit(token, recipient, Tokens.balanceOf(token, address(this)) - before);
    }

    function _deliverNative(address recipient, uint256 amount, bool mayCredit) private {
        if (Tokens.trySendNative(recipient, amount)) return;
        if (!mayCredit) revert Tokens.TransferFailed(address(0));
        _credit(address(0), recipient, amount);
    }

    function _credit(address token, address account, uint256 amount) private {
        owed[token][account] += amount;
        emit Owed(token, account, amount);
    }

    /// @dev msg.value − spent, never this contract's balance, which holds other accounts' credits.
    function _returnChange(uint256 spent) private {
        uint256 change = msg.value - spent;
        if (change == 0) return;
        (bool sent,) = msg.sender.call{ value: change }("");
        if (!sent) revert RefundFailed();
    }

    function _isRecorded(bytes calldata payload) private view returns (bool) {
        if (payload.length == OutputHash.TOMBSTONE_LENGTH) {
            bytes32 tag = bytes32(payload);
            bytes32 key = _key(bytes32(payload[32:]), bytes32(payload[64:]));
            return tag == OutputHash.TOMBSTONE_TAG && _records[key] == OutputHash.TOMBSTONE;
        }
        if (payload.length < OutputHash.FILL_LENGTH_MIN) revert PayloadTooSmall();
        bytes32 hash = keccak256(
            abi.encodePacked(
                uint256(uint160(msg.sender)),
                uint256(uint160(address(this))),
                block.chainid,
                payload[68:]
            )
        );
        bytes32 record = OutputHash.fillRecord(bytes32(payload), uint32(bytes4(payload[64:])));
        return _records[_key(bytes32(payload[32:]), hash)] == record;
    }

    function _checkHere(MandateOutput calldata output) private view {
        if (output.chainId != block.chainid) revert WrongChain(output.chainId, block.chainid);
        bytes32 here = bytes32(uint256(uint160(address(this))));
        if (output.settler != here) revert WrongOutputSettler(output.settler, here);
    }

    function _solver(bytes calldata fillerData) private pure returns (bytes32 solver) {
        if (fillerData.length < 32) revert ZeroValue();
        solver = bytes32(fillerData);
        if (solver == 0) revert ZeroValue();
    }

    function _toAddress(bytes32 id) private pure returns (address) {
        if (uint256(id) >> 160 != 0 || id == 0) revert DirtyAddress(id);
        return address(uint160(uint256(id)));
    }

    function _key(bytes32 id, bytes32 outputHash) private pure returns (bytes32 key) {
        assembly ("memory-safe") {
            mstore(0x00, id)
            mstore(0x20, outputHash)
            key := keccak256(0x00, 0x40)
        }
    }
}
