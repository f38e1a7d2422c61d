import SessionModel

/// A row of `outbox`: key, the row's position (40 bytes); value, a version byte, the row's number,
/// the encoded `SessionRow`, a checksum.
///
/// Rows are numbered from 1 as they enter the outbox, so that a row that a damaged page hides is
/// missed: numbers in the outbox run from `delivered + 1` to `sessionsClosed` without a hole.
enum OutboxRow {
  static let version: UInt8 = 1

  /// What stands in a value.
  struct Content {
    var number: UInt64
    /// The encoded row.
    var row: UnsafeRawBufferPointer
  }

  /// Replaces `value` by the sealed row.
  static func encode(
    _ row: UnsafeRawBufferPointer, number: UInt64, key: [UInt8], into value: inout [UInt8]
  ) {
    value.removeAll(keepingCapacity: true)
    value.append(version)
    PackedText.append(number, to: &value)
    value.append(contentsOf: row)
    SealedValue.seal(&value, seed: key.withBytes { Checksum.seed(.outboxRow, $0) })
  }

  /// - Returns: nil if the row is broken or stands under another row's key.
  static func decode(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Content? {
    guard
      let body = SealedValue.open(value, version: version, seed: Checksum.seed(.outboxRow, key)),
      body.count > 8
    else { return nil }
    let row = UnsafeRawBufferPointer(rebasing: body[8...])
    let number = UInt64(littleEndian: body.loadUnaligned(as: UInt64.self))
    guard SessionRow(bytes: row, under: key) != nil, number <= ValueLimits.count else { return nil }
    return Content(number: number, row: row)
  }

  /// Appends rows behind `position` (from the first one for nil) to `batch`.
  ///
  /// - Throws: `.corrupt` names a row that is broken or missing; `batch` holds the good ones before.
  static func read(
    _ transaction: borrowing Transaction, after position: RowPosition?, maxRows: Int,
    maxBytes: Int, into batch: inout RowBatch
  ) throws(StateError) {
    let counters = try StateRow.readAlone(transaction).state.counters
    let directory = transaction.environment.directory
    var cursor = try transaction.cursor(.outbox)
    var (found, expected) = try seek(&cursor, after: position, directory)
    var next = expected ?? counters.delivered + 1
    while found, batch.count < maxRows, batch.isEmpty || batch.bytes.count < maxBytes {
      let content = try content(cursor, directory)
      guard content.number == next else { throw missing(next, directory) }
      batch.append(encoded: content.row)
      next += 1
      found = try cursor.next()
    }
    if !found && next != counters.sessionsClosed + 1 { throw missing(next, directory) }
  }

  /// Moves the cursor to the first row behind `position`.
  ///
  /// - Returns: whether there is one, and the number that it must have; nil if it is the first.
  private static func seek(
    _ cursor: inout Cursor, after position: RowPosition?, _ directory: String
  ) throws(StateError) -> (found: Bool, number: UInt64?) {
    guard let position else { return (try cursor.first(), nil) }
    let start = position.key
    let found = try start.withBytes { (key) throws(StateError) in try cursor.seek(key) }
    if found && cursor.key.elementsEqual(start) {
      let number = try content(cursor, directory).number
      return (try cursor.next(), number + 1)
    }
    guard found ? try cursor.previous() : try cursor.last() else {
      return (found ? try cursor.first() : false, nil)
    }
    let number = try content(cursor, directory).number
    return (found ? try cursor.next() : false, number + 1)
  }

  private static func content(
    _ cursor: borrowing Cursor, _ directory: String
  ) throws(StateError) -> Content {
    guard let content = decode(key: cursor.key, value: cursor.value) else {
      throw StateError.damaged(directory, "row \(describe(cursor.key)) of the outbox is broken")
    }
    return content
  }

  private static func missing(_ number: UInt64, _ directory: String) -> StateError {
    .damaged(directory, "row number \(number) of the outbox is missing")
  }

  static func describe(_ key: UnsafeRawBufferPointer) -> String {
    key.count == RowPosition.byteCount
      ? RowPosition(bytes: key).description : "with a key of \(key.count) bytes"
  }
}

extension SessionRow {
  /// - Parameter key: a position's bytes.
  /// - Returns: nil unless the bytes are one row that may stand under the key.
  init?(bytes: UnsafeRawBufferPointer, under key: UnsafeRawBufferPointer) {
    guard key.count == RowPosition.byteCount else { return nil }
    self.init(bytes: bytes)
    guard position == RowPosition(bytes: key), sessionStart >= 0, sessionStart <= sessionEnd,
      sessionEnd <= .latest
    else { return nil }
  }
}
