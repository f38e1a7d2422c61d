import CRE2
import SessionModel

/// One list of uap-core's definitions: the first pattern that matches names the family.
///
/// After uap-core's specification: the family is the replacement with `$1` … `$9` filled in, or the
/// first group where there is none; white space around it goes. A text that nothing matches is of
/// the family `Other`.
struct FamilyRules: ~Copyable {
  private static let other = Array("Other".utf8)

  private let list: OpaquePointer
  /// By the pattern's number; nil: the first group.
  private let replacements: [[UInt8]?]

  /// - Throws: `EnrichmentError` for a pattern that RE2 does not know.
  init(_ rules: [UserAgentDefinitions.Rule], path: String) throws(EnrichmentError) {
    guard let list = cre2_create() else { fatalError("out of memory; the state is safe") }
    self.list = list
    replacements = rules.map { rule in rule.replacement.map { Array($0.utf8) } }
    for var rule in rules {
      let code = rule.pattern.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
          cre2_add(list, $0.baseAddress, $0.count, rule.ignoresCase ? 1 : 0)
        }
      }
      if code != 0 {
        throw EnrichmentError(
          "the user-agent definitions \(path) have a pattern that RE2 cannot use: \(rule.pattern)")
      }
    }
    if cre2_compile(list) != 0 {
      throw EnrichmentError("the user-agent definitions \(path) need more memory than they may")
    }
  }

  deinit { cre2_destroy(list) }

  /// The family of a raw header; nil where its rule names none.
  func family(of raw: TextView) -> [UInt8]? {
    withUnsafeTemporaryAllocation(of: cre2_part.self, capacity: Int(CRE2_PARTS)) { parts in
      let start = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
      let number = cre2_match(list, start, raw.count, parts.baseAddress)
      if number < 0 { return FamilyRules.other }
      let family = FamilyRules.fill(replacements[Int(number)], UnsafeBufferPointer(parts))
      return family.isEmpty ? nil : family
    }
  }

  private static func fill(
    _ replacement: [UInt8]?, _ parts: UnsafeBufferPointer<cre2_part>
  ) -> [UInt8] {
    func part(_ number: Int) -> TextView {
      TextView(start: parts[number].text, count: parts[number].length)
    }
    guard let replacement else { return Array(part(1)) }
    var filled: [UInt8] = []
    var place = 0
    while place < replacement.count {
      let next = place + 1 < replacement.count ? replacement[place + 1] &- UInt8(ascii: "0") : 0
      if replacement[place] == UInt8(ascii: "$"), (1...9).contains(next) {
        filled.append(contentsOf: part(Int(next)))
        place += 2
      } else {
        filled.append(replacement[place])
        place += 1
      }
    }
    return trimmed(filled)
  }

  private static func trimmed(_ text: [UInt8]) -> [UInt8] {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    guard let first = text.firstIndex(where: { !isSpace($0) }),
      let last = text.lastIndex(where: { !isSpace($0) })
    else { return [] }
    return Array(text[first...last])
  }
}
