import Glibc
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// A state written by each released version of the format must be read for ever.
///
/// `Golden/v3.mdb` was written by `writeGolden` below: run the tests once with
/// `SOJOURN_WRITE_GOLDEN=1` to make the file of a new version, never to replace an old one.
@Suite struct GoldenStateTests {
  static let folder = String(#filePath.dropLast("GoldenStateTests.swift".count))
  static let golden = folder + "Golden/v3.mdb"

  let directory = TemporaryDirectory()

  /// Two checkpoints that use every value of the format.
  private func fill(_ task: TestTask) throws {
    for number in 1...12 {
      task.set(
        Sample.record(number, time: 1_000_000, sessions: 1 + number % 3), for: Sample.hash(number))
      Sample.appendRow(number, to: &task.draft.rows)
    }
    task.draft.late = [Sample.side(1), Sample.side(2)]
    Sample.appendRow(20, to: &task.draft.bots)
    Sample.appendRow(21, textBytes: 3, to: &task.draft.bots)
    task.draft.geography = [
      AddressGeography(address: "8.8.8.8", answeredAt: 7, country: "US", state: "", city: "Café"),
      AddressGeography(address: "2001:4860:4860::8888", answeredAt: 8),
    ]
    try task.checkpoint()

    task.remove(Sample.hash(3))
    task.set(Sample.record(4, time: 2_000_000), for: Sample.hash(4))
    task.set(Sample.record(5, time: 3, sessions: 40, urlBytes: 2_000), for: Sample.hash(5))
    task.draft.removeOutboxUpTo = Sample.position(10)
    task.draft.rejected = [Sample.side(3, payloadBytes: 0)]
    task.state.watermark = 9_000_000
    task.state.closeLine = 8_000_000
    task.state.frozenAt = 1_431_864_342_000_000
    task.state.openSessions = 63
    task.state.closingSessions = 1
    task.state.counters.recordsRead = 1_000
    task.state.counters.eventsInSessions = 997
    task.state.counters.lateByReason[1] = 2
    task.state.counters.rejectedByReason[3] = 1
    task.state.partitions = [
      PartitionProgress(
        partition: 0, nextOffset: 500, maxEventTime: 10_000_000, lastRecordTime: 11_000_000,
        proof: Array("proof".utf8)),
      PartitionProgress(partition: 5, nextOffset: 0),
    ]
    task.state.sinks = [
      SinkProgress(
        name: "table", url: "sqlite:sessions.db", acknowledged: Sample.position(10), skipped: 4,
        startedAt: Sample.position(3))
    ]
    try task.checkpoint()
  }

  @Test(.enabled(if: getenv("SOJOURN_WRITE_GOLDEN") != nil))
  func writeGolden() throws {
    let task = try TestTask(directory.path)
    try fill(task)
    try task.store.makeReader().copy(to: GoldenStateTests.golden)
  }

  @Test func `a state of format version 3 is read and continued`() throws {
    let expected = try TestTask(directory.path)
    try fill(expected)
    let other = TemporaryDirectory()
    try Files.replace(other.path + "/data.mdb", with: Files.read(GoldenStateTests.golden))

    let task = try TestTask(other.path)
    #expect(task.state == expected.state)
    #expect(task.records == expected.records)
    #expect(try task.store.outboxNumbers() == [11, 12])
    let dates = try task.store.makeReader().rowLedger().dates
    #expect(try dates == expected.store.makeReader().rowLedger().dates && dates[0]?.rows == 12)
    let (late, rejected) = (try sides(.late, task), try sides(.rejected, task))
    #expect(late == (try sides(.late, expected)) && late.count == 2)
    #expect(rejected == (try sides(.rejected, expected)) && rejected.count == 1)
    let bots = try task.store.makeReader().botRows()
    #expect(try bots == expected.store.makeReader().botRows() && bots.count == 2)
    for address in ["8.8.8.8", "2001:4860:4860::8888"] {
      let kept = try task.geography(of: address)
      #expect(try kept == expected.geography(of: address) && kept?.address == address)
    }
    #expect(try task.store.verify() == [])

    task.set(Sample.record(99, time: 5), for: Sample.hash(99))
    Sample.appendRow(13, to: &task.draft.rows)
    try task.checkpoint()
    try task.reopen()
    #expect(task.records.count == 12 && task.state.checkpoint == 3)
    #expect(try task.store.verify() == [])
  }

  @Test(arguments: [1, 2])
  func `a state of another format version is refused, with what to do`(version: Int) throws {
    let other = TemporaryDirectory()
    try Files.replace(
      other.path + "/data.mdb", with: Files.read(GoldenStateTests.folder + "Golden/v\(version).mdb")
    )
    let error = #expect(throws: StateError.self) { try TestTask(other.path) }
    #expect(error?.exitCode == .configuration)
    #expect("\(error!)".contains("format version \(version), this program writes 3"))
  }

  private func sides(_ output: SideOutput, _ task: TestTask) throws -> [String] {
    var texts: [String] = []
    try task.store.makeReader().forEachRecord(of: output) {
      texts.append("\($0)")
      return true
    }
    return texts
  }
}
