import SessionModel

/// Writes rows into the session table, each by its `session_id`. Used inside a transaction.
struct SQLiteUpsert: ~Copyable {
  private let statement: SQLiteStatement
  /// The computed texts of one row, reused.
  private var scratch: [UInt8] = []

  init(_ connection: borrowing SQLiteConnection, table: TableName) throws(SinkError) {
    let places = (1...SQLTable.columnNames.count).map { "?\($0)" }.joined(separator: ", ")
    statement = try connection.prepare(
      SQLTable.upsert(into: table, "VALUES (\(places))", differs: "IS NOT"))
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
    scratch.removeAll(keepingCapacity: true)
    row.sessionID.appendHex(to: &scratch)
    let start = scratch.count
    TimeText.appendTimestamp(row.sessionStart, to: &scratch)
    let end = scratch.count
    TimeText.appendTimestamp(row.sessionEnd, to: &scratch)
    let date = scratch.count
    TimeText.appendDate(row.sessionStart, to: &scratch)
    let outcome: Result<Void, SinkError> = scratch.withUnsafeBytes { texts in
      func bind(_ range: Range<Int>, _ column: SessionColumn) {
        statement.bind(UnsafeRawBufferPointer(rebasing: texts[range]), at: column.parameter)
      }
      bind(0..<start, .sessionID)
      bind(start..<end, .sessionStart)
      bind(end..<date, .sessionEnd)
      bind(date..<texts.count, .sessionDate)
      bindOwnValues(of: row)
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

  private func bindOwnValues(of row: SessionRow) {
    statement.bind(row.isLoggedIn ? 1 : 0, at: SessionColumn.isLoggedIn.parameter)
    statement.bind(row.durationMs, at: SessionColumn.durationMs.parameter)
    statement.bind(Int64(clamping: row.eventCount), at: SessionColumn.eventCount.parameter)
    for (text, parameter) in SQLiteUpsert.textParameters {
      statement.bind(row[text], at: parameter)
    }
  }

  private static let textParameters: [(RowText, Int32)] = SessionColumn.allCases.compactMap {
    column in column.rowText.map { ($0, column.parameter) }
  }
}

extension SessionColumn {
  /// The number of the column's parameter in the statement.
  fileprivate var parameter: Int32 { Int32(SessionColumn.allCases.firstIndex(of: self)! + 1) }
}
