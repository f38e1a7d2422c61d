import CSQLite
import Platform

/// A connection to one database file. One thread uses it.
///
/// Every method throws the `SinkError` that `SinkError.init(sqlite:…)` says.
struct SQLiteConnection: ~Copyable {
  /// Ids are spread over the whole key: with SQLite's own 2 MB, most of its pages are read again for
  /// each batch.
  private static let cacheKiB = 32 << 10
  /// The log's size at which its pages go to the database file; a batch of 10,000 rows alone touches
  /// more than SQLite's own 1,000 pages. Pages have 4 KiB.
  private static let checkpointPages = 8_192

  private let handle: OpaquePointer
  private let path: String

  /// Opens the file for durable writing: WAL, each commit synced.
  ///
  /// - Parameters:
  ///   - create: whether a missing file is made. Its directory never is: a missing one is more
  ///     often a typing error or a disk that is not mounted than a wish.
  ///   - busyTimeoutMilliseconds: how long a statement waits for another's lock.
  static func open(
    _ path: String, create: Bool, busyTimeoutMilliseconds: Int32
  ) throws(SinkError) -> SQLiteConnection {
    var handle: OpaquePointer?
    let flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
      | (create ? SQLITE_OPEN_CREATE : 0)
    // A path that begins with "file:" must stay a path where SQLite was built to read URIs.
    let file = path.hasPrefix("/") || path.hasPrefix("./") ? path : "./" + path
    let code = sqlite3_open_v2(file, &handle, flags, nil)
    guard let handle else { throw .unavailable("SQLite has no memory to open \(path)") }
    let connection = SQLiteConnection(handle: handle, path: path)
    if code != SQLITE_OK { throw connection.failure(code) }
    sqlite3_busy_timeout(handle, busyTimeoutMilliseconds)
    let mode = try connection.prepare("PRAGMA journal_mode = WAL")
    if try mode.step(), let answer = mode.text(0), answer != "wal" {
      throw .unsuitable(
        "SQLite keeps \(path) in journal mode \"\(answer)\" and cannot change it to WAL: is it on a "
          + "network file system? Nothing was changed. Give a path on a local disk.")
    }
    try connection.execute(
      """
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -\(cacheKiB);
      PRAGMA wal_autocheckpoint = \(checkpointPages);
      """)
    return connection
  }

  /// A database without a name that ends with the connection, on the disk as far as the cache does
  /// not hold it.
  static func temporary() throws(SinkError) -> SQLiteConnection {
    var handle: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    let code = sqlite3_open_v2("", &handle, flags | SQLITE_OPEN_EXRESCODE, nil)
    guard let handle else { throw .unavailable("SQLite has no memory for a temporary database") }
    let connection = SQLiteConnection(handle: handle, path: "a temporary database")
    if code != SQLITE_OK { throw connection.failure(code) }
    try connection.execute(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -\(cacheKiB)")
    return connection
  }

  private init(handle: OpaquePointer, path: String) {
    self.handle = handle
    self.path = path
  }

  // Statements may outlive this: version 2 of the call waits for them.
  deinit { sqlite3_close_v2(handle) }

  /// Runs statements that answer nothing.
  func execute(_ statements: String) throws(SinkError) {
    let code = sqlite3_exec(handle, statements, nil, nil, nil)
    if code != SQLITE_OK { throw failure(code) }
  }

  func prepare(_ statement: String) throws(SinkError) -> SQLiteStatement {
    var prepared: OpaquePointer?
    let code = sqlite3_prepare_v3(
      handle, statement, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let prepared else { throw failure(code) }
    return SQLiteStatement(prepared, path: path)
  }

  /// Runs `body` as one transaction that holds the write lock from its beginning; rolled back if
  /// anything fails.
  func transaction<Result>(_ body: () throws(SinkError) -> Result) throws(SinkError) -> Result {
    try execute("BEGIN IMMEDIATE")
    do throws(SinkError) {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // Some failures have rolled back already; then this one fails, and nothing is left to do.
      sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
      throw error
    }
  }

  /// Whether the file has been deleted, renamed or replaced since it was opened: what is written
  /// now would be lost.
  var fileHasMoved: Bool {
    var moved: Int32 = 0
    let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
    return code == SQLITE_OK && moved != 0
  }

  private func failure(_ code: Int32) -> SinkError {
    SinkError(
      sqlite: code, systemError: sqlite3_system_errno(handle),
      message: String(cString: sqlite3_errmsg(handle)), path: path)
  }
}

extension SinkError {
  /// What a failure of SQLite means for the delivery.
  ///
  /// - Parameters:
  ///   - code: an extended result code of SQLite that is an error.
  ///   - systemError: the `errno` behind it, where there is one: a full disk has many codes.
  ///   - message: SQLite's own words.
  package init(sqlite code: Int32, systemError: Int32 = 0, message: String, path: String) {
    let text = "SQLite, \(path): \(message) (code \(code))"
    let safe = "The rows stay in the state; it is tried again."
    switch code & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED:
      self = .unavailable(
        "\(text). Another program holds its lock; end its transaction. \(safe)")
    case SQLITE_FULL,
      SQLITE_CANTOPEN where SystemError("", code: systemError).isDiskFull,
      SQLITE_IOERR where SystemError("", code: systemError).isDiskFull:
      self = .unavailable("\(text). Make room on its disk. \(safe)")
    case SQLITE_CANTOPEN:
      self = .unavailable(
        "\(text). Its directory must exist and be open to this user. \(safe)")
    case SQLITE_READONLY where code == SQLITE_READONLY | (4 << 8):
      self = .moved(SinkError.replacedFile(path))
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
      self = .unavailable("\(text). Give this user the right to write to it. \(safe)")
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      self = .unsuitable(
        "\(text). Nothing was written. Restore it from a backup, or give another path.")
    case SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_SCHEMA:
      self = .unsuitable(
        "\(text): the table cannot take the rows. Nothing was written, they stay in the state. "
          + "Change the table (`sojourn ddl --dialect sqlite` shows what is needed).")
    case SQLITE_MISUSE, SQLITE_RANGE:
      preconditionFailure(text)
    default:
      self = .unavailable("\(text). \(safe)")
    }
  }

  static func replacedFile(_ path: String) -> String {
    "SQLite, \(path): the file was deleted or replaced while this process used it. Nothing was "
      + "written, the rows stay in the state. A new start begins at what the file says."
  }
}
