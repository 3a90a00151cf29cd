// The fuzzed program: byte strings → problems → solve() → checks. Three ways to run it:
//   under afl-fuzz            persistent, inputs from shared memory; a broken promise aborts
//   driver FILE...            one run per file, exit 1 and a line per broken promise
//   driver --random N SEED    N random strings without afl, for machines that lack it
//   driver --dump OUT FILE    writes the image of FILE's problem before it is solved
// A trap of the core is a broken promise too. Every input is solved twice: the answers must be equal.

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "wasm-rt-impl.h"

#define INPUT_MAX 4096

/** Decodes and solves one string; `image` receives the solved bytes. False on a broken promise. */
static bool solve_once(const uint8_t *bytes, size_t size, uint8_t **image, size_t *image_size) {
  Input in = {bytes, size, 0, true};
  *image_size = 0;
  const int arranged = decode_problem(&in);
  REQUIRE("status", arranged == STATUS_ok || arranged == STATUS_tooLarge, "arrange %d", arranged);
  if (arranged != STATUS_ok) return true;
  const uint32_t scratch = block_at(HEADER_scratch);
  const int32_t status = core_solve();
  if (!check_answer(&in, status)) return false;
  if (status > STATUS_limit || scratch < core_header() || scratch - core_header() > 1u << 20)
    return true;
  *image_size = scratch - core_header();
  *image = realloc(*image, *image_size);
  memcpy(*image, core_memory() + core_header(), *image_size);
  return true;
}

static bool run(const uint8_t *bytes, size_t size) {
  static uint8_t *images[2];
  size_t sizes[2];
  const wasm_rt_trap_t trap = wasm_rt_impl_try();
  if (trap != WASM_RT_TRAP_NONE) {
    fprintf(stderr, "FAILED: the core trapped: %s\n", wasm_rt_strerror(trap));
    return false;
  }
  for (int k = 0; k < 2; k++)
    if (!solve_once(bytes, size, &images[k], &sizes[k])) return false;
  REQUIRE("twice", sizes[0] == sizes[1] && memcmp(images[0], images[1], sizes[0]) == 0,
          "solved twice, answered differently");
  return true;
}

static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/** Strings of random length and bytes; one in four avoids the special doubles and raw modes. */
static int run_random(long count, uint64_t seed) {
  uint8_t bytes[INPUT_MAX];
  int failures = 0;
  for (long k = 0; k < count; k++) {
    uint64_t state = seed + (uint64_t)k;
    const size_t size = 1 + next_random(&state) % 1500;
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(next_random(&state) >> 56);
    if (k % 4 != 0) {
      bytes[0] &= 31;
      for (size_t i = 0; i < size; i++) bytes[i] = bytes[i] > 253 ? 253 : bytes[i];
    }
    if (run(bytes, size)) continue;
    char name[64];
    snprintf(name, sizeof name, "failure-%llu.bin", (unsigned long long)(seed + (uint64_t)k));
    FILE *file = fopen(name, "wb");
    if (file != NULL) {
      fwrite(bytes, 1, size, file);
      fclose(file);
    }
    fprintf(stderr, "  seed %llu, written to %s\n", (unsigned long long)(seed + (uint64_t)k), name);
    failures++;
  }
  printf("%ld problems, %d failures\n", count, failures);
  return failures == 0 ? 0 : 1;
}

static size_t read_input(const char *path, uint8_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(2);
  }
  const size_t size = fread(bytes, 1, INPUT_MAX, file);
  fclose(file);
  return size;
}

static int dump(const char *output, const char *path) {
  uint8_t bytes[INPUT_MAX];
  Input in = {bytes, read_input(path, bytes), 0, true};
  if (decode_problem(&in) != STATUS_ok) return 1;
  FILE *file = fopen(output, "wb");
  fwrite(core_memory() + core_header(), 1, block_at(HEADER_scratch) - core_header(), file);
  return fclose(file);
}

#ifdef __AFL_FUZZ_INIT
__AFL_FUZZ_INIT();
#endif

int main(int argc, char **argv) {
  core_start();
  if (argc == 4 && strcmp(argv[1], "--random") == 0)
    return run_random(atol(argv[2]), strtoull(argv[3], NULL, 10));
  if (argc == 4 && strcmp(argv[1], "--dump") == 0) return dump(argv[2], argv[3]);
  int failures = 0;
  for (int k = 1; k < argc; k++) {
    uint8_t bytes[INPUT_MAX];
    if (!run(bytes, read_input(argv[k], bytes))) {
      fprintf(stderr, "  in %s\n", argv[k]);
      failures++;
    }
  }
  if (argc > 1) {
    printf("%d problems, %d failures\n", argc - 1, failures);
    return failures == 0 ? 0 : 1;
  }
#ifdef __AFL_FUZZ_INIT
  __AFL_INIT();
  const unsigned char *shared = __AFL_FUZZ_TESTCASE_BUF;
  while (__AFL_LOOP(20000)) {
    const int size = __AFL_FUZZ_TESTCASE_LEN;
    if (!run(shared, size > INPUT_MAX ? INPUT_MAX : (size_t)size)) abort();
  }
#endif
  return 0;
}
