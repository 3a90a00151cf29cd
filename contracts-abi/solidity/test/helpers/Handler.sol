// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import { PortfolioSettler } from "../../src/PortfolioSettler.sol";
import { Award, Fill, Input, MandateOutput } from "../../src/libraries/Structs.sol";
import { Order, Reference } from "./Reference.sol";
import { Kit, Rig } from "./Rig.sol";
import { BlockListToken, TestToken } from "./Tokens.sol";

/// @notice Random acts of every party on two chains, and honest books of what they did. An act that
/// must be refused is tried as well; its success is a violation.
contract Handler is Rig {
    using Reference for *;

    uint256 private constant CASES_MAX = 6;
    uint256 private constant PACKETS_MAX = 64;
    uint256 private constant ACTS = 13;

    /// @dev One order; its content follows from nonce and createdAt.
    struct Case {
        uint256 createdAt;
        /// Per origin: the slot's status as the books have it, and whether by Accept.
        uint8[2] status;
        bool[2] accepted;
        /// Per output: who and when (0: not filled), and whether tombstoned.
        bytes32[2] solver;
        uint32[2] filledAt;
        bool[2] dead;
    }

    struct Record {
        bool onA;
        bytes32 id;
        bytes32 hash;
        bytes32 value;
    }

    struct Attestation {
        bool fromA;
        bytes32 payloadHash;
        bytes32 id;
        bytes32 hash;
        bytes32 value;
    }

    struct Flight {
        bool toA;
        bool verified;
        bool done;
        Attestation content;
    }

    Case[] private _cases;
    Record[] private _records;
    Flight[] private _flights;
    Packet[] private _packets;
    Attestation[] private _attestations;
    bytes32[] private _forged;
    mapping(address token => uint256) private _minted;
    mapping(address token => uint256) private _deposited;
    mapping(address token => uint256) private _released;
    mapping(address token => uint256) private _refunded;
    mapping(uint256 act => uint256) public reached;
    string public violation;
    address private _stranger = address(0x5712a);

    function setUp() public override { }

    function init(Kit memory kitA, Kit memory kitB, address one_, address two, address exec)
        external
    {
        (a, b, dvn1, dvn2, executor) = (kitA, kitB, one_, two, exec);
        bytes memory code = address(new BlockListToken()).code;
        vm.etch(address(a.tokenA), code);
        vm.etch(address(b.tokenA), code);
        vm.deal(filler, 1_000 ether);
    }

    function step(uint256 seed) external {
        uint256 act = seed % ACTS;
        seed >>= 8;
        if (act == 0) openOrder(seed);
        if (act == 1) fillOutput(seed);
        if (act == 2) fillForeign(seed);
        if (act == 3) tombstone(seed);
        if (act == 4) submitRecord(seed);
        if (act == 5) deliverPacket(seed);
        if (act == 6) release(seed);
        if (act == 7) refundTombstone(seed);
        if (act == 8) refundLate(seed);
        if (act == 9) refundDeclined(seed);
        if (act == 10) refundExpired(seed);
        if (act == 11) cancelOrAccept(seed);
        if (act == 12) passTimeOrWithdraw(seed);
    }

    // Acts

    function openOrder(uint256 seed) public {
        if (_cases.length < CASES_MAX && seed % 2 == 0) {
            _cases.push().createdAt = block.timestamp;
        }
        (uint256 n, uint256 o) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order, uint256[] memory amounts, Award memory award) = _order(n);
        Kit storage kit = _kit(o);
        Input[] memory inputs = order.origins[o].inputs;
        // One in two by Permit2, which pulls otherwise and must leave the same books.
        bool byPermit2 = (seed >> 128) % 2 == 0;
        bytes memory data = _openCall(order, award, o, byPermit2);
        amounts;
        for (uint256 i; i < inputs.length; ++i) {
            TestToken(inputs[i].token).mint(owner, inputs[i].amount);
            _minted[inputs[i].token] += inputs[i].amount;
            address spender = byPermit2 ? address(kit.settler.PERMIT2()) : address(kit.settler);
            vm.prank(owner);
            TestToken(inputs[i].token).approve(spender, type(uint256).max);
        }
        if (!_call(o, address(kit.settler), filler, data)) return;
        _expect(_cases[n].status[o] == 0, "I2 opened twice");
        _cases[n].status[o] = 1;
        _book(_deposited, inputs);
        reached[byPermit2 ? 15 : 0] += 1;
    }

    function _openCall(Order memory order, Award memory award, uint256 o, bool byPermit2)
        private
        view
        returns (bytes memory)
    {
        bytes memory awardSig = sign(AUCTIONEER_KEY, award.hashAward());
        bytes32 outputsHash = order.outputs.hashOutputs();
        if (byPermit2) {
            bytes memory permit2Sig = signPermit2(order, o);
            return abi.encodeCall(
                PortfolioSettler.openWithPermit2,
                (order.head, order.leg(o), outputsHash, award.terms(), awardSig, permit2Sig)
            );
        }
        bytes memory ownerSig = sign(OWNER_KEY, order.hashOrder());
        return abi.encodeCall(
            PortfolioSettler.open,
            (order.head, order.leg(o), outputsHash, award.terms(), awardSig, ownerSig)
        );
    }

    /// In time, late, or by a stranger in his own name.
    function fillOutput(uint256 seed) public {
        (uint256 n, uint256 k) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order, uint256[] memory amounts, Award memory award) = _order(n);
        address by = seed % 5 == 0 ? _stranger : filler;
        MandateOutput memory out = order.outputs[k].awarded(amounts[k]);
        bool wasEmpty = _cases[n].filledAt[k] == 0;
        if (!_fill(_kit(k), k, award.hashAward(), out, by)) return;
        _expect(!_cases[n].dead[k], "I4 filled after tombstone");
        if (!wasEmpty) return;
        _cases[n].solver[k] = id(by);
        _cases[n].filledAt[k] = uint32(block.timestamp);
        reached[1] += 1;
        if (block.timestamp > award.fillDeadline) reached[2] += 1;
    }

    /// An output that is none of the order's, under the order's award.
    function fillForeign(uint256 seed) public {
        (uint256 n, uint256 k) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order,, Award memory award) = _order(n);
        MandateOutput memory out = order.outputs[k].awarded(1 + seed % 3);
        if (_fill(_kit(k), k, award.hashAward(), out, _stranger)) reached[3] += 1;
    }

    function tombstone(uint256 seed) public {
        (uint256 n, uint256 k) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order, uint256[] memory amounts, Award memory award) = _order(n);
        MandateOutput[] memory outs = new MandateOutput[](1);
        bool foreign = seed % 7 == 0;
        outs[0] = order.outputs[k].awarded(foreign ? 12_345 : amounts[k]);
        OutputCall memory call = OutputCall(k, award.hashAward(), outs[0].outputHash());
        if (!_call(k, address(_kit(k).outputs), _stranger, _cancelCall(award, outs))) return;
        _expect(block.timestamp > award.fillDeadline, "tombstone before the deadline");
        if (!foreign) {
            _expect(_cases[n].filledAt[k] == 0, "I4 tombstone after fill");
            _cases[n].dead[k] = true;
            reached[4] += 1;
        }
        _records.push(Record(call.k == 0, call.id, call.hash, bytes32(uint256(1))));
    }

    struct OutputCall {
        uint256 k;
        bytes32 id;
        bytes32 hash;
    }

    /// Any record so far, to the other chain; one time in four a forged one.
    function submitRecord(uint256 seed) public {
        (uint256 n, uint256 k) = _pick(seed);
        if (n == type(uint256).max || _flights.length == PACKETS_MAX) return;
        (Order memory order, uint256[] memory amounts, Award memory award) = _order(n);
        MandateOutput memory out = order.outputs[k].awarded(amounts[k]);
        Case storage c = _cases[n];
        bytes32 awardId = award.hashAward();
        bytes memory payload = c.dead[k]
            ? awardId.tombstone(out)
            : awardId.fillDescription(out, c.solver[k], c.filledAt[k]);
        bool exists = c.dead[k] || c.filledAt[k] != 0;
        if (seed % 4 == 0) {
            exists = false;
            payload = c.dead[k]
                ? awardId.fillDescription(out, id(filler), uint32(block.timestamp))
                : seed % 8 == 0
                    ? awardId.tombstone(out)
                    : awardId.fillDescription(out, id(filler), c.filledAt[k] ^ 1);
        }
        try this.submitExternal(k, payload) returns (Packet memory packet) {
            _expect(exists, "I7 submitted what is not recorded");
            _packets.push(packet);
            bytes32 value = c.dead[k]
                ? bytes32(uint256(1))
                : keccak256(abi.encodePacked(c.solver[k], c.filledAt[k]));
            Attestation memory content =
                Attestation(k == 0, keccak256(payload), awardId, out.outputHash(), value);
            _flights.push(Flight(k != 0, false, false, content));
            reached[5] += 1;
        } catch {
            if (!exists) _forged.push(keccak256(payload));
        }
    }

    function submitExternal(uint256 k, bytes memory payload) external returns (Packet memory) {
        return k == 0 ? submit(a, b, one(payload)) : submit(b, a, one(payload));
    }

    /// Verifies or executes any packet, in any order, again and again.
    function deliverPacket(uint256 seed) public {
        if (_flights.length == 0) return;
        uint256 i = seed % _flights.length;
        Flight storage flight = _flights[i];
        if (!flight.verified) {
            try this.verifyExternal(i) {
                flight.verified = true;
            } catch { }
        }
        if (seed % 3 == 0) return;
        try this.executeExternal(i) {
            _expect(flight.verified && !flight.done, "packet executed twice or unverified");
            flight.done = true;
            _attestations.push(flight.content);
            reached[6] += 1;
        } catch { }
    }

    function verifyExternal(uint256 i) external {
        verify(_flights[i].toA ? a : b, _packets[i]);
    }

    function executeExternal(uint256 i) external {
        execute(_flights[i].toA ? a : b, _packets[i]);
    }

    function release(uint256 seed) public {
        (uint256 n, uint256 o) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order, uint256[] memory amounts, Award memory award) = _order(n);
        Case storage c = _cases[n];
        Fill[] memory fills = new Fill[](2);
        for (uint256 k; k < 2; ++k) {
            fills[k] = Fill(c.solver[k], c.filledAt[k]);
        }
        // A claim of an earlier time than the record's must not pass.
        if (seed % 6 == 0) fills[seed % 2] = Fill(id(filler), order.head.fillDeadline);
        bytes memory data = abi.encodeCall(
            PortfolioSettler.release,
            (order.head, order.leg(o), order.outputs, award.terms(), amounts, fills, address(0))
        );
        if (!_call(o, address(_kit(o).settler), _stranger, data)) return;
        for (uint256 k; k < 2; ++k) {
            _expect(c.filledAt[k] != 0 && !c.dead[k], "I3 released without a fill");
            _expect(c.filledAt[k] <= order.head.fillDeadline, "I3 released on a late fill");
        }
        _close(n, o, 2, order);
        reached[7] += 1;
    }

    function refundTombstone(uint256 seed) public {
        (uint256 n, uint256 o) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order, uint256[] memory amounts, Award memory award) = _order(n);
        uint256 k = (seed >> 64) % 2;
        bytes memory data = abi.encodeCall(
            PortfolioSettler.refundTombstone,
            (order.head, order.leg(o), order.outputs, award.terms(), amounts, k)
        );
        if (!_call(o, address(_kit(o).settler), _stranger, data)) return;
        _expect(_cases[n].dead[k], "refunded without a tombstone");
        _close(n, o, 3, order);
        reached[8] += 1;
    }

    function refundLate(uint256 seed) public {
        (uint256 n, uint256 o) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order, uint256[] memory amounts, Award memory award) = _order(n);
        uint256 k = (seed >> 64) % 2;
        Case storage c = _cases[n];
        uint32 at = seed % 4 == 0 ? order.head.fillDeadline + 1 : c.filledAt[k];
        bytes memory data = abi.encodeCall(
            PortfolioSettler.refundLate,
            (
                order.head,
                order.leg(o),
                order.outputs,
                award.terms(),
                amounts,
                k,
                Fill(c.solver[k], at)
            )
        );
        if (!_call(o, address(_kit(o).settler), _stranger, data)) return;
        _expect(c.filledAt[k] > order.head.fillDeadline, "refunded a fill in time");
        _close(n, o, 3, order);
        reached[9] += 1;
    }

    function refundDeclined(uint256 seed) public {
        (uint256 n, uint256 o) = _pick(seed);
        // Rare, or no order would live long enough for anything else.
        if (n == type(uint256).max || seed % 5 != 0) return;
        (Order memory order,, Award memory award) = _order(n);
        bytes memory data = abi.encodeCall(
            PortfolioSettler.refundDeclined,
            (order.head, order.leg(o), order.outputs.hashOutputs(), award.terms(), "")
        );
        address by = (seed >> 64) % 2 == 0 ? filler : _stranger;
        if (!_call(o, address(_kit(o).settler), by, data)) return;
        _expect(by == filler, "declined by a stranger");
        _close(n, o, 3, order);
        reached[10] += 1;
    }

    function refundExpired(uint256 seed) public {
        (uint256 n, uint256 o) = _pick(seed);
        if (n == type(uint256).max) return;
        (Order memory order,, Award memory award) = _order(n);
        bytes memory data = abi.encodeCall(
            PortfolioSettler.refundExpired,
            (order.head, order.leg(o), order.outputs.hashOutputs(), award.terms())
        );
        if (!_call(o, address(_kit(o).settler), _stranger, data)) return;
        _expect(block.timestamp > order.head.expiry, "refunded before expiry");
        _close(n, o, 3, order);
        reached[11] += 1;
    }

    function cancelOrAccept(uint256 seed) public {
        (uint256 n, uint256 o) = _pick(seed);
        if (n == type(uint256).max || seed % 4 != 0) return;
        (Order memory order,, Award memory award) = _order(n);
        address settler = address(_kit(o).settler);
        if (seed % 8 == 0) {
            uint256[] memory nonces = new uint256[](1);
            nonces[0] = n;
            if (!_call(o, settler, owner, abi.encodeCall(PortfolioSettler.cancel, (nonces)))) return;
            _expect(_cases[n].status[o] == 0, "cancelled what was open");
            _cases[n].status[o] = 4;
            reached[12] += 1;
            return;
        }
        bytes memory data = abi.encodeCall(
            PortfolioSettler.releaseAccepted,
            (order.head, order.leg(o), order.outputs.hashOutputs(), award.terms(), filler, "")
        );
        if (!_call(o, settler, owner, data)) return;
        _cases[n].accepted[o] = true;
        _close(n, o, 2, order);
        reached[13] += 1;
    }

    /// The clock, block lists, and credits.
    function passTimeOrWithdraw(uint256 seed) public {
        if (seed % 4 == 0) {
            BlockListToken token = BlockListToken(address(_kit(seed >> 8).tokenA));
            token.setBlocked((seed >> 9) % 2 == 0 ? owner : filler, (seed >> 10) % 2 == 0);
            return;
        }
        if (seed % 4 == 1) {
            uint256 o = (seed >> 8) % 2;
            address token = address(_kit(o).tokenA);
            bytes memory data =
                abi.encodeCall(PortfolioSettler.withdraw, (token, address(0xcafe)));
            address by = (seed >> 9) % 2 == 0 ? owner : filler;
            if (_call(o, address(_kit(o).settler), by, data)) reached[14] += 1;
            return;
        }
        // Mostly small steps, sometimes past a deadline.
        vm.warp(block.timestamp + (seed >> 8) % ((seed >> 32) % 4 == 0 ? 700 : 60));
    }

    // What must hold

    function checkSolvent() external view {
        for (uint256 t; t < 4; ++t) {
            (address token, uint256 o) = _token(t);
            PortfolioSettler settler = _kit(o).settler;
            uint256 claims = settler.owed(token, owner) + settler.owed(token, filler);
            assertEq(settler.owed(token, _stranger), 0);
            assertGe(
                TestToken(token).balanceOf(address(settler)), claims + _openInputs(token, o)
            );
        }
    }

    function checkConserved() external view {
        _noViolation();
        for (uint256 t; t < 4; ++t) {
            (address token, uint256 o) = _token(t);
            assertEq(
                _deposited[token], _released[token] + _refunded[token] + _openInputs(token, o)
            );
        }
        for (uint256 n; n < _cases.length; ++n) {
            for (uint256 o; o < 2; ++o) {
                bytes32 slot = _kit(o).settler.slot(owner, n);
                assertEq(uint8(uint256(slot)) & 7, _cases[n].status[o]);
            }
        }
    }

    function checkReleases() external view {
        _noViolation();
        for (uint256 n; n < _cases.length; ++n) {
            Case storage c = _cases[n];
            for (uint256 o; o < 2; ++o) {
                if (c.status[o] != 2 || c.accepted[o]) continue;
                for (uint256 k; k < 2; ++k) {
                    bytes32 value = keccak256(abi.encodePacked(c.solver[k], c.filledAt[k]));
                    assertEq(_recordOf(n, k), value);
                    assertLe(c.filledAt[k], c.createdAt + 200);
                }
            }
        }
    }

    function checkRecords() external view {
        _noViolation();
        for (uint256 i; i < _records.length; ++i) {
            Record storage r = _records[i];
            assertEq((r.onA ? a : b).outputs.getFillRecord(r.id, r.hash), r.value);
        }
    }

    function checkTombstones() external view {
        for (uint256 n; n < _cases.length; ++n) {
            bool isDead = _recordOf(n, 0) == bytes32(uint256(1))
                || _recordOf(n, 1) == bytes32(uint256(1));
            if (!isDead) continue;
            for (uint256 o; o < 2; ++o) {
                assertTrue(_cases[n].status[o] != 2 || _cases[n].accepted[o]);
            }
        }
    }

    function checkFlows() external view {
        for (uint256 t; t < 4; ++t) {
            (address token, uint256 o) = _token(t);
            TestToken tt = TestToken(token);
            uint256 sum = tt.balanceOf(owner) + tt.balanceOf(filler) + tt.balanceOf(address(0xcafe))
                + tt.balanceOf(address(_kit(o).settler));
            assertEq(sum, _minted[token]);
            assertEq(tt.balanceOf(_stranger), 0);
        }
    }

    function checkAttestations() external view {
        _noViolation();
        for (uint256 i; i < _attestations.length; ++i) {
            Attestation storage x = _attestations[i];
            Kit storage from = x.fromA ? a : b;
            assertTrue(_isAttested(x.fromA, x.payloadHash));
            assertEq(from.outputs.getFillRecord(x.id, x.hash), x.value);
        }
        for (uint256 i; i < _forged.length; ++i) {
            bool isTrue;
            for (uint256 j; j < _attestations.length && !isTrue; ++j) {
                isTrue = _attestations[j].payloadHash == _forged[i];
            }
            // What was a lie when it was refused may have become true since, and been sent then.
            if (isTrue) continue;
            assertFalse(_isAttested(true, _forged[i]) || _isAttested(false, _forged[i]));
        }
    }

    // Helpers

    function _pick(uint256 seed) private view returns (uint256 n, uint256 side) {
        if (_cases.length == 0) return (type(uint256).max, 0);
        return ((seed >> 16) % _cases.length, (seed >> 32) % 2);
    }

    function _kit(uint256 side) private view returns (Kit storage) {
        return side % 2 == 0 ? a : b;
    }

    function _token(uint256 t) private view returns (address token, uint256 side) {
        side = t / 2;
        token = address(t % 2 == 0 ? _kit(side).tokenA : _kit(side).tokenB);
    }

    /// @dev The nonce is the case's number; sampleOrder reads `time`.
    function _order(uint256 n)
        private
        returns (Order memory order, uint256[] memory amounts, Award memory award)
    {
        time = _cases[n].createdAt;
        order = sampleOrder(n);
        amounts = sampleAmounts(order);
        award = awardOf(order, amounts);
    }

    function _fill(Kit storage kit, uint256 side, bytes32 fillId, MandateOutput memory out, address by)
        private
        returns (bool success)
    {
        address token = address(uint160(uint256(out.token)));
        bytes32 hash = out.outputHash();
        bytes32 before = kit.outputs.getFillRecord(fillId, hash);
        TestToken(token).mint(by, out.amount);
        vm.prank(by);
        TestToken(token).approve(address(kit.outputs), out.amount);
        bytes memory data = abi.encodeCall(
            kit.outputs.fill, (fillId, out, type(uint48).max, abi.encode(by))
        );
        success = _call(side, address(kit.outputs), by, data);
        bool paid = success && before == 0;
        vm.prank(by);
        if (!paid) TestToken(token).transfer(address(0xdead), out.amount);
        else TestToken(token).approve(address(kit.outputs), 0);
        if (paid) _minted[token] += out.amount;
        bytes32 value = kit.outputs.getFillRecord(fillId, hash);
        if (before != 0) _expect(value == before, "I4 record changed");
        else if (success) _records.push(Record(side == 0, fillId, hash, value));
    }

    function _cancelCall(Award memory award, MandateOutput[] memory outs)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(a.outputs.cancel, (award, outs));
    }

    function _call(uint256 side, address target, address by, bytes memory data)
        private
        returns (bool success)
    {
        on(_kit(side));
        vm.prank(by);
        (success,) = target.call(data);
    }

    function _close(uint256 n, uint256 o, uint8 status, Order memory order) private {
        _expect(_cases[n].status[o] == 1, "I2 left Open twice");
        _cases[n].status[o] = status;
        _book(status == 2 ? _released : _refunded, order.origins[o].inputs);
    }

    function _book(mapping(address => uint256) storage book, Input[] memory inputs) private {
        for (uint256 i; i < inputs.length; ++i) {
            book[inputs[i].token] += inputs[i].amount;
        }
    }

    /// @dev On a every order escrows 1,000 of the lower and 500 of the higher token; on b 70 of A.
    function _openInputs(address token, uint256 o) private view returns (uint256 sum) {
        uint256 each = o == 0
            ? (token < _other(token) ? 1_000e18 : 500e18)
            : (token == address(b.tokenA) ? 70e18 : 0);
        for (uint256 n; n < _cases.length; ++n) {
            if (uint256(_kit(o).settler.slot(owner, n)) & 7 == 1) sum += each;
        }
    }

    function _other(address token) private view returns (address) {
        return token == address(a.tokenA) ? address(a.tokenB) : address(a.tokenA);
    }

    function _recordOf(uint256 n, uint256 k) private view returns (bytes32) {
        Order memory order = _orderAt(n);
        uint256[] memory amounts = sampleAmounts(order);
        Award memory award = awardOf(order, amounts);
        MandateOutput memory out = order.outputs[k].awarded(amounts[k]);
        return _kit(k).outputs.getFillRecord(award.hashAward(), out.outputHash());
    }

    function _orderAt(uint256 n) private view returns (Order memory order) {
        order = sampleOrder(n);
        uint256 at = _cases[n].createdAt;
        order.head.openDeadline = uint32(at + 100);
        order.head.fillDeadline = uint32(at + 200);
        order.head.expiry = uint32(at + 200 + PROOF_WINDOW);
    }

    function _isAttested(bool fromA, bytes32 payloadHash) private view returns (bool) {
        Kit storage from = fromA ? a : b;
        Kit storage to = fromA ? b : a;
        return to.oracle.isProven(
            from.chainId, id(address(from.oracle)), id(address(from.outputs)), payloadHash
        );
    }

    function _expect(bool condition, string memory what) private {
        if (!condition && bytes(violation).length == 0) violation = what;
    }

    function _noViolation() private view {
        assertEq(violation, "");
    }
}
