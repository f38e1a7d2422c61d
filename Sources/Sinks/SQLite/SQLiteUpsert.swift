import SessionModel

/// Writes rows into the session table, each by its `session_id`. Used inside a transaction.
struct SQLiteUpsert: ~Copyable {
  private let statement: SQLiteStatement
  /// The computed texts of one row, reused.
  private var scratch: [UInt8] = []

  init(_ connection: borrowing SQLiteConnection, table: TableName) throws(SinkError) {
    statement = try connection.prepare(SQLiteUpsert.text(table))
  }

  /// A row that is there with the same values is left alone, which makes replays cheap.
  private static func text(_ table: TableName) -> String {
    let names = SessionColumn.allCases.map(\.rawValue)
    let values = names.filter { $0 != SessionColumn.sessionID.rawValue }
    func list(_ names: [String], _ form: (String) -> String) -> String {
      names.map(form).joined(separator: ", ")
    }
    return """
      INSERT INTO \(table.quoted) AS kept (\(list(names) { $0 }))
      VALUES (\(list(Array(1...names.count).map { "?\($0)" }) { $0 }))
      ON CONFLICT (session_id) DO UPDATE SET \(list(values) { "\($0) = excluded.\($0)" })
      WHERE (\(list(values) { "kept.\($0)" })) IS NOT (\(list(values) { "excluded.\($0)" }))
      """
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
