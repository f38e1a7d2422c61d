import EventDecoding
import SessionModel
import TestSupport
import Testing

@Suite struct IPAddressTests {
  private func canonical(_ text: String) -> String? {
    decode(record(ip: "\"\(text)\"")).event?.ip
  }

  static let literals: [(String, String)] = [
    ("1.2.3.4", "1.2.3.4"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
    ("1.2.3.4:80", "1.2.3.4"), ("1.2.3.4:65535", "1.2.3.4"),
    ("::", "::"), ("::1", "::1"), ("[::1]", "::1"), ("[::1]:8080", "::1"),
    ("fe80::1%eth0", "fe80::1"), ("[fe80::1%25eth0]:443", "fe80::1"),
    ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:0201", "192.0.2.1"),
    ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"), ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
    ("2001:DB8::A", "2001:db8::a"), ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("1:0:0:0:0:0:0:0", "1::"),
    ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"), ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
    ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("::1.2.3.4", "::102:304"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("::ffff:0:192.0.2.1", "::ffff:0:c000:201"),
    ("::1:8080", "::1:8080"),
    (
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    ),
  ]

  @Test(arguments: literals)
  func `a literal gets its canonical text`(text: String, expected: String) {
    #expect(canonical(text) == expected)
  }

  @Test(arguments: literals)
  func `a canonical text stays as it is`(text: String, expected: String) {
    #expect(canonical(expected) == expected)
  }

  @Test(arguments: [
    "unknown", "host.example", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "256.1.1.1",
    "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:123456", "1.2.3.4:8a", "1.2.3.4 ", " 1.2.3.4",
    "1.2.3.4%eth0", "[1.2.3.4]", "1.2.3.1234", "1..2.3", ".1.2.3.4", "1.2.3.4.", "-1.2.3.4",
    ":::", "::1::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8", "12345::", "g::", ":1", "1:", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8",
    "::1.2.3", "::01.2.3.4", "::1.2.3.4:5", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "[::1",
    "::1]", "[]", "[", "[::1]80", "[::1]:", "[::1]:65536", "fe80::1%", "%eth0", "fe80::1/64",
    "::FG", "1.2.3.4, 5.6.7.8", "::1 ", "１.2.3.4",
  ])
  func `what is no literal is kept as it is`(text: String) {
    #expect(canonical(text) == text)
  }

  @Test func `every way to write an IPv6 address gives the same text`() {
    var random = RandomNumbers(seed: 11)
    var decoder = EventDecoder()
    for _ in 0..<20_000 {
      let groups = (0..<8).map { _ in
        random.next() % 2 == 0
          ? 0 : UInt16(truncatingIfNeeded: random.next() >> (random.next() % 17 + 47))
      }
      let expected = IPAddressTests.naive(groups)
      #expect(
        decoder.outcome(record(ip: "\"\(IPAddressTests.spell(groups, &random))\"")).event?.ip
          == expected)
    }
  }

  /// Any legal spelling: zeros in front, upper case, one run of zeros or none shortened.
  private static func spell(_ groups: [UInt16], _ random: inout RandomNumbers) -> String {
    func group(_ number: UInt16) -> String {
      var text = String(number, radix: 16, uppercase: random.next() % 2 == 0)
      while text.count < 4, random.next() % 2 == 0 { text = "0" + text }
      return text
    }
    let start = Int(random.next() % 8)
    let run = groups[start...].prefix { $0 == 0 }
    guard !run.isEmpty, random.next() % 4 != 0 else {
      return groups.map(group).joined(separator: ":")
    }
    return groups[..<start].map(group).joined(separator: ":") + "::"
      + groups[run.endIndex...].map(group).joined(separator: ":")
  }

  /// RFC 5952 by looking at every run of zeros.
  private static func naive(_ groups: [UInt16]) -> String {
    if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
      return [groups[6] >> 8, groups[6] & 255, groups[7] >> 8, groups[7] & 255]
        .map { String($0) }.joined(separator: ".")
    }
    for length in stride(from: 8, through: 2, by: -1) {
      for start in 0...(8 - length) where groups[start..<(start + length)].allSatisfy({ $0 == 0 }) {
        let hex = groups.map { String($0, radix: 16) }
        return hex[..<start].joined(separator: ":") + "::"
          + hex[(start + length)...].joined(separator: ":")
      }
    }
    return groups.map { String($0, radix: 16) }.joined(separator: ":")
  }
}
