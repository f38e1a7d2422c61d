#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A list of patterns of which the first that matches anywhere in a text is wanted. RE2 takes time
/// in proportion to the text, whatever text and pattern. One thread at a time may use it.
typedef struct cre2_list cre2_list;

/// A part of a text; null where the group took no part.
typedef struct {
  const char *text;
  size_t length;
} cre2_part;

enum { CRE2_PARTS = 10 };

/// Null: out of memory.
cre2_list *cre2_create(void);
void cre2_destroy(cre2_list *list);

/// Adds a pattern of UTF-8. Returns 0, or nonzero where it cannot be used.
int cre2_add(cre2_list *list, const char *pattern, size_t length, int ignores_case);
/// Once, behind the last pattern. Returns 0, or nonzero where memory does not suffice.
int cre2_compile(cre2_list *list);

/// The number of the first pattern that matches, in the order in which they were added, and -1 for
/// none. `parts[0]` is what it matched, the others its groups; they point into `text`.
int32_t cre2_match(
    cre2_list *list, const char *text, size_t length, cre2_part parts[CRE2_PARTS]);

#ifdef __cplusplus
}
#endif
