import SessionModel

/// Encodes rows for `COPY … (FORMAT binary)` into columns of the types that `SinkDDL` gives them.
///
/// Format: PostgreSQL manual, COPY, "Binary Format"; values as the types' send functions write them.
struct PostgresCopy {
  /// 2000-01-01, from which PostgreSQL counts, in µs and in days since 1970.
  private static let epoch: Microseconds = 946_684_800 * .perSecond
  private static let epochDay: Int64 = 10_957
  private static let microsecondsPerDay: Int64 = 86_400 * .perSecond

  private(set) var bytes: [UInt8] = []

  init(_ rows: RowBatch, _ schema: SessionSchema) {
    bytes.reserveCapacity(rows.bytes.count * 2)
    bytes.append(contentsOf: "PGCOPY\n".utf8)
    bytes.append(contentsOf: [0xFF, 0x0D, 0x0A, 0x00])
    // Flags, and the length of a header extension.
    append(Int32(0))
    append(Int32(0))
    rows.forEachRow { append($0, schema.columns) }
    append(Int16(-1))
  }

  private mutating func append(_ row: SessionRow, _ columns: [SessionColumn]) {
    append(Int16(columns.count))
    for column in columns {
      switch row.value(of: column) {
      case .null: append(Int32(-1))
      case .text(let text): append(text)
      case .sessionID(let id): appendSized { id.appendHex(to: &$0) }
      case .boolean(let value): appendSized { $0.append(value ? 1 : 0) }
      case .timestamp(let time): appendValue(time - PostgresCopy.epoch)
      case .date(let time):
        let day = time.flooredDivision(by: PostgresCopy.microsecondsPerDay)
        appendValue(Int32(day - PostgresCopy.epochDay))
      case .integer(let number): appendValue(number)
      }
    }
  }

  /// PostgreSQL's text cannot hold U+0000: U+FFFD stands in for it.
  private mutating func append(_ text: TextView) {
    appendSized { bytes in
      if !text.contains(0) {
        bytes.append(contentsOf: text)
        return
      }
      for byte in text {
        if byte == 0 { bytes.append(contentsOf: "\u{FFFD}".utf8) } else { bytes.append(byte) }
      }
    }
  }

  private mutating func appendValue(_ value: some FixedWidthInteger) {
    append(Int32(value.bitWidth / 8))
    append(value)
  }

  /// Appends what `encode` appends, with its length in front.
  private mutating func appendSized(_ encode: (inout [UInt8]) -> Void) {
    let place = bytes.count
    append(Int32(0))
    encode(&bytes)
    let length = UInt32(bytes.count - place - 4)
    for index in 0..<4 {
      bytes[place + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
    }
  }

  private mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}

extension Int64 {
  /// The quotient rounded down, for times before the epoch too.
  fileprivate func flooredDivision(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
