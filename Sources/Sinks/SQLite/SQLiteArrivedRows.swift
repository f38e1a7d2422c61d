import SessionModel

/// The rows of a SQLite table by `rowid`, which grows with each row that arrives.
final class SQLiteArrivedRows: ArrivedRows {
  private static let busyTimeoutMilliseconds: Int32 = 5_000

  private let connection: SQLiteConnection
  private let statement: SQLiteStatement
  private let columns: [SessionColumn]

  init(path: String, table: TableName, schema: SessionSchema) throws(SinkError) {
    let connection = try SQLiteConnection.open(
      path, create: false, busyTimeoutMilliseconds: SQLiteArrivedRows.busyTimeoutMilliseconds)
    columns = schema.columns
    let names = schema.names.joined(separator: ", ")
    statement = try connection.prepare("SELECT \(names) FROM \(table.quoted) ORDER BY rowid")
    self.connection = connection
  }

  func next() throws(SinkError) -> [UInt8]? {
    guard try statement.step() else { return nil }
    var bytes: [UInt8] = []
    for (index, column) in columns.enumerated() {
      bytes += (index == 0 ? "{" : ",").utf8
      JSONText.append(column.name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      append(column, at: Int32(index), to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  /// By the type that the value has in the file, so that a 7 is not taken for a "7".
  private func append(_ column: SessionColumn, at index: Int32, to bytes: inout [UInt8]) {
    switch statement.type(index) {
    case .null: bytes += "null".utf8
    case .integer where column.kind == .boolean && (0...1).contains(statement.integer(index)):
      bytes += (statement.integer(index) == 1 ? "true" : "false").utf8
    case .integer: bytes += String(statement.integer(index)).utf8
    case .text: JSONText.append(statement.bytes(index), to: &bytes)
    case .other:
      // Nothing that a sink writes; shown so that it differs from everything that one does.
      bytes += "?".utf8
      JSONText.append(statement.bytes(index), to: &bytes)
    }
  }
}
