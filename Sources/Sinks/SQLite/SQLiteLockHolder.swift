/// Another program's transaction that does not end: holds the write lock of a SQLite file.
final class SQLiteLockHolder: SinkOutage {
  /// Transactions of the process that writes there are short.
  private static let busyTimeoutMilliseconds: Int32 = 60_000

  private let connection: SQLiteConnection
  private var isHeld = true

  init(path: String) throws(SinkError) {
    let connection = try SQLiteConnection.open(
      path, create: false, busyTimeoutMilliseconds: SQLiteLockHolder.busyTimeoutMilliseconds)
    try connection.execute("BEGIN EXCLUSIVE")
    self.connection = connection
  }

  func end() {
    guard isHeld else { return }
    isHeld = false
    // Nothing was written; closing would end it, too.
    try? connection.execute("ROLLBACK")
  }
}
