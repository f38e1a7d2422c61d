import SessionModel
import Testing

@Suite struct KeysAndIDsTests {
  /// The key of the reference vectors: bytes 00 to 0f.
  private static let hasher = KeyHasher(seed: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))

  private static func hex(_ hash: KeyHash) -> String {
    var bytes: [UInt8] = []
    PackedText.append(hash.low, to: &bytes)
    PackedText.append(hash.high, to: &bytes)
    return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Inputs 00, 01, … of so many bytes; from the SipHash authors' vectors for 128 bits.
  @Test(arguments: [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
  ])
  func `key hashes are SipHash-2-4 of 128 bits`(length: Int, expected: String) {
    let input = (0..<length).map { UInt8($0) }
    #expect(input.withUnsafeBytes { Self.hex(Self.hasher.hash($0)) } == expected)
  }

  @Test func `a key hashes as its fields with a separator behind each`() {
    let joined = Array("42\u{1F}10.0.0.1\u{1F}".utf8)
    let user = Array("42".utf8)
    let ip = Array("10.0.0.1".utf8)
    let hash = user.withUnsafeBytes { user in
      ip.withUnsafeBytes { Self.hasher.hash(userID: user, ip: $0) }
    }
    #expect(joined.withUnsafeBytes { Self.hasher.hash($0) } == hash)
  }

  /// Made with `printf '42\x1f10.0.0.1\x1f1700000000000000' | sha256sum`, and so without the user.
  @Test(arguments: [
    ("42", "71bb37cde852e15cf12de45cfdd354bae2ba114beb40603a3ee60953317b02eb"),
    ("", "0d7cc34c85987696ebd89ed1a6f46a4f600de3603a99eeb677aa9b5a1d08d042"),
  ])
  func `a session id is the SHA-256 of user, ip and start`(user: String, expected: String) {
    var ids = SessionIDHasher()
    let ip = Array("10.0.0.1".utf8)
    let id = Array(user.utf8).withUnsafeBytes { user in
      ip.withUnsafeBytes { ids.id(userID: user, ip: $0, start: 1_700_000_000_000_000) }
    }
    #expect(id.hex == expected)
    #expect(SessionID(hex: expected) == id)
  }

  @Test func `a position survives as text and as bytes, and bytes sort as positions do`() throws {
    let low = RowPosition(sessionEnd: 5, sessionID: SessionID(words: (9, 9, 9, 9)))
    let high = RowPosition(sessionEnd: 6, sessionID: SessionID(words: (0, 0, 0, 1)))
    #expect(RowPosition(low.description) == low)
    #expect(RowPosition("5-xyz") == nil && RowPosition("-5-" + low.sessionID.hex) == nil)
    var bytes: [[UInt8]] = [[], []]
    low.append(to: &bytes[0])
    high.append(to: &bytes[1])
    #expect(low < high && bytes[0].lexicographicallyPrecedes(bytes[1]))
    #expect(bytes[1].withUnsafeBytes { RowPosition(bytes: $0) } == high)
  }

  @Test func `a fingerprint names each setting and escapes what separates them`() {
    let fingerprint = Fingerprint(topic: "a;b=c%", gap: 300_000_000)
    #expect(
      fingerprint.text
        == "topic=a%3Bb%3Dc%25;key=user_id,ip;gap_us=300000000;scope=topic;id=sha256-v1")
  }
}
