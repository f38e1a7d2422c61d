#pragma once
// What the Swift overlay of glibc leaves out.
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>

// prctl(2) is variadic, which Swift does not import. At most 15 bytes of the name are kept.
static inline void set_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
