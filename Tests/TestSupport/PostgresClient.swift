import CPostgres
import Platform
import SessionModel

/// A plain connection to a PostgreSQL database, for looking at tables and for standing in their way.
package final class PostgresClient {
  /// What the server said to a statement that failed.
  package struct Failure: Error { package var message: String }

  private let handle: OpaquePointer

  package init(_ uri: String) throws(Failure) {
    guard let handle = PQconnectdb(uri) else { throw Failure(message: "no memory") }
    self.handle = handle
    if PQstatus(handle) != CONNECTION_OK {
      throw Failure(message: String(cString: PQerrorMessage(handle)))
    }
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
  }

  deinit { PQfinish(handle) }

  package func run(_ statements: String) throws(Failure) { _ = try rows(statements) }

  /// The answer to a query, each value as text; nil for null.
  @discardableResult
  package func rows(_ query: String) throws(Failure) -> [[String?]] {
    let result = PQexec(handle, query)
    defer { PQclear(result) }
    let status = PQresultStatus(result)
    guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else {
      throw Failure(message: String(cString: PQerrorMessage(handle)))
    }
    return (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in
        PQgetisnull(result, row, column) == 1
          ? nil : String(cString: PQgetvalue(result, row, column))
      }
    }
  }
}

extension TableExport {
  /// The rows of a PostgreSQL table by session end and id; nothing where there is no table.
  package static func postgres(
    _ uri: String, table: String = "sessions"
  ) throws(PostgresClient.Failure) -> [UInt8] {
    let columns = SessionSchema.standard.columns
    let values = columns.map { column in
      switch column.kind {
      case .timestamp:
        "to_char(\(column.name) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
      case .date: "to_char(\(column.name), 'YYYY-MM-DD')"
      default: "\(column.name)::text"
      }
    }
    let client = try PostgresClient(uri)
    guard try client.rows("SELECT to_regclass('\"\(table)\"')").first?.first != .some(.none) else {
      return []
    }
    var bytes: [UInt8] = []
    let rows = try client.rows(
      """
      SELECT \(values.joined(separator: ", ")) FROM "\(table)"
      ORDER BY session_end, session_id COLLATE "C"
      """)
    for row in rows {
      for (index, column) in columns.enumerated() {
        bytes.append(contentsOf: (index == 0 ? "{" : ",").utf8)
        JSONText.append(column.name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(row[index], column, to: &bytes)
      }
      bytes.append(contentsOf: "}\n".utf8)
    }
    return bytes
  }

  private static func append(_ value: String?, _ column: SessionColumn, to bytes: inout [UInt8]) {
    switch (column.kind, value) {
    case (_, nil): bytes.append(contentsOf: "null".utf8)
    case (.boolean, let value?), (.integer, let value?):
      bytes.append(contentsOf: value.utf8)
    case (_, let value?):
      var value = value
      value.withUTF8 { JSONText.append(UnsafeRawBufferPointer($0), to: &bytes) }
    }
  }
}
