import SessionModel
import TestSupport
import Testing
import Windowing

/// Records as the log might hold them with a right checksum.
@Suite struct PackedRecordTests {
  private func session(_ first: Microseconds, _ last: Microseconds, events: UInt64 = 2) -> Session {
    Session(
      first: EventPoint(time: first, partition: 0, offset: 1),
      last: EventPoint(time: last, partition: 0, offset: 2), eventCount: events,
      firstSeenCheckpoint: 1)
  }

  private func isWellFormed(_ sessions: [Session]) -> Bool {
    var bytes: [UInt8] = []
    SessionRecord(userID: [], ip: Array("::1".utf8), sessions: sessions).append(to: &bytes)
    return bytes.withUnsafeBytes { PackedRecord.isWellFormed($0) }
  }

  @Test func `sessions in order and within the times that there are make a record`() {
    #expect(isWellFormed([session(0, 0), session(5, .latest)]))
    #expect(!isWellFormed([session(5, 6), session(0, 0)]), "out of order")
    #expect(!isWellFormed([session(5, 7), session(6, 9)]), "overlapping")
    #expect(!isWellFormed([session(5, 4)]), "backwards")
    #expect(!isWellFormed([session(-1, 4)]) && !isWellFormed([session(1, .max)]))
    #expect(!isWellFormed([session(1, 2, events: 0)]))
  }

  @Test func `a record without a key is none`() {
    let null: [UInt8] = [0xFF, 0xFF]
    let rest = [UInt8](repeating: 0, count: 70_000)
    #expect(!(null + rest).withUnsafeBytes { PackedRecord.isWellFormed($0) })
  }
}
