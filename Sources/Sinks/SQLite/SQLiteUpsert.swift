import SessionModel

/// Writes rows into the session table, each by its `session_id`. Used inside a transaction.
struct SQLiteUpsert: ~Copyable {
  private let statement: SQLiteStatement
  private let columns: [SessionColumn]
  /// The computed texts of one row, one behind the other, and where each column's ends; reused.
  private var scratch: [UInt8] = []
  private var ends: [Int] = []

  init(
    _ connection: borrowing SQLiteConnection, table: TableName, schema: SessionSchema
  ) throws(SinkError) {
    columns = schema.columns
    let places = (1...columns.count).map { "?\($0)" }.joined(separator: ", ")
    statement = try connection.prepare(
      SQLTable.upsert(
        into: table, columns: schema.names, "VALUES (\(places))", differs: "IS NOT"))
  }

  mutating func write(_ rows: RowBatch) throws(SinkError) {
    defer {
      statement.reset()
      statement.unbind()
    }
    func put(_ row: SessionRow) throws(SinkError) { try write(row) }
    try rows.forEachRow(put)
  }

  private mutating func write(_ row: SessionRow) throws(SinkError) {
    compute(row)
    let outcome: Result<Void, SinkError> = scratch.withUnsafeBytes { texts in
      var start = 0
      for (index, column) in columns.enumerated() {
        let text = UnsafeRawBufferPointer(rebasing: texts[start..<ends[index]])
        bind(row.value(of: column), computed: text, at: Int32(index + 1))
        start = ends[index]
      }
      do throws(SinkError) {
        _ = try statement.step()
        statement.reset()
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try outcome.get()
  }

  /// Makes the texts that the row does not hold as such; they must not move while they are bound.
  private mutating func compute(_ row: SessionRow) {
    scratch.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    for column in columns {
      switch row.value(of: column) {
      case .sessionID(let id): id.appendHex(to: &scratch)
      case .timestamp(let time): TimeText.appendTimestamp(time, to: &scratch)
      case .date(let time): TimeText.appendDate(time, to: &scratch)
      case .null, .text, .boolean, .integer: break
      }
      ends.append(scratch.count)
    }
  }

  private func bind(
    _ value: SessionValue, computed: UnsafeRawBufferPointer, at parameter: Int32
  ) {
    switch value {
    case .null: statement.bind(nil, at: parameter)
    case .text(let text): statement.bind(text, at: parameter)
    case .boolean(let value): statement.bind(value ? 1 : 0, at: parameter)
    case .integer(let number): statement.bind(number, at: parameter)
    case .sessionID, .timestamp, .date: statement.bind(computed, at: parameter)
    }
  }
}
