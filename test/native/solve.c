// Times the core compiled to machine code. For each image: writes it (counts first, so that `arrange`
// lays out the same blocks, then the whole), loads and solves it, ROUNDS times over; one clock runs over
// load() and solve(), another over load() alone. Prints one JSON line per image and, with -o, writes
// the solved bytes for comparison.
//   solve ROUNDS [-o OUTPUT] IMAGE...

#include <stdio.h>
#include <time.h>

#include "core.h"

static int compare(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** FNV-1a, 64 bits: tells results apart, proves nothing. */
static uint64_t hash_of(const uint8_t *bytes, size_t count) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t k = 0; k < count; k++) hash = (hash ^ bytes[k]) * 0x100000001b3u;
  return hash;
}

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size ? *size : 1);
  if (fread(bytes, 1, *size, file) != *size) *size = 0;
  fclose(file);
  return bytes;
}

static int run(const char *path, long rounds, const char *output) {
  size_t size = 0;
  uint8_t *image = read_file(path, &size);
  uint8_t *block = core_memory() + core_header();
  if (image == NULL || size == 0 || size > core_memory_size() - core_header()) {
    fprintf(stderr, "%s: not an image\n", path);
    return 1;
  }
  uint64_t *times = malloc(sizeof(uint64_t) * (size_t)rounds);
  uint64_t *loads = malloc(sizeof(uint64_t) * (size_t)rounds);
  int32_t status = 0;
  for (long k = 0; k < rounds; k++) {
    memcpy(block, image, size);
    core_arrange();
    memcpy(block, image, size);
    const uint64_t start = now_ns();
    core_load();
    loads[k] = now_ns() - start;
    status = core_solve();
    times[k] = now_ns() - start;
  }
  qsort(times, (size_t)rounds, sizeof(uint64_t), compare);
  qsort(loads, (size_t)rounds, sizeof(uint64_t), compare);
  printf("{\"status\":%d,\"hash\":\"%016llx\",\"p50Ns\":%llu,\"p99Ns\":%llu,\"loadP50Ns\":%llu}\n",
         status, (unsigned long long)hash_of(block, size), (unsigned long long)times[rounds / 2],
         (unsigned long long)times[rounds * 99 / 100], (unsigned long long)loads[rounds / 2]);
  if (output != NULL) {
    FILE *file = fopen(output, "wb");
    if (file == NULL || fwrite(block, 1, size, file) != size) return 1;
    fclose(file);
  }
  free(times);
  free(loads);
  free(image);
  return 0;
}

int main(int argc, char **argv) {
  const long rounds = argc > 2 ? atol(argv[1]) : 0;
  if (rounds < 1) {
    fprintf(stderr, "usage: solve ROUNDS [-o OUTPUT] IMAGE...\n");
    return 2;
  }
  core_start();
  const char *output = NULL;
  for (int k = 2; k < argc; k++) {
    if (strcmp(argv[k], "-o") == 0 && k + 1 < argc) {
      output = argv[++k];
      continue;
    }
    if (run(argv[k], rounds, output) != 0) return 1;
  }
  return 0;
}
