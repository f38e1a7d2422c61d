import SessionModel

/// The rows of a PostgreSQL table by position: a table there keeps no order of arrival.
final class PostgresArrivedRows: ArrivedRows {
  private static let rowsPerFetch = 2_000

  private let connection: PostgresConnection
  private let columns: [SessionColumn]
  private var rows: ArraySlice<[String?]> = []

  init(
    _ address: PostgresAddress, table: TableName, schema: SessionSchema
  ) throws(SinkError) {
    columns = schema.columns
    connection = try PostgresConnection.open(address)
    let values = columns.map(PostgresArrivedRows.text).joined(separator: ", ")
    try connection.execute(
      """
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      \(PostgresLedger.namesAsForTheRole)
      DECLARE arrived NO SCROLL CURSOR FOR SELECT \(values) FROM \(table.quoted)
        ORDER BY session_end, session_id COLLATE "C"
      """)
  }

  private static func text(of column: SessionColumn) -> String {
    switch column.kind {
    case .timestamp:
      "to_char(\(column.name) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    case .date: "to_char(\(column.name), 'YYYY-MM-DD')"
    case .text, .boolean, .integer: "\(column.name)::text"
    }
  }

  func next() throws(SinkError) -> [UInt8]? {
    if rows.isEmpty {
      rows = try connection.query("FETCH \(PostgresArrivedRows.rowsPerFetch) FROM arrived")[...]
    }
    guard let row = rows.popFirst() else { return nil }
    var bytes: [UInt8] = []
    for (index, column) in columns.enumerated() {
      bytes += (index == 0 ? "{" : ",").utf8
      JSONText.append(column.name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      append(row[index], column.kind, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  private func append(_ value: String?, _ kind: ColumnKind, to bytes: inout [UInt8]) {
    switch (kind, value) {
    case (_, nil): bytes += "null".utf8
    case (.boolean, let value?), (.integer, let value?): bytes += value.utf8
    case (.text, let value?), (.timestamp, let value?), (.date, let value?):
      JSONText.append(value, to: &bytes)
    }
  }
}
