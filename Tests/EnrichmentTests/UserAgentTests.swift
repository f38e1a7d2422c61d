import Enrichment
import Platform
import SessionModel
import TestSupport
import Testing

/// Families of browser, operating system and device as text.
private struct Families: Equatable {
  var browser: String?
  var os: String?
  var device: String?
}

extension UserAgentFamilies {
  fileprivate var texts: Families {
    func text(_ view: TextView?) -> String? { view.map { String(decoding: $0, as: UTF8.self) } }
    return Families(browser: text(browser), os: text(os), device: text(device))
  }
}

extension UserAgentParser {
  fileprivate func families(_ raw: String) -> Families {
    Array(raw.utf8).withUnsafeBytes { families(of: $0).texts }
  }
}

/// Raw user-agent headers by definitions of our own.
@Suite struct UserAgentTests {
  private let directory = TemporaryDirectory()

  private static let definitions = """
    # A comment.
    user_agent_parsers:
      - regex: '(Fox)/(\\d+)'
        family_replacement: 'The $1'
      - regex: '(Owl|Fox)'
      - regex: '(Bat)?wing'
    os_parsers:
      - regex: "Windows NT 6\\\\.(\\\\d)"
        os_replacement: 'Windows $1'
    device_parsers:
      - regex: 'phone ([a-z]+) ([0-9]*)'
        regex_flag: 'i'
        device_replacement: ' $2 $1 '
    """

  private func write(_ text: String) throws -> String {
    let path = directory.path + "/regexes.yaml"
    try Files.replace(path, with: Array(text.utf8))
    return path
  }

  private func parser() throws -> UserAgentParser {
    try UserAgentParser(definitions: try write(Self.definitions))
  }

  @Test(arguments: [
    ("Fox/7 Owl", Families(browser: "The Fox", os: "Other", device: "Other")),
    ("Owl and Fox", Families(browser: "Owl", os: "Other", device: "Other")),
    ("redwing", Families(browser: nil, os: "Other", device: "Other")),
    ("X (Windows NT 6.1)", Families(browser: "Other", os: "Windows 1", device: "Other")),
    ("PHONE Abc 12", Families(browser: "Other", os: "Other", device: "12 Abc")),
    ("phone abc ", Families(browser: "Other", os: "Other", device: "abc")),
    ("fox", Families(browser: "Other", os: "Other", device: "Other")),
    ("", Families(browser: "Other", os: "Other", device: "Other")),
  ])
  private func `the first rule that matches names the family, as uap-core specifies`(
    raw: String, expected: Families
  ) throws {
    let parser = try parser()
    // The second time from what it remembers.
    #expect(parser.families(raw) == expected)
    #expect(parser.families(raw) == expected)
  }

  @Test func `more headers than it remembers are told apart, again and again`() throws {
    let parser = try parser()
    for _ in 0..<2 {
      for number in 0..<20_000 {
        let device = parser.families("phone x \(number)").device
        if device != "\(number) x" { Issue.record("\(number): \(device ?? "–")") }
      }
    }
  }

  @Test(arguments: [
    "", "a: [", "- a", "user_agent_parsers: none",
    definitions.replacing("(Owl|Fox)", with: "(Owl"),
    definitions.replacing("os_parsers", with: "o_s_parsers"),
    definitions.replacing("- regex: '(Owl", with: "- reg: '(Owl"),
  ])
  func `definitions that cannot be used are refused`(text: String) throws {
    let path = try write(text)
    let error = #expect(throws: EnrichmentError.self) { try UserAgentParser(definitions: path) }
    #expect(error?.description.contains("definitions") == true)
  }

  @Test func `definitions that are missing leave families null, and this is said once`() throws {
    let agents = RawUserAgents(whenNeeded: directory.path + "/none.yaml")
    #expect(agents.takeNotices() == [])
    for _ in 0..<3 {
      let families = Array("Fox".utf8).withUnsafeBytes { agents.families(of: $0).texts }
      #expect(families == Families())
    }
    #expect(agents.takeNotices().count == 1)
    #expect(throws: EnrichmentError.self) {
      try RawUserAgents(definitions: directory.path + "/none.yaml")
    }
  }
}

/// uap-core's own cases, from Debian's package: a header and its family.
private enum OwnCases: String, CaseIterable {
  case browser = "test_ua"
  case os = "test_os"
  case device = "test_device"

  static let folder = "/usr/share/uap-core/tests/"
  static let areThere = Files.exists(folder) && Files.exists(RawUserAgents.systemPath)

  /// The files hold a quoted text behind each of these names, and no line breaks in it.
  func read() throws -> [(raw: String, family: String)] {
    let text = String(decoding: try Files.read(Self.folder + rawValue + ".yaml"), as: UTF8.self)
    var cases: [(String, String)] = []
    var raw: String?
    for line in text.split(separator: "\n") {
      if let value = Self.value(of: "user_agent_string", in: line) { raw = value }
      if let header = raw, let value = Self.value(of: "family", in: line) {
        cases.append((header, value))
        raw = nil
      }
    }
    return cases
  }

  private static func value(of name: String, in line: Substring) -> String? {
    guard let found = line.firstRange(of: name + ":") else { return nil }
    let value = line[found.upperBound...].drop { $0 == " " }
    guard let quote = value.first, let end = value.lastIndex(of: quote), end > value.startIndex
    else { return nil }
    let inner = String(value[value.index(after: value.startIndex)..<end])
    return quote == "'"
      ? inner.replacing("''", with: "'")
      : inner.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
  }
}

@Test(.enabled(if: OwnCases.areThere, "uap-core is not installed"), arguments: OwnCases.allCases)
private func `uap-core's own cases have the families that they name`(cases: OwnCases) throws {
  let parser = try UserAgentParser(definitions: RawUserAgents.systemPath)
  let all = try cases.read()
  #expect(all.count > 400)
  var differing = 0
  for (raw, family) in all {
    let found = parser.families(raw)
    let own = [OwnCases.browser: found.browser, .os: found.os, .device: found.device]
    if own[cases] != family {
      differing += 1
      if differing <= 5 {
        Issue.record("\(raw): \(own[cases].flatMap { $0 } ?? "–"), not \(family)")
      }
    }
  }
  #expect(differing == 0, "of \(all.count)")
}
