import SessionModel

/// A row of `outbox`: key, the row's position (40 bytes); value, a version byte, the encoded
/// `SessionRow`, a checksum.
enum OutboxRow {
  static let version: UInt8 = 1

  /// Replaces `value` by the sealed row.
  static func encode(
    _ row: UnsafeRawBufferPointer, key: [UInt8], into value: inout [UInt8]
  ) {
    value.removeAll(keepingCapacity: true)
    value.append(version)
    value.append(contentsOf: row)
    SealedValue.seal(&value, seed: key.withBytes { Checksum.seed(.outboxRow, $0) })
  }

  /// - Returns: the encoded row; nil if it is broken or stands under another row's key.
  static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    guard key.count == RowPosition.byteCount,
      let row = SealedValue.open(value, version: version, seed: Checksum.seed(.outboxRow, key)),
      SessionRow(bytes: row)?.position == RowPosition(bytes: key)
    else { return nil }
    return row
  }

  /// Appends rows behind `position` (from the first one for nil) to `batch`.
  ///
  /// - Throws: `.corrupt` names the broken row; `batch` holds the good ones before it.
  static func read(
    _ transaction: borrowing Transaction, after position: RowPosition?, maxRows: Int,
    maxBytes: Int, into batch: inout RowBatch
  ) throws(StateError) {
    var cursor = try transaction.cursor(.outbox)
    var found: Bool
    if let position {
      let start = position.key
      found = try start.withBytes { (key) throws(StateError) in try cursor.seek(key) }
      if found, cursor.key.elementsEqual(start) { found = try cursor.next() }
    } else {
      found = try cursor.first()
    }
    while found, batch.count < maxRows, batch.isEmpty || batch.bytes.count < maxBytes {
      guard let row = decode(key: cursor.key, value: cursor.value) else {
        throw StateError.damaged(
          transaction.environment.directory, "row \(describe(cursor.key)) of the outbox is broken")
      }
      batch.append(encoded: row)
      found = try cursor.next()
    }
  }

  static func describe(_ key: UnsafeRawBufferPointer) -> String {
    key.count == RowPosition.byteCount
      ? RowPosition(bytes: key).description : "with a key of \(key.count) bytes"
  }
}
