#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What was found where a path leads.
typedef enum {
  CSIMDJSON_ABSENT = 0,
  CSIMDJSON_NULL,
  CSIMDJSON_STRING,
  CSIMDJSON_INT64,
  /// An integer above INT64_MAX.
  CSIMDJSON_UINT64,
  CSIMDJSON_DOUBLE,
  CSIMDJSON_BOOLEAN,
  CSIMDJSON_OBJECT,
  CSIMDJSON_ARRAY,
  /// The path goes on below a string.
  CSIMDJSON_BELOW_STRING,
  /// The path goes on below a number, a boolean or an array.
  CSIMDJSON_BELOW_OTHER,
} csimdjson_type;

/// One mapped value. Only the members that `type` names are set.
typedef struct {
  /// STRING: UTF-8 without escapes, valid until the parser is used again.
  const void *text;
  /// STRING: bytes of `text`.
  size_t length;
  /// INT64, UINT64: the bits.
  uint64_t integer;
  /// DOUBLE.
  double number;
  uint8_t type;
} csimdjson_slot;

/// How parsing ended.
typedef enum {
  CSIMDJSON_OK = 0,
  CSIMDJSON_NOT_JSON,
  CSIMDJSON_NOT_OBJECT,
  CSIMDJSON_TOO_DEEP,
  CSIMDJSON_BAD_TEXT,
  /// A number is out of range or malformed: the parser does not tell which.
  CSIMDJSON_BAD_NUMBER,
  /// Out of memory, or a call against the rules of this header.
  CSIMDJSON_FAULT,
} csimdjson_result;

enum { CSIMDJSON_MAX_SLOTS = 32 };

/// A parser with its buffers and the table of mapped paths. One thread at a time may use it.
typedef struct csimdjson_parser csimdjson_parser;

/// A parser for documents of up to `capacity` bytes, nested up to `depth` levels.
/// All memory is taken here; pages that no document needed stay untouched. Null: out of memory.
csimdjson_parser *csimdjson_create(size_t capacity, size_t depth);
void csimdjson_destroy(csimdjson_parser *parser);

/// The node of the path table below `node` (0: the document) for `key`, made if there is none.
/// Negative: out of memory.
int32_t csimdjson_child(csimdjson_parser *parser, int32_t node, const void *key, size_t length);
/// The same; letters of the key are matched in either case (ASCII), also where the node was there.
int32_t csimdjson_child_any_case(
    csimdjson_parser *parser, int32_t parent, const void *key, size_t length);
/// From now on slot `slot` (below CSIMDJSON_MAX_SLOTS) takes the value at `node`.
void csimdjson_bind(csimdjson_parser *parser, int32_t node, uint32_t slot);

/// Parses one document of at most the parser's capacity, checking all of it, and fills
/// `slots[0 ..< count]`, which must reach the greatest bound slot. Of equal keys in one object the
/// last counts.
csimdjson_result csimdjson_parse(
    csimdjson_parser *parser, const void *document, size_t length, csimdjson_slot *slots,
    uint32_t count);

#ifdef __cplusplus
}
#endif
