// A byte string → a problem in the core's memory: what makes the fuzzer's inputs structured. Every
// choice costs a byte or two, so that a mutated byte is a mutated decision; a string that ends early
// goes on as zeros. Most problems are well formed; some carry NaN, infinities, denormals, counts
// beyond everything, or raw bytes over the arranged records.

#ifndef TRIMTAB_FUZZ_DECODE_H
#define TRIMTAB_FUZZ_DECODE_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "abi.h"
#include "core.h"

#define FUZZ_NODES_MAX 16
#define FUZZ_VENUES_MAX 48
#define FUZZ_RANGES_MAX 6
#define FUZZ_GROUPS_MAX 5
#define FUZZ_ORDERS_MAX 8
#define FUZZ_POOL_MAX 8

typedef struct {
  const uint8_t *bytes;
  size_t size, at;
  /** Every number written so far lies where doubles keep their digits: strict checks apply. */
  bool sane;
} Input;

static uint8_t byte_of(Input *in) { return in->at < in->size ? in->bytes[in->at++] : 0; }
static uint32_t below(Input *in, uint32_t count) { return byte_of(in) % count; }

static void put_i32(uint32_t at, int32_t value) { memcpy(core_memory() + at, &value, 4); }
static void put_f64(uint32_t at, double value) { memcpy(core_memory() + at, &value, 8); }
static int32_t get_i32(uint32_t at) {
  int32_t value;
  memcpy(&value, core_memory() + at, 4);
  return value;
}
static double get_f64(uint32_t at) {
  double value;
  memcpy(&value, core_memory() + at, 8);
  return value;
}
static uint32_t head_at(uint32_t offset) { return core_header() + offset; }
static uint32_t block_at(uint32_t offset) { return (uint32_t)get_i32(head_at(offset)); }

static const double SPECIAL[] = {0.0,     -0.0,     NAN,   INFINITY, -INFINITY, -1.0,  DBL_MIN, 4.9e-324,
                                 DBL_MAX, 1e-300, 1e300, 1e-30,    1e30,      1e150, 1e-150,  1e16};

/** 10^(−span/2 … span/2) around `typical`; at times a special double or eight raw bytes. */
static double number(Input *in, double typical, double span) {
  const uint8_t b = byte_of(in);
  if (b == 255) {
    in->sane = false;
    return SPECIAL[below(in, sizeof SPECIAL / sizeof *SPECIAL)];
  }
  if (b == 254) {
    uint64_t raw = 0;
    for (int k = 0; k < 8; k++) raw = raw << 8 | byte_of(in);
    double value;
    memcpy(&value, &raw, 8);
    in->sane = false;
    return value;
  }
  const double fine = byte_of(in) / 256.0;
  return typical * pow(10.0, ((b + fine) / 254.0 - 0.5) * span);
}

typedef struct {
  int32_t kind, nodes[FUZZ_POOL_MAX], node_count;
  double typical;
  uint32_t ranges_down, ranges_up;
} Sketch;

static const int32_t KINDS[] = {
    KIND_constantProduct, KIND_concentrated, KIND_order, KIND_bridge, KIND_constantProduct,
#ifdef KIND_weighted
    KIND_weighted,
#endif
#ifdef KIND_stable
    KIND_stable,
#endif
};

static bool has_ticks(int32_t kind) { return kind == KIND_concentrated; }
static bool has_pool(int32_t kind) {
#ifdef KIND_weighted
  if (kind == KIND_weighted) return true;
#endif
#ifdef KIND_stable
  if (kind == KIND_stable) return true;
#endif
  (void)kind;
  return false;
}

static void sketch(Input *in, Sketch *s, int32_t nodes) {
  s->kind = KINDS[below(in, sizeof KINDS / sizeof *KINDS)];
  s->nodes[0] = (int32_t)below(in, (uint32_t)nodes);
  s->nodes[1] = (s->nodes[0] + 1 + (int32_t)below(in, (uint32_t)(nodes - 1))) % nodes;
  s->node_count = 2;
  s->ranges_down = s->ranges_up = 0;
  if (has_ticks(s->kind)) {
    s->ranges_down = below(in, FUZZ_RANGES_MAX);
    s->ranges_up = below(in, FUZZ_RANGES_MAX);
  }
  if (has_pool(s->kind)) {
    int32_t most = nodes < FUZZ_POOL_MAX ? nodes : FUZZ_POOL_MAX;
    if (most > 5 && s->kind != KINDS[5]) most = 5;
    s->node_count = 2 + (int32_t)below(in, (uint32_t)(most - 1));
    for (int32_t k = 1; k < s->node_count; k++) s->nodes[k] = (s->nodes[0] + k) % nodes;
  }
}

/** Ranges of liquidity one way from √price `near`; the last tick carries none. */
static uint32_t put_ranges(Input *in, uint32_t first, double near, double sign, uint32_t ranges,
                           double typical) {
  for (uint32_t k = 0; k <= ranges; k++) {
    const uint32_t at = block_at(HEADER_ticks) + (first + k) * SIZE_tick;
    put_f64(at + TICK_near, near);
    put_f64(at + TICK_liquidity, k == ranges ? 0 : number(in, typical, 8));
    near *= exp(sign * (1 + below(in, 250)) / 500.0);
  }
  return ranges + 1;
}

static void put_pool(Input *in, const Sketch *s, uint32_t at, uint32_t first) {
#ifdef HEADER_poolNodes
  put_i32(at + VENUE_nodes, (int32_t)first);
  put_i32(at + VENUE_nodeCount, s->node_count);
  put_f64(at + VENUE_a, number(in, 200.0 * s->node_count, 3));
  put_f64(at + VENUE_b, 0);
  double weights[FUZZ_POOL_MAX], sum = 0;
  for (int32_t k = 0; k < s->node_count; k++) sum += weights[k] = 16 + byte_of(in);
  for (int32_t k = 0; k < s->node_count; k++) {
    const uint32_t node = block_at(HEADER_poolNodes) + (first + (uint32_t)k) * SIZE_poolNode;
    put_i32(node + POOL_NODE_node, s->nodes[k]);
    put_f64(node + POOL_NODE_balance, number(in, s->typical, 4));
    put_f64(node + POOL_NODE_weight, weights[k] / sum);
    put_f64(node + POOL_NODE_rate, number(in, 1, 0.1));
    put_f64(node + POOL_NODE_cap, byte_of(in) < 200 ? INFINITY : number(in, s->typical, 6));
  }
#else
  (void)in, (void)s, (void)at, (void)first;
#endif
}

static void put_venue(Input *in, const Sketch *s, int32_t e, uint32_t *tick, uint32_t *pool) {
  const uint32_t at = block_at(HEADER_venues) + (uint32_t)e * SIZE_venue;
  const bool one_way = s->kind == KIND_order || s->kind == KIND_bridge;
  put_i32(at + VENUE_kind, s->kind);
  put_i32(at + VENUE_from, s->nodes[0]);
  put_i32(at + VENUE_to, s->nodes[1]);
  put_i32(at + VENUE_directions, one_way ? DIRECTION_forward : DIRECTION_both);
  const uint8_t flags = byte_of(in);
  put_f64(at + VENUE_capFrom, flags & 1 ? number(in, s->typical, 8) : INFINITY);
  put_f64(at + VENUE_capTo, flags & 2 ? number(in, s->typical, 8) : INFINITY);
  put_f64(at + VENUE_fixedCost, flags & 4 ? number(in, 1, 6) : 0);
  put_f64(at + VENUE_fixedFee,
          s->kind == KIND_bridge && (flags & 8) ? number(in, 1, 6) : 0);
  // A fee from none to nearly everything; linear venues may pay more than one for one.
  double keep = 1 - pow(10, -(byte_of(in) / 32.0)) * (flags & 16 ? 1 : 0.01);
  if (flags & 32) keep = 1;
  if (one_way && (flags & 64)) keep = number(in, 1, 2);
  put_f64(at + VENUE_keep, keep);
  const double a = number(in, s->typical, 6);
  put_f64(at + VENUE_a, a);
  put_f64(at + VENUE_b, flags & 128 ? number(in, s->typical, 6) : a);
  if (has_ticks(s->kind)) {
    const double root = number(in, 1, 0.5);
    put_f64(at + VENUE_a, root);
    put_i32(at + VENUE_down, (int32_t)*tick);
    put_i32(at + VENUE_downCount, (int32_t)s->ranges_down + 1);
    *tick += put_ranges(in, *tick, root, -1, s->ranges_down, s->typical);
    put_i32(at + VENUE_up, (int32_t)*tick);
    put_i32(at + VENUE_upCount, (int32_t)s->ranges_up + 1);
    *tick += put_ranges(in, *tick, root, 1, s->ranges_up, s->typical);
  }
  if (has_pool(s->kind)) {
    put_pool(in, s, at, *pool);
    *pool += (uint32_t)s->node_count;
  }
}

/** An order of a batch: an edge from what it buys to what it sells. */
static void put_order(Input *in, int32_t e, int32_t nodes, double depth) {
  const uint32_t at = block_at(HEADER_venues) + (uint32_t)e * SIZE_venue;
  const int32_t from = (int32_t)below(in, (uint32_t)nodes);
  put_i32(at + VENUE_kind, KIND_batchOrder);
  put_i32(at + VENUE_from, from);
  put_i32(at + VENUE_to, (from + 1 + (int32_t)below(in, (uint32_t)(nodes - 1))) % nodes);
  put_i32(at + VENUE_directions, DIRECTION_forward);
  put_i32(at + VENUE_whole, (int32_t)below(in, 2));
  put_f64(at + VENUE_a, number(in, depth * 0.01, 8));
  put_f64(at + VENUE_keep, number(in, 1, 0.1));
  put_f64(at + VENUE_capFrom, INFINITY);
  put_f64(at + VENUE_capTo, INFINITY);
}

static void put_nodes(Input *in, int32_t nodes, int32_t targets, bool batch) {
  const bool swap = targets == 0;
  for (int32_t k = 0; k < nodes; k++) {
    const uint32_t at = block_at(HEADER_nodes) + (uint32_t)k * SIZE_node;
    const uint8_t flags = byte_of(in);
    const int32_t target = swap           ? -1
                           : k < targets      ? k
                           : (flags & 7) == 7 ? -1
                                              : flags % targets;
    put_f64(at + NODE_supply, swap || (flags & 8) ? 0 : number(in, 1e4, 8));
    put_f64(at + NODE_price, target < 0 && (flags & 64) && !batch ? 0 : 1);
    put_f64(at + NODE_start, flags & 128 ? number(in, 1, 4) : 0);
    put_i32(at + NODE_target, target);
  }
}

static void put_groups(Input *in, int32_t groups, const int32_t *counts, int32_t venues) {
  int32_t member = 0;
  for (int32_t g = 0; g < groups; g++) {
    const uint32_t at = block_at(HEADER_groups) + (uint32_t)g * SIZE_group;
    put_f64(at + GROUP_fixedCost, number(in, 1, 6));
    put_i32(at + GROUP_members, member);
    put_i32(at + GROUP_memberCount, counts[g]);
    for (int32_t k = 0; k < counts[g]; k++, member++) {
      const int32_t venue = (int32_t)below(in, (uint32_t)venues);
      put_i32(block_at(HEADER_members) + 4 * (uint32_t)member, venue);
    }
  }
}

/** Overwrites bytes of the arranged records, or of the header, with the rest of the string. */
static void vandalise(Input *in, bool header) {
  const uint32_t first = header ? core_header() : block_at(HEADER_nodes);
  const uint32_t end = header ? block_at(HEADER_nodes) : block_at(HEADER_scratch);
  in->sane = false;
  while (in->at < in->size && end > first) {
    const uint32_t where = first + (uint32_t)(byte_of(in) << 8 | byte_of(in)) % (end - first);
    core_memory()[where] = byte_of(in);
  }
}

enum { COUNTS_WILD = 32, RAW_RECORDS = 64, RAW_HEADER = 128 };

/** Fills the core's memory; answers with the status of `arrange`. */
static int32_t decode_problem(Input *in) {
  const uint8_t mode = byte_of(in);
  const uint32_t head = core_header();
  const bool batch = (mode & 3) == 2, swap = (mode & 3) < 2;
  const int32_t nodes = 2 + (int32_t)below(in, FUZZ_NODES_MAX - 1);
  const int32_t venues = 1 + (int32_t)below(in, FUZZ_VENUES_MAX);
  const int32_t groups = (int32_t)below(in, FUZZ_GROUPS_MAX);
  const int32_t targets = swap || batch ? 0 : 1 + (int32_t)below(in, (uint32_t)(nodes < 4 ? nodes : 4));
  const double depth = number(in, 1e6, 6);
  const int32_t orders = batch ? 1 + (int32_t)below(in, FUZZ_ORDERS_MAX) : 0;
  Sketch sketches[FUZZ_VENUES_MAX];
  int32_t ticks = 0, pool_nodes = 0, members = 0, counts[FUZZ_GROUPS_MAX];
  for (int32_t e = 0; e < venues; e++) {
    sketch(in, &sketches[e], nodes);
    sketches[e].typical = depth;
    if (has_ticks(sketches[e].kind))
      ticks += (int32_t)(sketches[e].ranges_down + sketches[e].ranges_up + 2);
    if (has_pool(sketches[e].kind)) pool_nodes += sketches[e].node_count;
  }
  for (int32_t g = 0; g < groups; g++) members += counts[g] = 1 + (int32_t)below(in, 6);
  memset(core_memory() + head, 0, SIZE_header);
  put_i32(head + HEADER_nodeCount, nodes);
  put_i32(head + HEADER_venueCount, venues + orders);
  put_i32(head + HEADER_tickCount, ticks);
  put_i32(head + HEADER_groupCount, groups);
  put_i32(head + HEADER_memberCount, members);
  put_i32(head + HEADER_targetCount, targets);
#ifdef HEADER_poolNodeCount
  put_i32(head + HEADER_poolNodeCount, pool_nodes);
#endif
  put_i32(head + HEADER_objective, swap ? OBJECTIVE_swap : batch ? OBJECTIVE_batch : OBJECTIVE_rebalance);
  put_i32(head + HEADER_workMax, 1 + (int32_t)below(in, 64) * (mode & 4 ? 32 : 4));
  put_f64(head + HEADER_gapTarget, 1e-6);
  if (mode & COUNTS_WILD) {
    static const uint32_t COUNTS[] = {HEADER_nodeCount,  HEADER_venueCount,  HEADER_tickCount,
                                      HEADER_groupCount, HEADER_memberCount, HEADER_targetCount};
    int32_t wild = 0;
    const uint32_t which = COUNTS[below(in, 6)];
    for (int k = 0; k < 4; k++) wild = (int32_t)((uint32_t)wild << 8 | byte_of(in));
    put_i32(head + which, wild);
    in->sane = false;
  }
  const int32_t status = core_arrange();
  // Counts that were changed and still fit: the records stay zeros, which are bad input.
  if (status != STATUS_ok || (mode & COUNTS_WILD)) return status;
  put_nodes(in, nodes, targets, batch);
  uint32_t tick = 0, pool = 0;
  for (int32_t e = 0; e < venues; e++) put_venue(in, &sketches[e], e, &tick, &pool);
  for (int32_t k = 0; k < orders; k++) put_order(in, venues + k, nodes, depth);
  put_groups(in, groups, counts, venues);
  for (int32_t g = 0; g < targets; g++)
    put_f64(block_at(HEADER_targets) + (uint32_t)g * SIZE_target + TARGET_weight,
            g + 1 == targets ? pow(0.5, g) : pow(0.5, g + 1));
  if (swap) {
    const int32_t sell = (int32_t)below(in, (uint32_t)nodes);
    const int32_t buy = (sell + 1 + (int32_t)below(in, (uint32_t)(nodes - 1))) % nodes;
    put_i32(head + HEADER_buyNode, buy);
    put_f64(block_at(HEADER_nodes) + (uint32_t)sell * SIZE_node + NODE_supply,
            number(in, depth * 0.01, 10));
    put_f64(block_at(HEADER_nodes) + (uint32_t)buy * SIZE_node + NODE_price, 1);
  }
  if (mode & RAW_RECORDS) vandalise(in, false);
  if (mode & RAW_HEADER) vandalise(in, true);
  return status;
}

#endif
