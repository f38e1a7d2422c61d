import CSQLite

/// The C library behind the SQLite sink.
package enum SQLiteLibrary {
  /// Of the library loaded now, for instance `3.40.1`.
  package static var version: String { String(cString: sqlite3_libversion()) }
}
