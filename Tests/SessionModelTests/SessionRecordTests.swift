import SessionModel
import TestSupport
import Testing

@Suite struct SessionRecordTests {
  private func text(_ random: inout RandomNumbers) -> [UInt8]? {
    if random.oneIn(3) { return nil }
    let length = random.oneIn(3) ? 0 : random.oneIn(20) ? Limits.keptTextBytes : random.below(60)
    return (0..<length).map { _ in UInt8(random.below(256)) }
  }

  private func point(_ random: inout RandomNumbers) -> EventPoint {
    EventPoint(
      time: Int64(random.next() >> 8), partition: Int32(random.below(1_000)),
      offset: Int64(random.next() >> 1))
  }

  private func session(_ random: inout RandomNumbers) -> Session {
    var session = Session(
      first: point(&random), last: point(&random), eventCount: random.next(),
      firstSeenCheckpoint: random.next())
    session.landingURL = text(&random)
    session.referrer = text(&random)
    session.host = text(&random)
    session.browserFamily = text(&random)
    session.osFamily = text(&random)
    session.deviceFamily = text(&random)
    session.ip = text(&random)
    session.pageViews = random.next()
    session.pages = PageSet((0..<random.below(80)).map { _ in random.next() })
    session.exitURL = text(&random)
    session.userID = text(&random)
    return session
  }

  private func record(_ random: inout RandomNumbers) -> SessionRecord {
    SessionRecord(
      userID: text(&random) ?? [], ip: text(&random) ?? [0x31],
      sessions: (0...random.below(4)).map { _ in session(&random) })
  }

  private func pack(_ record: SessionRecord) -> [UInt8] {
    var bytes: [UInt8] = []
    record.append(to: &bytes)
    return bytes
  }

  private func unpack(_ bytes: [UInt8]) -> SessionRecord? {
    bytes.withUnsafeBytes { SessionRecord(packed: $0) }
  }

  @Test func `a record gives back what was packed`() {
    for seed in 0..<500 as Range<UInt64> {
      var random = RandomNumbers(seed: seed)
      let original = record(&random)
      #expect(unpack(pack(original)) == original, "seed \(seed)")
    }
  }

  @Test func `a record lies in memory as it is drawn`() {
    var session = Session(
      first: EventPoint(time: 1, partition: 2, offset: 3),
      last: EventPoint(time: 4, partition: 5, offset: 6), eventCount: 7, firstSeenCheckpoint: 8)
    session.pageViews = 9
    session.pages = PageSet([11, 10])
    session.landingURL = Array("/a".utf8)
    session.exitURL = []
    let bytes = pack(
      SessionRecord(userID: Array("u".utf8), ip: Array("ip".utf8), sessions: [session]))
    func long(_ low: UInt8) -> [UInt8] { [low, 0, 0, 0, 0, 0, 0, 0] }
    let null: [UInt8] = [0xFF, 0xFF]
    var expected: [UInt8] = [4, 0, 0x75, 0x1F, 0x69, 0x70, 1, 0]
    expected += long(1) + [2, 0, 0, 0] + long(3) + long(4) + [5, 0, 0, 0] + long(6)
    expected += long(7) + long(8) + long(9) + [2, 0, 0x2F, 0x61]
    expected += null + null + null + null + null + null + [2, 0] + long(10) + long(11)
    expected += [0, 0] + null
    #expect(bytes == expected)
  }

  @Test func `a record that is cut or longer is none`() {
    var random = RandomNumbers(seed: 3)
    var original = record(&random)
    original.sessions = [session(&random), session(&random)]
    let whole = pack(original)
    for count in 0..<whole.count {
      #expect(unpack(Array(whole[..<count])) == nil, "\(count) bytes")
    }
    #expect(unpack(whole + [0]) == nil)
  }

  static let broken: [[UInt8]] = [
    // Nothing, a null key, a key that is cut, no session.
    [], [0xFF, 0xFF, 1, 0], [3, 0, 0x1F, 0x31], [2, 0, 0x1F, 0x31, 0, 0],
  ]

  @Test(arguments: broken)
  func `a record against the rules is none`(bytes: [UInt8]) {
    #expect(unpack(bytes) == nil)
  }

  @Test func `flipped bits never lead outside of a record`() {
    var random = RandomNumbers(seed: 4)
    let whole = pack(record(&random))
    for place in 0..<whole.count {
      var bytes = whole
      bytes[place] ^= 1 << UInt8(random.below(8))
      if let other = unpack(bytes) { #expect(pack(other) == bytes) }
    }
  }
}
