import SessionModel

/// A row of `bots`: key, the row's position (40 bytes); value, a version byte, the encoded
/// `SessionRow`, a checksum.
enum BotRow {
  static let version: UInt8 = 1
  /// What a row counts towards the cap besides its encoding: its key, version and checksum.
  static let overheadBytes = RowPosition.byteCount + 1 + Checksum.byteCount

  /// Replaces `value` by the sealed row.
  static func encode(_ row: UnsafeRawBufferPointer, key: [UInt8], into value: inout [UInt8]) {
    value.removeAll(keepingCapacity: true)
    value.append(version)
    value.append(contentsOf: row)
    SealedValue.seal(&value, seed: key.withBytes { Checksum.seed(.bot, $0) })
  }

  /// - Returns: the encoded row; nil if it is broken or stands under another row's key.
  static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    guard
      let row = SealedValue.open(value, version: version, seed: Checksum.seed(.bot, key)),
      SessionRow(bytes: row, under: key) != nil
    else { return nil }
    return row
  }
}

extension SideOutput {
  var database: Database {
    switch self {
    case .late: .late
    case .rejected: .rejected
    case .bots: .bots
    }
  }

  /// - Returns: nil if the entry is broken or stands under another's key.
  func decode(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> SideEntry? {
    switch self {
    case .late, .rejected: SideRow.decode(key: key, value: value, output: self).map { .record($0) }
    case .bots: BotRow.decode(key: key, value: value).map { .row(Array($0)) }
    }
  }
}
