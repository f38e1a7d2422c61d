import SessionModel
import StateStore
import Windowing

/// A value of the state → what it means. An input is a kind (1 byte: 1 job … 13 bot), the
/// length of the key (1 byte), the key, and the value without its checksum.
enum StateValueCheck {
  static func run(_ input: UnsafeRawBufferPointer) throws(FuzzFinding) {
    guard input.count >= 2, let kind = StoredValue(rawValue: input[0]),
      input.count - 2 >= Int(input[1])
    else { return }
    // Copies of their own, so that a read behind their end is one behind an allocation.
    let key = Array(input[2..<(2 + Int(input[1]))])
    let content = Array(input[(2 + key.count)...])
    var finding: FuzzFinding?
    key.withUnsafeBytes { key in
      do throws(FuzzFinding) { try run(kind, content, key: key) } catch { finding = error }
    }
    if let finding { throw finding }
    if kind == .record { try SessionRecordCheck.run(content) }
  }

  private static func run(
    _ kind: StoredValue, _ content: [UInt8], key: UnsafeRawBufferPointer
  ) throws(FuzzFinding) {
    let value = kind.sealed(content, key: key)
    // As it is, with a byte more and with one less, the checksum wrong or none.
    for bytes in [content, value + [0], value.dropLast()] {
      _ = bytes.withUnsafeBytes { kind.recoded($0, key: key) }
    }
    guard let again = value.withUnsafeBytes({ kind.recoded($0, key: key) }) else { return }
    if kind == .headerChunk {
      try require(
        again.withUnsafeBytes { kind.recoded($0, key: key) } == again,
        "entries that were encoded decode to others")
    } else {
      try require(again == value, "\(kind): what was decoded is encoded as other bytes")
    }
  }
}

/// Packed bytes of sessions as the log might hold them: taken and refused alike by the reader that
/// unpacks and by the one that works in place; and what is taken, can be worked on.
enum SessionRecordCheck {
  static func run(_ packed: [UInt8]) throws(FuzzFinding) {
    let record = packed.withUnsafeBytes { SessionRecord(packed: $0) }
    let isWellFormed = packed.withUnsafeBytes { PackedRecord.isWellFormed($0) }
    guard let record else {
      return try require(!isWellFormed, "in place it is a record, unpacked it is none")
    }
    if !isWellFormed { return }
    do {
      try work(on: packed, of: record)
    } catch let finding as FuzzFinding {
      throw finding
    } catch is SessionTableError {
      return
    } catch {
      throw FuzzFinding("the table throws \(error)")
    }
  }

  private static let hash = KeyHash(high: 1, low: 2)

  /// Events before, between and behind the sessions; then all are closed.
  private static func work(on packed: [UInt8], of record: SessionRecord) throws {
    let place = RecordPlace(chunk: 1 << 16, offset: 16, length: UInt32(packed.count))
    let table = SessionTable(gap: 300 * .perSecond) { _, _, body in
      packed.withUnsafeBytes { body($0) }
    }
    let times = record.sessions.map(\.last.time)
    _ = table.recover(hash: hash, place: place, leastLast: times.min() ?? 0)
    table.finishRecovery(sessions: UInt64(times.count))
    var added: UInt64 = 0
    for time in [0, times[0], times[times.count / 2], times[times.count - 1], .latest] {
      try record.key.withUnsafeBytes { key in
        var event = Event()
        (event.time, event.key) = (time, key)
        let point = EventPoint(time: time, partition: 0, offset: Int64(added))
        try table.add(event, at: point, hash: hash, closeLine: .never)
      }
      added += 1
    }
    try table.sweep(to: .latest + 1)
    var rows = RowBatch()
    try table.takeRows(limit: .max / 2, into: &rows)
    var events: UInt64 = 0
    rows.forEachRow { events &+= $0.eventCount }
    try require(
      events == record.sessions.reduce(added) { $0 &+ $1.eventCount },
      "\(events) events are in the rows")
  }
}
