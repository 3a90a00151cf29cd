// The one place that knows what wasm2c calls things. build.mjs reads the names from the header that
// wasm2c wrote and passes them as macros, because they change between versions of wabt. An image is
// the bytes from the core's header to the end of its records, as `Core.encode` gives them.

#ifndef TRIMTAB_NATIVE_CORE_H
#define TRIMTAB_NATIVE_CORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include CORE_HEADER

#ifdef CORE_MODULE_INIT
#define core_module_init() (wasm_rt_init(), CORE_MODULE_INIT())
#else
#define core_module_init() wasm_rt_init()
#endif

static CORE_INSTANCE core;

static void core_start(void) {
  core_module_init();
  CORE_INSTANTIATE(&core);
}

static uint8_t *core_memory(void) { return CORE_EXPORT_MEMORY(&core)->data; }
static size_t core_memory_size(void) { return CORE_EXPORT_MEMORY(&core)->size; }
static uint32_t core_header(void) { return CORE_EXPORT_HEADER(&core); }
static int32_t core_arrange(void) { return (int32_t)CORE_EXPORT_ARRANGE(&core); }
static int32_t core_load(void) { return (int32_t)CORE_EXPORT_LOAD(&core); }
static int32_t core_solve(void) { return (int32_t)CORE_EXPORT_SOLVE(&core); }

#endif
