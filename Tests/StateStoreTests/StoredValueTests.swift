import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// Values with a right checksum that no checkpoint writes: refused, so that nothing that follows
/// from them can overflow or trap.
@Suite struct StoredValueTests {
  private func integer(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  private func text(_ text: String) -> [UInt8] {
    integer(UInt16(text.utf8.count)) + Array(text.utf8)
  }

  private func isTaken(_ kind: StoredValue, _ content: [UInt8], key: [UInt8]) -> Bool {
    key.withUnsafeBytes { key in
      kind.sealed(content, key: key).withUnsafeBytes { kind.recoded($0, key: key) != nil }
    }
  }

  @Test func `fuzzing begins with a value of each kind that is taken`() throws {
    let folder = repositoryRoot() + "/Tests/Fuzz/Corpus/state-values/"
    var taken: Set<StoredValue> = []
    for name in try Files.names(in: folder) {
      let input = try Files.read(folder + name)
      let (kind, keyEnd) = (try #require(StoredValue(rawValue: input[0])), 2 + Int(input[1]))
      if isTaken(kind, Array(input[keyEnd...]), key: Array(input[2..<keyEnd])) {
        taken.insert(kind)
      }
    }
    #expect(taken == Set(StoredValue.allCases))
  }

  /// The row of `state`.
  private func stateRow(
    checkpoint: UInt64 = 2, watermark: Microseconds = .never, rowEnd: UInt64 = 5,
    records: UInt64 = 7, more: [(String, UInt64)] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = [1]
    for number in [checkpoint, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] { bytes += integer(number) }
    bytes += integer(UInt32(0)) + integer(watermark) + integer(Microseconds.never) + integer(0)
    bytes += [1] + withUnsafeBytes(of: rowEnd.bigEndian) { Array($0) } + Array(0..<32) + [0]
    let names = [
      "records_read", "bytes_read", "events_in_sessions", "sessions_closed",
      "sessions_closed_by_flush", "bot_sessions", "bot_events", "flushes", "idlings", "delivered",
      "cut_texts", "lost_offsets", "rows_without_geography",
    ]
    bytes += integer(UInt16(names.count + more.count))
    for (name, value) in names.map({ ($0, records) }) + more {
      bytes += text(name) + integer(value)
    }
    return bytes + integer(UInt16(0))
  }

  private func isTakenAsState(_ content: [UInt8]) -> Bool {
    isTaken(.state, content, key: Array("state".utf8))
  }

  @Test func `the row of the checkpoint is refused where a number is beyond all bounds`() {
    #expect(isTakenAsState(stateRow()))
    #expect(!isTakenAsState(stateRow(checkpoint: 1 << 48)))
    #expect(!isTakenAsState(stateRow(watermark: .min)))
    #expect(!isTakenAsState(stateRow(watermark: .max)))
    #expect(!isTakenAsState(stateRow(rowEnd: 1 << 63)))
    #expect(!isTakenAsState(stateRow(records: .max)))
  }

  @Test func `a counter that stands twice, with 0 or under no known name is refused`() {
    #expect(isTakenAsState(stateRow(more: [("late.behind_partition", 3)])))
    #expect(!isTakenAsState(stateRow(more: [("late.behind_partition", 0)])))
    #expect(!isTakenAsState(stateRow(more: [("records_read", 7)])))
    #expect(!isTakenAsState(stateRow(more: [("sessions_lost", 1)])))
  }

  @Test func `a partition's row is refused with a flag or a time that it cannot have`() {
    func row(flag: UInt8, time: Int64, greatest: Microseconds = 5, next: Int64 = 9) -> [UInt8] {
      [1] + integer(next) + integer(greatest) + [flag] + integer(time) + text("proof")
    }
    func isTaken(_ row: [UInt8]) -> Bool { self.isTaken(.partition, row, key: [0, 0, 0, 1]) }
    #expect(isTaken(row(flag: 1, time: 3)) && isTaken(row(flag: 0, time: 0)))
    #expect(!isTaken(row(flag: 2, time: 3)) && !isTaken(row(flag: 0, time: 3)))
    #expect(!isTaken(row(flag: 1, time: 3, greatest: .max)))
    #expect(!isTaken(row(flag: 1, time: 3, next: -1)))
  }

  @Test func `a bot's row is refused under another key, and with times that it cannot have`() {
    func row(start: Microseconds, end: Microseconds, version: UInt8 = 1) -> [UInt8] {
      var bytes = [version]
      SessionRow.append(
        id: Sample.position(1).sessionID, start: start, end: end, eventCount: 1,
        texts: { _ in nil },
        to: &bytes)
      return bytes
    }
    func key(end: Microseconds) -> [UInt8] {
      var key: [UInt8] = []
      RowPosition(sessionEnd: end, sessionID: Sample.position(1).sessionID).append(to: &key)
      return key
    }
    #expect(isTaken(.bot, row(start: 3, end: 7), key: key(end: 7)))
    #expect(!isTaken(.bot, row(start: 3, end: 7), key: key(end: 8)))
    #expect(!isTaken(.bot, row(start: 8, end: 7), key: key(end: 7)))
    #expect(!isTaken(.bot, row(start: -1, end: 7), key: key(end: 7)))
    #expect(!isTaken(.bot, row(start: 3, end: 7, version: 2), key: key(end: 7)))
    #expect(!isTaken(.bot, row(start: 3, end: 7) + [0], key: key(end: 7)))
  }

  @Test func `the row of the settings is refused where a text is missing or longer than is kept`() {
    func isTaken(_ row: [UInt8]) -> Bool {
      self.isTaken(.settings, row, key: Array("settings".utf8))
    }
    let head: [UInt8] = [1] + integer(UInt16(1))
    #expect(isTaken(head + text("max-drift") + text(String(repeating: "1", count: 2_048))))
    #expect(!isTaken(head + text("max-drift") + text(String(repeating: "1", count: 2_049))))
    #expect(!isTaken(head + text("max-drift") + [0xFF, 0xFF]))
    #expect(!isTaken(head + text("max-drift") + text("1m") + [0]))
    #expect(!isTaken([1] + integer(UInt16(2)) + text("max-drift") + text("1m")))
  }

  @Test func `a segment's row is refused where its numbers do not fit each other or a file`() {
    func row(
      tombstones: UInt32 = 0, headerChunks: UInt32 = 1, dataBytes: UInt64 = 4_080
    ) -> [UInt8] {
      var bytes: [UInt8] = [1]
      for number in [1, tombstones, 1, headerChunks] { bytes += integer(number) }
      for number in [dataBytes, 4_080, 1, 100] { bytes += integer(number) }
      bytes += integer(Microseconds.never)
      for group in 0...256 { bytes += integer(UInt32(group == 0 ? 0 : 1)) }
      return bytes
    }
    func isTaken(_ row: [UInt8]) -> Bool {
      self.isTaken(.segment, row, key: integer(UInt64(4)))
    }
    #expect(isTaken(row()))
    #expect(!isTaken(row(tombstones: 2)))
    #expect(!isTaken(row(headerChunks: 2)))
    #expect(!isTaken(row(dataBytes: .max)))
  }
}
