import CSQLite

/// A prepared statement. Parameters count from 1, columns of an answer from 0.
struct SQLiteStatement: ~Copyable {
  private let handle: OpaquePointer
  private let path: String

  init(_ handle: OpaquePointer, path: String) {
    self.handle = handle
    self.path = path
  }

  deinit { sqlite3_finalize(handle) }

  /// Binds text without copying it: it must live until the statement is reset.
  ///
  /// - Parameter text: UTF-8; nil binds null. Where it starts is never nil, not even if empty.
  func bind(_ text: UnsafeRawBufferPointer?, at parameter: Int32) {
    guard let text else {
      check(sqlite3_bind_null(handle, parameter))
      return
    }
    let start = text.baseAddress!.assumingMemoryBound(to: CChar.self)
    check(sqlite3_bind_text(handle, parameter, start, Int32(text.count), nil))
  }

  /// Binds a text that SQLite copies; nil binds null.
  func bind(copying text: String?, at parameter: Int32) {
    guard let text else {
      check(sqlite3_bind_null(handle, parameter))
      return
    }
    let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    check(sqlite3_bind_text(handle, parameter, text, -1, transient))
  }

  func bind(_ number: Int64, at parameter: Int32) {
    check(sqlite3_bind_int64(handle, parameter, number))
  }

  /// Runs to the next row of the answer.
  ///
  /// - Returns: false at the end.
  /// - Throws: what `SinkError.init(sqlite:…)` says.
  func step() throws(SinkError) -> Bool {
    let code = sqlite3_step(handle)
    switch code {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default:
      let connection = sqlite3_db_handle(handle)
      throw SinkError(
        sqlite: code, systemError: sqlite3_system_errno(connection),
        message: String(cString: sqlite3_errmsg(connection)), path: path)
    }
  }

  /// Makes it ready to run once more. The error it may return is the one `step` threw.
  func reset() { sqlite3_reset(handle) }

  /// Forgets what is bound, so that no pointer to it is left.
  func unbind() { sqlite3_clear_bindings(handle) }

  /// A column of the present row as text; nil for null.
  func text(_ column: Int32) -> String? {
    guard let start = sqlite3_column_text(handle, column) else { return nil }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// How SQLite keeps a value; blobs and floating-point numbers are `other`.
  enum ValueType {
    case null, integer, text, other
  }

  func type(_ column: Int32) -> ValueType {
    switch sqlite3_column_type(handle, column) {
    case SQLITE_NULL: .null
    case SQLITE_INTEGER: .integer
    case SQLITE_TEXT: .text
    default: .other
    }
  }

  /// A column of the present row as the bytes that are kept, until the next step.
  func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
    let start = sqlite3_column_blob(handle, column)
    return UnsafeRawBufferPointer(
      start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
  }

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  // Binding fails only for a parameter that is not there or while the statement runs, and without
  // memory.
  private func check(_ code: Int32) {
    precondition(code == SQLITE_OK, "SQLite cannot bind a value (code \(code))")
  }
}
