#pragma once

/// Asks for the cache line at `address`, which need not be readable, and waits for nothing.
static inline void cprefetch(const void *address) { __builtin_prefetch(address); }
