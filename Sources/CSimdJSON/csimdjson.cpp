#include "csimdjson.h"

#include <simdjson.h>

#include <strings.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace dom = simdjson::dom;

namespace {

/// A node of the tree of mapped paths.
struct node {
  std::string key;
  /// Bit s: slot s takes the value found here.
  uint32_t slots = 0;
  /// The slots of all nodes below.
  uint32_t below = 0;
  int32_t parent = -1;
  /// Whether capitals make no difference in the key.
  bool any_case = false;
  std::vector<int32_t> children;
};

}  // namespace

struct csimdjson_parser {
  dom::parser parser;
  std::unique_ptr<uint8_t[]> padded;
  size_t capacity = 0;
  std::vector<node> nodes{1};

  void set(csimdjson_slot *slots, uint32_t mask, uint8_t type) {
    for (; mask != 0; mask &= mask - 1) slots[__builtin_ctz(mask)].type = type;
  }

  /// The child of `parent` for `key`, or null. `hint` is where the search begins: records of one
  /// producer name their fields in one order, so that the first comparison mostly hits.
  const node *find(const node &parent, std::string_view key, size_t &hint) const {
    const size_t count = parent.children.size();
    for (size_t tried = 0, place = hint; tried < count; tried++, place++) {
      if (place >= count) place = 0;
      const node &child = nodes[parent.children[place]];
      if (child.key.size() == key.size() &&
          (std::memcmp(child.key.data(), key.data(), key.size()) == 0 ||
           (child.any_case && strncasecmp(child.key.data(), key.data(), key.size()) == 0))) {
        hint = place + 1;
        return &child;
      }
    }
    return nullptr;
  }

  void store(const node &at, dom::element value, csimdjson_slot *slots) {
    csimdjson_slot found{};
    switch (value.type()) {
      case dom::element_type::STRING: {
        const std::string_view text = value.get_string().value_unsafe();
        found.text = text.data();
        found.length = text.size();
        found.type = CSIMDJSON_STRING;
        break;
      }
      case dom::element_type::INT64:
        found.integer = static_cast<uint64_t>(value.get_int64().value_unsafe());
        found.type = CSIMDJSON_INT64;
        break;
      case dom::element_type::UINT64:
        found.integer = value.get_uint64().value_unsafe();
        found.type = CSIMDJSON_UINT64;
        break;
      case dom::element_type::DOUBLE:
        found.number = value.get_double().value_unsafe();
        found.type = CSIMDJSON_DOUBLE;
        break;
      case dom::element_type::BOOL: found.type = CSIMDJSON_BOOLEAN; break;
      case dom::element_type::OBJECT: found.type = CSIMDJSON_OBJECT; break;
      case dom::element_type::ARRAY: found.type = CSIMDJSON_ARRAY; break;
      case dom::element_type::NULL_VALUE: found.type = CSIMDJSON_NULL; break;
    }
    for (uint32_t mask = at.slots; mask != 0; mask &= mask - 1)
      slots[__builtin_ctz(mask)] = found;
    if (at.below == 0) return;
    // Forgets what an equal key before this one had left.
    set(slots, at.below, CSIMDJSON_ABSENT);
    switch (found.type) {
      case CSIMDJSON_OBJECT: walk(at, value.get_object().value_unsafe(), slots); break;
      case CSIMDJSON_NULL: break;
      case CSIMDJSON_STRING: set(slots, at.below, CSIMDJSON_BELOW_STRING); break;
      default: set(slots, at.below, CSIMDJSON_BELOW_OTHER); break;
    }
  }

  /// Recursion ends with the path table, whatever the document.
  void walk(const node &at, dom::object object, csimdjson_slot *slots) {
    size_t hint = 0;
    for (auto field = object.begin(), end = object.end(); field != end; ++field) {
      if (const node *child = find(at, field.key(), hint)) store(*child, field.value(), slots);
    }
  }
};

static csimdjson_result result_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::SUCCESS: return CSIMDJSON_OK;
    case simdjson::DEPTH_ERROR: return CSIMDJSON_TOO_DEEP;
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::UTF8_ERROR: return CSIMDJSON_BAD_TEXT;
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE: return CSIMDJSON_BAD_NUMBER;
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
    case simdjson::UNINITIALIZED:
    case simdjson::PARSER_IN_USE:
    case simdjson::UNSUPPORTED_ARCHITECTURE: return CSIMDJSON_FAULT;
    default: return CSIMDJSON_NOT_JSON;
  }
}

csimdjson_parser *csimdjson_create(size_t capacity, size_t depth) try {
  auto parser = std::make_unique<csimdjson_parser>();
  parser->capacity = capacity;
  parser->padded.reset(new uint8_t[capacity + simdjson::SIMDJSON_PADDING]);
  // simdjson counts the level at which it refuses.
  if (parser->parser.allocate(capacity, depth + 1) != simdjson::SUCCESS) return nullptr;
  if (parser->parser.doc.allocate(capacity) != simdjson::SUCCESS) return nullptr;
  return parser.release();
} catch (const std::bad_alloc &) {
  return nullptr;
}

void csimdjson_destroy(csimdjson_parser *parser) { delete parser; }

int32_t csimdjson_child(
    csimdjson_parser *parser, int32_t parent, const void *key, size_t length) try {
  auto &nodes = parser->nodes;
  const std::string text(static_cast<const char *>(key), length);
  for (int32_t child : nodes[parent].children)
    if (nodes[child].key == text) return child;
  const auto child = static_cast<int32_t>(nodes.size());
  nodes.push_back(node{text, 0, 0, parent, {}});
  nodes[parent].children.push_back(child);
  return child;
} catch (const std::bad_alloc &) {
  return -1;
}

int32_t csimdjson_child_any_case(
    csimdjson_parser *parser, int32_t parent, const void *key, size_t length) try {
  const std::string text(static_cast<const char *>(key), length);
  int32_t found = -1;
  for (int32_t child : parser->nodes[parent].children)
    if (parser->nodes[child].key.size() == length &&
        strncasecmp(parser->nodes[child].key.data(), text.data(), length) == 0)
      found = child;
  if (found < 0) found = csimdjson_child(parser, parent, key, length);
  if (found >= 0) parser->nodes[found].any_case = true;
  return found;
} catch (const std::bad_alloc &) {
  return -1;
}

void csimdjson_bind(csimdjson_parser *parser, int32_t place, uint32_t slot) {
  auto &nodes = parser->nodes;
  nodes[place].slots |= 1u << slot;
  for (int32_t up = nodes[place].parent; up >= 0; up = nodes[up].parent)
    nodes[up].below |= 1u << slot;
}

csimdjson_result csimdjson_parse(
    csimdjson_parser *parser, const void *document, size_t length, csimdjson_slot *slots,
    uint32_t count) {
  if (length > parser->capacity) return CSIMDJSON_FAULT;
  if (length == 0) return CSIMDJSON_NOT_JSON;
  uint8_t *padded = parser->padded.get();
  std::memcpy(padded, document, length);
  std::memset(padded + length, 0, simdjson::SIMDJSON_PADDING);
  dom::element root;
  const auto error = parser->parser.parse(padded, length, false).get(root);
  if (error != simdjson::SUCCESS) return result_of(error);
  if (!root.is_object()) return CSIMDJSON_NOT_OBJECT;
  for (uint32_t slot = 0; slot < count; slot++) slots[slot].type = CSIMDJSON_ABSENT;
  parser->walk(parser->nodes[0], root.get_object().value_unsafe(), slots);
  return CSIMDJSON_OK;
}
