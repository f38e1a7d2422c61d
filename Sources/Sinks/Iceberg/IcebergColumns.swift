import SessionModel

/// Rows column by column in the memory layout of Apache Arrow ("Arrow Columnar Format", 1.5): nothing
/// is parsed on the other side, and no text can be mistaken for a value.
enum IcebergColumns {
  static let buffersPerColumn = 3

  /// Three buffers for each column of the table, in order: bits that say which values are there, or
  /// nothing where all are; values, or offsets into the texts; texts.
  static func buffers(of rows: RowBatch, _ schema: SessionSchema) -> [[UInt8]] {
    var columns = schema.columns.map { Builder($0, rows: rows.count) }
    rows.forEachRow { row in
      for index in columns.indices { columns[index].append(row) }
    }
    return columns.flatMap { $0.buffers }
  }

  /// One column as it grows.
  private struct Builder {
    private let column: SessionColumn
    private var count = 0
    private var hasNull = false
    private var validity: [UInt8] = []
    private var values: [UInt8] = []
    private var texts: [UInt8] = []

    init(_ column: SessionColumn, rows: Int) {
      self.column = column
      validity = [UInt8](repeating: 0, count: (rows + 7) / 8)
      switch column.kind {
      case .boolean: values = validity
      case .text:
        values.reserveCapacity(4 * (rows + 1))
        append(Int32(0))
      case .timestamp, .integer, .date: values.reserveCapacity(8 * rows)
      }
    }

    var buffers: [[UInt8]] { [hasNull ? validity : [], values, texts] }

    mutating func append(_ row: SessionRow) {
      let bit = UInt8(1 << (count & 7))
      var isThere = true
      switch row.value(of: column) {
      case .null:
        isThere = false
        endText()
      case .text(let text):
        texts.append(contentsOf: text)
        endText()
      case .sessionID(let id):
        id.appendHex(to: &texts)
        endText()
      case .boolean(let value): if value { values[count >> 3] |= bit }
      case .timestamp(let time): append(time)
      case .date(let time): append(Int32(time / .perDay))
      case .integer(let number): append(number)
      }
      if isThere { validity[count >> 3] |= bit } else { hasNull = true }
      count += 1
    }

    /// Only texts may be null.
    private mutating func endText() { append(Int32(texts.count)) }

    private mutating func append(_ number: some FixedWidthInteger) {
      withUnsafeBytes(of: number.littleEndian) { values.append(contentsOf: $0) }
    }
  }
}

/// A part of a scan: rows as the helper sends them.
struct IcebergRows {
  let count: Int
  private let columns: [SessionColumn]
  private let buffers: [[UInt8]]

  /// - Parameter answer: `rows`, a number, and the buffers of each column.
  /// - Returns: nil where the buffers do not hold as many rows.
  init?(answer: [[UInt8]], _ schema: SessionSchema) {
    guard answer.count == 2 + IcebergColumns.buffersPerColumn * schema.columns.count,
      answer[0] == "rows".utf8Bytes, let count = Int(answer[1].text), count > 0
    else { return nil }
    self.count = count
    columns = schema.columns
    buffers = Array(answer[2...])
    guard columns.indices.allSatisfy(isWhole) else { return nil }
  }

  private func isWhole(_ column: Int) -> Bool {
    let first = column * IcebergColumns.buffersPerColumn
    let (validity, values) = (buffers[first], buffers[first + 1])
    guard validity.isEmpty || validity.count >= (count + 7) / 8 else { return false }
    switch columns[column].kind {
    case .boolean: return values.count >= (count + 7) / 8
    case .integer, .timestamp: return values.count / 8 >= count
    case .date: return values.count / 4 >= count
    case .text:
      guard values.count / 4 > count else { return false }
      var start: Int32 = 0
      for row in 0...count {
        let end = number(values, row, Int32.self)
        if end < start { return false }
        start = end
      }
      return Int(start) <= buffers[first + 2].count
    }
  }

  /// Appends a row as `SessionRowJSON` writes it.
  func append(row: Int, to bytes: inout [UInt8]) {
    for (index, column) in columns.enumerated() {
      bytes += (index == 0 ? "{" : ",").utf8
      JSONText.append(column.name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      append(column.kind, index, row, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private func append(_ kind: ColumnKind, _ column: Int, _ row: Int, to bytes: inout [UInt8]) {
    let first = column * IcebergColumns.buffersPerColumn
    let (validity, values, texts) = (buffers[first], buffers[first + 1], buffers[first + 2])
    if !validity.isEmpty, validity[row >> 3] >> UInt8(row & 7) & 1 == 0 {
      bytes += "null".utf8
      return
    }
    switch kind {
    case .boolean:
      bytes += (values[row >> 3] >> UInt8(row & 7) & 1 == 1 ? "true" : "false").utf8
    case .integer: DecimalText.append(number(values, row, Int64.self), to: &bytes)
    case .timestamp:
      quote(TimeText.timestamp(number(values, row, Int64.self)), to: &bytes)
    case .date:
      // A row of somebody else's may have a date beyond all times.
      let (time, isBeyond) = Int64(number(values, row, Int32.self))
        .multipliedReportingOverflow(by: .perDay)
      quote(TimeText.date(isBeyond ? .max : time), to: &bytes)
    case .text:
      let range = Int(number(values, row, Int32.self))..<Int(number(values, row + 1, Int32.self))
      texts.withUnsafeBytes { texts in
        JSONText.append(UnsafeRawBufferPointer(rebasing: texts[range]), to: &bytes)
      }
    }
  }

  private func quote(_ text: String, to bytes: inout [UInt8]) { JSONText.append(text, to: &bytes) }

  private func number<Number: FixedWidthInteger>(
    _ values: [UInt8], _ index: Int, _ type: Number.Type
  ) -> Number {
    values.withUnsafeBytes {
      Number(
        littleEndian: $0.loadUnaligned(
          fromByteOffset: index * MemoryLayout<Number>.size, as: type))
    }
  }
}
