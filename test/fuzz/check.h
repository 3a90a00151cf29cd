// What must hold of every answer of the core, whatever it was asked: the status is a documented one,
// no published number is NaN, legs name existing venues once each. On problems whose numbers a
// double can add up, also: each venue pays no more than its formula, no node spends what it does
// not have by then, the value is what the legs leave, and no value exceeds the bound.

#ifndef TRIMTAB_FUZZ_CHECK_H
#define TRIMTAB_FUZZ_CHECK_H

#include <stdio.h>

#include "decode.h"

/** Relative error allowed to sums of a few dozen doubles. */
#define ROUNDING 1e-9
/** Share of the whole plan that rounding may misplace at one node; the host gives way for it. */
#define DUST 1e-12
/** Work beyond workMax that finishing what was begun may cost, per solve begun. */
#define WORK_SLACK 64

/** TRIMTAB_FUZZ_IGNORE names promises, so that a campaign goes on past a finding that is reported. */
static bool ignored(const char *name) {
  const char *list = getenv("TRIMTAB_FUZZ_IGNORE");
  return list != NULL && strstr(list, name) != NULL;
}

#define REQUIRE(name, condition, ...)                \
  do {                                               \
    if (!(condition) && !ignored(name)) {            \
      fprintf(stderr, "FAILED %s: %s: ", name, #condition); \
      fprintf(stderr, __VA_ARGS__);                  \
      fprintf(stderr, "\n");                         \
      return false;                                  \
    }                                                \
  } while (0)

static uint32_t venue_at(int32_t e) { return block_at(HEADER_venues) + (uint32_t)e * SIZE_venue; }
static uint32_t node_at(int32_t k) { return block_at(HEADER_nodes) + (uint32_t)k * SIZE_node; }

/** What a concentrated pool pays for `kept` after fees: range after range, no prefix sums. */
static double walk_ranges(uint32_t venue, bool forward, double kept) {
  const int32_t first = get_i32(venue + (forward ? VENUE_down : VENUE_up));
  const int32_t count = get_i32(venue + (forward ? VENUE_downCount : VENUE_upCount));
  double paid = 0;
  for (int32_t k = 0; k + 1 < count && kept > 0; k++) {
    const uint32_t at = block_at(HEADER_ticks) + (uint32_t)(first + k) * SIZE_tick;
    const double near = get_f64(at + TICK_near), far = get_f64(at + SIZE_tick + TICK_near);
    const double liquidity = get_f64(at + TICK_liquidity);
    if (!(liquidity > 0)) continue;
    if (forward) {
      const double all = liquidity * (1 / far - 1 / near), used = kept < all ? kept : all;
      paid += used * near * near / (1 + used * near / liquidity);
      kept -= used;
    } else {
      const double all = liquidity * (far - near), used = kept < all ? kept : all;
      paid += used / (near * (near + used / liquidity));
      kept -= used;
    }
  }
  return paid;
}

/** The most a venue pays for `input`; infinity where this file knows no formula. */
static double formula(uint32_t venue, bool forward, double input) {
  const int32_t kind = get_i32(venue + VENUE_kind);
  const double kept = get_f64(venue + VENUE_keep) * input;
  const double a = get_f64(venue + VENUE_a), b = get_f64(venue + VENUE_b);
  if (kind == KIND_constantProduct)
    return forward ? b * kept / (a + kept) : a * kept / (b + kept);
  if (kind == KIND_concentrated) return walk_ranges(venue, forward, kept);
  if (kind == KIND_order) return kept;
  if (kind == KIND_bridge) return fmax(kept - get_f64(venue + VENUE_fixedFee), 0);
  return INFINITY;
}

static double group_costs(const bool *used) {
  double cost = 0;
  for (int32_t g = 0; g < get_i32(head_at(HEADER_groupCount)); g++) {
    const uint32_t at = block_at(HEADER_groups) + (uint32_t)g * SIZE_group;
    const int32_t first = get_i32(at + GROUP_members), count = get_i32(at + GROUP_memberCount);
    bool any = false;
    for (int32_t k = first; k < first + count; k++)
      any = any || used[get_i32(block_at(HEADER_members) + 4 * (uint32_t)k)];
    if (any) cost += get_f64(at + GROUP_fixedCost);
  }
  return cost;
}

/** Worth of final balances in the objective, before costs. */
static double objective_of(const double *balance, int32_t nodes) {
  if (get_i32(head_at(HEADER_objective)) == OBJECTIVE_swap) {
    const int32_t buy = get_i32(head_at(HEADER_buyNode));
    return balance[buy] * get_f64(node_at(buy) + NODE_price);
  }
  double least = INFINITY;
  for (int32_t g = 0; g < get_i32(head_at(HEADER_targetCount)); g++) {
    const uint32_t at = block_at(HEADER_targets) + (uint32_t)g * SIZE_target;
    double worth = 0;
    for (int32_t k = 0; k < nodes; k++)
      if (get_i32(node_at(k) + NODE_target) == g) worth += balance[k];
    const double weight = get_f64(at + TARGET_weight);
    if (weight > 0 && worth / weight < least) least = worth / weight;
  }
  return least == INFINITY ? 0 : least;
}

/** The nodes a leg leaves and enters. */
static void ends_of(uint32_t leg, uint32_t venue, int32_t *from, int32_t *to) {
#ifdef LEG_from
  (void)venue;
  *from = get_i32(leg + LEG_from);
  *to = get_i32(leg + LEG_to);
#else
  const bool forward = get_i32(leg + LEG_direction) == DIRECTION_forward;
  *from = get_i32(venue + (forward ? VENUE_from : VENUE_to));
  *to = get_i32(venue + (forward ? VENUE_to : VENUE_from));
#endif
}

/* What a venue may take in: a pool of n nodes has a cap a node; its record's own caps are the pair's. */
static double cap_of(uint32_t venue, bool forward, int32_t from) {
  const int32_t kind = get_i32(venue + VENUE_kind);
  if (kind != KIND_weighted && kind != KIND_stable) {
    return get_f64(venue + (forward ? VENUE_capFrom : VENUE_capTo));
  }
  const uint32_t first = (uint32_t)get_i32(venue + VENUE_nodes);
  for (int32_t k = 0; k < get_i32(venue + VENUE_nodeCount); k++) {
    const uint32_t node = block_at(HEADER_poolNodes) + (first + (uint32_t)k) * SIZE_poolNode;
    if (get_i32(node + POOL_NODE_node) == from) return get_f64(node + POOL_NODE_cap);
  }
  return 0;
}

static double flow_of(int32_t legs) {
  double sum = 0;
  for (int32_t k = 0; k < legs; k++) {
    const uint32_t leg = block_at(HEADER_legs) + (uint32_t)k * SIZE_leg;
    sum += get_f64(leg + LEG_input) + get_f64(leg + LEG_output);
  }
  return sum;
}

/** What a rounding at a node is divided by before it reaches the value. */
static double least_weight(void) {
  double least = 1;
  for (int32_t g = 0; g < get_i32(head_at(HEADER_targetCount)); g++) {
    const uint32_t at = block_at(HEADER_targets) + (uint32_t)g * SIZE_target;
    const double weight = get_f64(at + TARGET_weight);
    if (weight > 0 && weight < least) least = weight;
  }
  return least;
}

static bool check_legs(bool sane, int32_t legs) {
  const int32_t nodes = get_i32(head_at(HEADER_nodeCount));
  const int32_t venues = get_i32(head_at(HEADER_venueCount));
  bool *used = calloc((size_t)venues + 1, sizeof(bool));
  double *balance = calloc((size_t)nodes, sizeof(double));
  double *through = calloc((size_t)nodes, sizeof(double));
  // A batch's orders bring and take between the legs: the stress test sums those exactly.
  const bool batch = get_i32(head_at(HEADER_objective)) == OBJECTIVE_batch;
  double costs = 0, scale = fabs(get_f64(head_at(HEADER_bound)));
  for (int32_t k = 0; k < nodes; k++) {
    balance[k] = through[k] = get_f64(node_at(k) + NODE_supply);
    scale += balance[k];
  }
  const double dust = DUST * (scale + flow_of(legs));
  for (int32_t k = 0; k < legs; k++) {
    const uint32_t leg = block_at(HEADER_legs) + (uint32_t)k * SIZE_leg;
    const int32_t e = get_i32(leg + LEG_venue);
    REQUIRE("legs", e >= 0 && e < venues && !used[e], "leg %d of venue %d", k, e);
    used[e] = true;
    const uint32_t venue = venue_at(e);
    const int32_t direction = get_i32(leg + LEG_direction);
    const double input = get_f64(leg + LEG_input), output = get_f64(leg + LEG_output);
    REQUIRE(sane ? "amounts" : "nan", input > 0 && isfinite(input), "leg %d input %g", k, input);
    REQUIRE(sane ? "amounts" : "nan", output >= 0 && isfinite(output), "leg %d output %g", k, output);
    int32_t from, to;
    ends_of(leg, venue, &from, &to);
    REQUIRE("legs", from >= 0 && from < nodes && to >= 0 && to < nodes && from != to, "leg %d", k);
    if (!sane || get_i32(venue + VENUE_kind) == KIND_batchOrder) continue;
    const bool forward = direction == DIRECTION_forward;
    const double cap = cap_of(venue, forward, from);
    const double most = formula(venue, forward, input);
    REQUIRE("cap", input <= cap * (1 + ROUNDING), "leg %d input %g cap %g", k, input, cap);
    REQUIRE("formula", output <= most * (1 + ROUNDING), "leg %d venue %d output %g most %g", k, e, output, most);
    REQUIRE("balance", batch || input <= balance[from] + ROUNDING * through[from] + dust,
            "leg %d spends %.17g of %.17g, dust %g", k, input, balance[from], dust);
    balance[from] -= input;
    balance[to] += output;
    through[to] += output;
    costs += get_f64(venue + VENUE_fixedCost);
  }
  if (sane) {
    const double value = get_f64(head_at(HEADER_value));
    const double truth = objective_of(balance, nodes) - costs - group_costs(used);
    const double bound = get_f64(head_at(HEADER_bound));
    REQUIRE("value", batch || value <= truth + ROUNDING * (fabs(truth) + costs) + nodes * dust / least_weight(),
            "value %.17g legs leave %.17g, costs %g, dust %g", value, truth, costs, dust);
    REQUIRE("bound", value <= bound + ROUNDING * (fabs(bound) + fabs(value)), "value %.17g bound %.17g",
            value, bound);
  }
  free(used);
  free(balance);
  free(through);
  return true;
}

/** False, and says what, if the answer in memory breaks a promise. */
static bool check_answer(const Input *in, int32_t status) {
  REQUIRE("status", status >= STATUS_ok && status <= STATUS_badInput, "status %d", status);
  REQUIRE("status", status == get_i32(head_at(HEADER_status)), "status %d", status);
  if (status > STATUS_limit) return true;
  const int32_t legs = get_i32(head_at(HEADER_legCount));
  const int32_t work = get_i32(head_at(HEADER_work)), most = get_i32(head_at(HEADER_workMax));
  REQUIRE("legs", legs >= 0 && legs <= get_i32(head_at(HEADER_venueCount)), "%d legs", legs);
  REQUIRE("nan", !isnan(get_f64(head_at(HEADER_value))), "value");
  REQUIRE("nan", !isnan(get_f64(head_at(HEADER_bound))), "bound");
  REQUIRE("work", work <= 2 * (int64_t)most + WORK_SLACK * (get_i32(head_at(HEADER_solves)) + 1),
          "work %d of %d", work, most);
  for (int32_t k = 0; k < get_i32(head_at(HEADER_nodeCount)); k++) {
    const double dual = get_f64(node_at(k) + NODE_dual), left = get_f64(node_at(k) + NODE_left);
    REQUIRE("dual", dual >= 0 && isfinite(dual), "dual of node %d: %g", k, dual);
    REQUIRE("nan-left", !isnan(left), "left at node %d", k);
  }
  const bool planned = status == STATUS_ok || (status == STATUS_limit && legs > 0);
  return planned ? check_legs(in->sane, legs) : true;
}

#endif
