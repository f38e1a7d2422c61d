#include "cre2.h"

#include <re2/filtered_re2.h>
#include <re2/set.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

/// Atoms that are shorter are in nearly every text and filter nothing.
constexpr int shortest_atom = 3;
/// Memory for each pattern's automaton, and for that of all atoms together; bytes.
constexpr int64_t pattern_memory = 4 << 20;
constexpr int64_t atoms_memory = 64 << 20;

re2::RE2::Options options(int64_t memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory);
  return options;
}

}  // namespace

/// Which patterns can match is told by the texts that each of them needs, its atoms: all atoms are
/// looked for at once, and only patterns whose atoms are there are tried.
struct cre2_list {
  re2::FilteredRE2 patterns{shortest_atom};
  std::unique_ptr<re2::RE2::Set> atoms;
  std::vector<int> found;
  std::string lowered;

  int first(re2::StringPiece text) {
    lowered.assign(text.data(), text.size());
    for (char &c : lowered)
      if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
    found.clear();
    re2::RE2::Set::ErrorInfo error{re2::RE2::Set::kNoError};
    if (atoms && !atoms->Match(lowered, &found, &error) && error.kind != re2::RE2::Set::kNoError)
      return patterns.SlowFirstMatch(text);
    std::sort(found.begin(), found.end());
    return patterns.FirstMatch(text, found);
  }
};

cre2_list *cre2_create(void) { return new (std::nothrow) cre2_list; }

void cre2_destroy(cre2_list *list) { delete list; }

int cre2_add(cre2_list *list, const char *pattern, size_t length, int ignores_case) {
  auto chosen = options(pattern_memory);
  chosen.set_case_sensitive(!ignores_case);
  int number = 0;
  return list->patterns.Add(re2::StringPiece(pattern, length), chosen, &number);
}

int cre2_compile(cre2_list *list) {
  std::vector<std::string> texts;
  list->patterns.Compile(&texts);
  if (texts.empty()) return 0;
  auto literal = options(atoms_memory);
  literal.set_literal(true);
  list->atoms = std::make_unique<re2::RE2::Set>(literal, re2::RE2::UNANCHORED);
  for (const auto &text : texts)
    if (list->atoms->Add(text, nullptr) < 0) return 1;
  return list->atoms->Compile() ? 0 : 1;
}

int32_t cre2_match(
    cre2_list *list, const char *text, size_t length, cre2_part parts[CRE2_PARTS]) {
  const re2::StringPiece whole(text, length);
  const int number = list->patterns.NumRegexps() == 0 ? -1 : list->first(whole);
  if (number < 0) return -1;
  const re2::RE2 &pattern = list->patterns.GetRE2(number);
  re2::StringPiece groups[CRE2_PARTS];
  const int count = std::min(1 + pattern.NumberOfCapturingGroups(), int(CRE2_PARTS));
  pattern.Match(whole, 0, length, re2::RE2::UNANCHORED, groups, count);
  for (int i = 0; i < CRE2_PARTS; i++) parts[i] = {groups[i].data(), groups[i].size()};
  return number;
}
