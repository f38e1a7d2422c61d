import SessionModel

/// A row of `dates`, keyed by a session date in days since 1970 (u32, big-endian): the totals of
/// all rows of that date that ever entered the outbox.
///
/// All dates together have as many rows as sessions were closed, so a row that a damaged page hides
/// is missed.
enum DateRow {
  static let version: UInt8 = 1
  /// 9999-12-31.
  private static let latest = UInt32(Microseconds.latest / .perDay)

  static func key(_ date: UInt32) -> [UInt8] {
    withUnsafeBytes(of: date.bigEndian) { Array($0) }
  }

  static func encode(_ totals: RowTotals, key: [UInt8]) -> [UInt8] {
    var bytes = [version]
    for number in [totals.rows, totals.digest.low, totals.digest.high] {
      PackedText.append(number, to: &bytes)
    }
    SealedValue.seal(&bytes, seed: key.withBytes { Checksum.seed(.date, $0) })
    return bytes
  }

  static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) -> (date: UInt32, totals: RowTotals)? {
    guard key.count == 4,
      let body = SealedValue.open(value, version: version, seed: Checksum.seed(.date, key))
    else { return nil }
    let date = UInt32(bigEndian: key.loadUnaligned(as: UInt32.self))
    var reader = PackedReader(body)
    guard date <= latest, let rows = reader.integer(UInt64.self),
      let low = reader.integer(UInt64.self), let high = reader.integer(UInt64.self),
      reader.isAtEnd, (1...ValueLimits.count).contains(rows)
    else { return nil }
    return (date, RowTotals(rows: rows, low: low, high: high))
  }

  /// Adds rows to what a date has.
  static func add(
    _ totals: RowTotals, to date: UInt32, _ transaction: borrowing Transaction
  ) throws(StateError) {
    let key = key(date)
    var sum = totals
    try key.withBytes { (bytes) throws(StateError) in
      guard let value = try transaction.get(.dates, bytes) else { return }
      guard let known = decode(key: bytes, value: value) else {
        throw broken(transaction.environment.directory)
      }
      sum.add(known.totals)
    }
    try transaction.put(.dates, key, encode(sum, key: key), .replacing)
  }

  /// - Parameter closed: how many sessions were closed.
  /// - Throws: `.corrupt` where a row is broken, or the dates do not have so many rows.
  static func readAll(
    _ transaction: borrowing Transaction, closed: UInt64
  ) throws(StateError) -> [UInt32: RowTotals] {
    let directory = transaction.environment.directory
    var dates: [UInt32: RowTotals] = [:]
    var rows: UInt64 = 0
    var cursor = try transaction.cursor(.dates)
    while try cursor.next() {
      guard let (date, totals) = decode(key: cursor.key, value: cursor.value) else {
        throw broken(directory)
      }
      dates[date] = totals
      rows &+= totals.rows
    }
    guard rows == closed else {
      throw StateError.damaged(
        directory, "'dates' counts \(rows) rows, but \(closed) sessions were closed")
    }
    return dates
  }

  private static func broken(_ directory: String) -> StateError {
    .damaged(directory, "a row of 'dates' is broken")
  }
}
