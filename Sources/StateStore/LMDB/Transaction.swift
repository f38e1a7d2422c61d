import CLMDB

/// One LMDB transaction; ends with `commit`, else it is aborted.
///
/// A write transaction begins and ends on one thread. A read transaction (`MDB_NOTLS`) may move
/// between threads, but only one uses it at a time. Bytes that it returns are valid until it ends.
struct Transaction: ~Copyable {
  fileprivate(set) var handle: OpaquePointer?
  let environment: Environment

  init(_ handle: OpaquePointer, environment: Environment) {
    self.handle = handle
    self.environment = environment
  }

  deinit { if let handle { mdb_txn_abort(handle) } }

  consuming func commit() throws(StateError) {
    let ending = handle
    handle = nil
    try environment.check("mdb_txn_commit", mdb_txn_commit(ending))
  }

  func get(
    _ database: Database, _ key: UnsafeRawBufferPointer
  ) throws(StateError) -> UnsafeRawBufferPointer? {
    var key = MDB_val(key)
    var value = MDB_val()
    let code = mdb_get(handle, environment.handles[database.rawValue], &key, &value)
    if code == MDB_NOTFOUND { return nil }
    try environment.check("mdb_get", code)
    return UnsafeRawBufferPointer(value)
  }

  func get(_ database: Database, _ key: UInt64) throws(StateError) -> UnsafeRawBufferPointer? {
    try withUnsafeBytes(of: key) { (bytes) throws(StateError) in try get(database, bytes) }
  }

  func get(_ database: Database, _ key: String) throws(StateError) -> UnsafeRawBufferPointer? {
    try Array(key.utf8).withBytes { (bytes) throws(StateError) in try get(database, bytes) }
  }

  /// How a value is put.
  enum Put {
    /// Replaces a value under the key.
    case replacing
    /// The key is greater than all others.
    case appending
    /// The key is not there yet.
    case inserting
  }

  /// - Throws: `.fault` if the key is not as `how` says; the transaction must then be aborted.
  func put(
    _ database: Database, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
    _ how: Put
  ) throws(StateError) {
    let flags =
      switch how {
      case .replacing: Int32(0)
      case .appending: MDB_APPEND
      case .inserting: MDB_NOOVERWRITE
      }
    var key = MDB_val(key)
    var value = MDB_val(value)
    let code = mdb_put(
      handle, environment.handles[database.rawValue], &key, &value, UInt32(flags))
    if code == MDB_KEYEXIST {
      throw StateError.wrongUse("a key of '\(database.name)' is not behind those that are there")
    }
    try environment.check("mdb_put", code)
  }

  func put(
    _ database: Database, _ key: UInt64, _ value: UnsafeRawBufferPointer, _ how: Put
  ) throws(StateError) {
    try withUnsafeBytes(of: key) { (bytes) throws(StateError) in
      try put(database, bytes, value, how)
    }
  }

  func put(
    _ database: Database, _ key: [UInt8], _ value: [UInt8], _ how: Put
  ) throws(StateError) {
    try key.withBytes { (key) throws(StateError) in
      try value.withBytes { (value) throws(StateError) in try put(database, key, value, how) }
    }
  }

  /// - Returns: whether the key was there.
  @discardableResult
  func delete(_ database: Database, _ key: UnsafeRawBufferPointer) throws(StateError) -> Bool {
    var key = MDB_val(key)
    let code = mdb_del(handle, environment.handles[database.rawValue], &key, nil)
    if code == MDB_NOTFOUND { return false }
    try environment.check("mdb_del", code)
    return true
  }

  @discardableResult
  func delete(_ database: Database, _ key: UInt64) throws(StateError) -> Bool {
    try withUnsafeBytes(of: key) { (bytes) throws(StateError) in try delete(database, bytes) }
  }

  func deleteAll(_ database: Database) throws(StateError) {
    try environment.check(
      "mdb_drop", mdb_drop(handle, environment.handles[database.rawValue], 0))
  }

  /// How many keys the database has; O(1).
  func count(_ database: Database) throws(StateError) -> UInt64 {
    try statistics(environment.handles[database.rawValue]).entries
  }

  /// - Returns: entries, and pages of all kinds in use.
  func statistics(_ dbi: MDB_dbi) throws(StateError) -> (entries: UInt64, pages: UInt64) {
    var status = MDB_stat()
    try environment.check("mdb_stat", mdb_stat(handle, dbi, &status))
    let pages = status.ms_branch_pages + status.ms_leaf_pages + status.ms_overflow_pages
    return (UInt64(status.ms_entries), UInt64(pages))
  }

  func cursor(_ database: Database) throws(StateError) -> Cursor {
    try cursor(handle: environment.handles[database.rawValue])
  }

  func cursor(handle dbi: MDB_dbi) throws(StateError) -> Cursor {
    var cursor: OpaquePointer?
    try environment.check("mdb_cursor_open", mdb_cursor_open(handle, dbi, &cursor))
    return Cursor(cursor!, environment: environment)
  }
}

/// A cursor; it must not outlive its transaction.
struct Cursor: ~Copyable {
  private let handle: OpaquePointer
  private let environment: Environment
  private(set) var key = UnsafeRawBufferPointer(start: nil, count: 0)
  private(set) var value = UnsafeRawBufferPointer(start: nil, count: 0)

  fileprivate init(_ handle: OpaquePointer, environment: Environment) {
    self.handle = handle
    self.environment = environment
  }

  deinit { mdb_cursor_close(handle) }

  /// - Returns: false where there is no such entry.
  mutating func move(_ operation: MDB_cursor_op) throws(StateError) -> Bool {
    try move(operation, MDB_val())
  }

  mutating func first() throws(StateError) -> Bool { try move(MDB_FIRST) }
  mutating func last() throws(StateError) -> Bool { try move(MDB_LAST) }
  mutating func previous() throws(StateError) -> Bool { try move(MDB_PREV) }
  mutating func next() throws(StateError) -> Bool { try move(MDB_NEXT) }

  /// Moves to the first key at or behind `key`.
  mutating func seek(_ key: UnsafeRawBufferPointer) throws(StateError) -> Bool {
    try move(MDB_SET_RANGE, MDB_val(key))
  }

  private mutating func move(
    _ operation: MDB_cursor_op, _ start: MDB_val
  ) throws(StateError) -> Bool {
    var foundKey = start
    var foundValue = MDB_val()
    let code = mdb_cursor_get(handle, &foundKey, &foundValue, operation)
    if code == MDB_NOTFOUND { return false }
    try environment.check("mdb_cursor_get", code)
    key = UnsafeRawBufferPointer(foundKey)
    value = UnsafeRawBufferPointer(foundValue)
    return true
  }

  /// Deletes the entry under the cursor; `next` then moves to the one behind it.
  mutating func delete() throws(StateError) {
    try environment.check("mdb_cursor_del", mdb_cursor_del(handle, 0))
  }
}

/// A read transaction that keeps its slot between uses, and no snapshot. One thread uses it.
final class RenewableReader {
  private var transaction: Transaction

  /// - Parameter transaction: a read transaction.
  init(_ transaction: consuming Transaction) {
    self.transaction = transaction
    mdb_txn_reset(self.transaction.handle)
  }

  func read<Result>(
    _ body: (borrowing Transaction) throws(StateError) -> Result
  ) throws(StateError) -> Result {
    try transaction.environment.check("mdb_txn_renew", mdb_txn_renew(transaction.handle))
    defer { mdb_txn_reset(transaction.handle) }
    return try body(transaction)
  }
}

extension MDB_val {
  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(
      mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }
}

extension UnsafeRawBufferPointer {
  init(_ value: MDB_val) {
    self.init(start: value.mv_data, count: value.mv_size)
  }
}

extension [UInt8] {
  /// `withUnsafeBytes` with a typed error.
  @inline(__always)
  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer { (buffer) throws(Failure) in
      try body(UnsafeRawBufferPointer(buffer))
    }
  }
}
