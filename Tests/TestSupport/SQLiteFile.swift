import CSQLite
import SessionModel

/// A plain connection to a SQLite file, for looking at tables and for standing in their way.
package final class SQLiteFile {
  /// What SQLite said to a statement that failed.
  package struct Failure: Error { package var message: String }

  private let handle: OpaquePointer

  package init(_ path: String) throws(Failure) {
    var handle: OpaquePointer?
    let code = sqlite3_open(path, &handle)
    guard code == SQLITE_OK, let handle else { throw Failure(message: "cannot open \(path)") }
    sqlite3_busy_timeout(handle, 10_000)
    self.handle = handle
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs statements that answer nothing.
  package func run(_ statements: String) throws(Failure) {
    if sqlite3_exec(handle, statements, nil, nil, nil) != SQLITE_OK {
      throw Failure(message: String(cString: sqlite3_errmsg(handle)))
    }
  }

  /// The answer to a query, each value as text; nil for null.
  package func rows(_ query: String) throws(Failure) -> [[String?]] {
    var rows: [[String?]] = []
    try forEachRow(query) { statement in
      rows.append(
        (0..<sqlite3_column_count(statement)).map { column in
          sqlite3_column_text(statement, column).map { String(cString: $0) }
        })
    }
    return rows
  }

  /// Calls `body` with the statement at each row of the answer.
  func forEachRow(_ query: String, _ body: (OpaquePointer) -> Void) throws(Failure) {
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v2(handle, query, -1, &prepared, nil)
    guard code == SQLITE_OK, let statement = prepared else {
      throw Failure(message: String(cString: sqlite3_errmsg(handle)))
    }
    defer { sqlite3_finalize(statement) }
    while sqlite3_step(statement) == SQLITE_ROW { body(statement) }
    if sqlite3_reset(statement) != SQLITE_OK {
      throw Failure(message: String(cString: sqlite3_errmsg(handle)))
    }
  }
}
