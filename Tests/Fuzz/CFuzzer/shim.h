#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's main loop, from libclang_rt.fuzzer_no_main: calls `check` with inputs of its own
/// making, guided by what they covered. Ends the process where a limit of time or runs is reached.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*check)(const uint8_t *, size_t));
