import SessionModel
import TestSupport
import Testing

@Suite struct SessionIDTests {
  /// As `printf 'user\x1fip\x1fstart' | sha256sum` has them.
  static let known: [(String, String, Microseconds, String)] = [
    (
      "42", "192.0.2.1", 1_700_000_000_000_000,
      "ec3c143940812e5173154842c20384aada91a28e61eab4b0d82a617f9a092f3b"
    ),
    ("", "2001:db8::1", 0, "5b80ceda20b6155578e3ce86c928ea4289b3c32febd246990b4efb5c35d5b737"),
    (
      "Zoë", "192.0.2.1", 1_431_857_103_000_000,
      "9b8da7aebf264d082afffb57abc3fedd3f2ac7ed70ca9d4afecad46e29794d36"
    ),
  ]

  @Test func `a session id can be recomputed as a SHA-256`() {
    // One hasher for all: what it computed before must not show.
    var hasher = SessionIDHasher()
    for (user, ip, start, hex) in SessionIDTests.known + SessionIDTests.known.reversed() {
      let id = withText(user) { user in
        withText(ip) { hasher.id(userID: user, ip: $0, start: start) }
      }
      #expect(id.hex == hex)
    }
  }

  private func randomID(_ random: inout RandomNumbers) -> SessionID {
    // Few different words, so that the later ones decide often.
    func word() -> UInt64 { random.oneIn(2) ? UInt64(random.below(2)) << 63 : random.next() }
    return SessionID(words: (word(), word(), word(), word()))
  }

  private func bytes(_ id: SessionID) -> [UInt8] {
    var bytes: [UInt8] = []
    id.append(to: &bytes)
    return bytes
  }

  @Test func `ids survive their bytes and their hex digits, and sort as both`() {
    var random = RandomNumbers(seed: 1)
    for _ in 0..<2_000 {
      let one = randomID(&random)
      let other = randomID(&random)
      #expect(bytes(one).count == SessionID.byteCount)
      #expect(bytes(one).withUnsafeBytes { SessionID(bytes: $0) } == one)
      #expect(SessionID(hex: one.hex) == one)
      #expect((one < other) == bytes(one).lexicographicallyPrecedes(bytes(other)))
      #expect((one < other) == (one.hex < other.hex))
    }
  }

  @Test(arguments: [
    "", String(repeating: "a", count: 63), String(repeating: "a", count: 65),
    String(repeating: "A", count: 64), String(repeating: "g", count: 64),
    String(repeating: "a", count: 63) + " ", String(repeating: "é", count: 32),
  ])
  func `anything but 64 lower-case hex digits is no id`(text: String) {
    #expect(SessionID(hex: text) == nil)
  }

  @Test(arguments: [0, 1, 9, 10, 99, 100, -1, -10, .max, .min] as [Int64])
  func `integers are appended as decimal text`(number: Int64) {
    var bytes = Array("x".utf8)
    DecimalText.append(number, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "x\(number)")
    var unsigned: [UInt8] = []
    DecimalText.append(number.magnitude &+ 5, to: &unsigned)
    #expect(String(decoding: unsigned, as: UTF8.self) == "\(number.magnitude &+ 5)")
  }

  private func randomPosition(_ random: inout RandomNumbers) -> RowPosition {
    let end = random.oneIn(3) ? Microseconds(random.below(3)) : Int64(random.next() >> 1)
    return RowPosition(sessionEnd: end, sessionID: randomID(&random))
  }

  @Test func `positions survive their bytes and their text, and sort as their bytes`() {
    var random = RandomNumbers(seed: 2)
    func bytes(_ position: RowPosition) -> [UInt8] {
      var bytes: [UInt8] = []
      position.append(to: &bytes)
      return bytes
    }
    for _ in 0..<2_000 {
      let one = randomPosition(&random)
      let other = randomPosition(&random)
      #expect(bytes(one).count == RowPosition.byteCount)
      #expect(bytes(one).withUnsafeBytes { RowPosition(bytes: $0) } == one)
      #expect(RowPosition(one.description) == one)
      #expect((one < other) == bytes(one).lexicographicallyPrecedes(bytes(other)))
      #expect((one == other) == (bytes(one) == bytes(other)))
    }
  }

  static let id = String(repeating: "0a", count: 32)

  @Test(arguments: [
    "", "-", "5", "5-", "-\(id)", "-5-\(id)", "+5-\(id)", "05-\(id)", "5-\(id)-", "5-\(id)0",
    " 5-\(id)", "5.0-\(id)", "9223372036854775808-\(id)", "5_\(id)",
  ])
  func `a position's text has one form only`(text: String) {
    #expect(RowPosition(text) == nil)
    #expect(RowPosition("5-\(SessionIDTests.id)")?.sessionEnd == 5)
  }
}
