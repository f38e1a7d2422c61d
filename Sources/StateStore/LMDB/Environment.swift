import CLMDB
import Glibc
import Platform
import SessionModel
import Synchronization

/// An open LMDB environment with its named databases.
///
/// LMDB forbids a second environment on the same file in one process (closing one would drop the
/// other's file locks), so a process-wide list refuses it.
final class Environment: @unchecked Sendable {
  // Unchecked: LMDB lets every thread use one environment; handles of databases never change after
  // `open`. Each transaction belongs to one thread at a time, as `Transaction` says.
  let directory: String
  private let handle: OpaquePointer
  private let identity: String
  fileprivate(set) var handles: [MDB_dbi] = []

  /// How an environment is opened.
  enum Access {
    /// For the one process that runs on the state.
    case owner
    /// Beside the owner: nothing is created or changed.
    case reader
    /// The same, to read the whole file: the kernel reads ahead.
    case wholeReader
  }

  private static let openOnes = Mutex<Set<String>>([])

  private init(handle: OpaquePointer, directory: String, identity: String) {
    self.handle = handle
    self.directory = directory
    self.identity = identity
  }

  deinit {
    mdb_env_close(handle)
    _ = Environment.openOnes.withLock { $0.remove(identity) }
  }

  /// Opens the environment in a directory that holds a checked `data.mdb`.
  ///
  /// - Throws: `.corrupt`, `.inputOutput`; `.fault` if this process has it open already.
  static func open(
    directory: String, access: Access, mapBytes: Int = EnvironmentLimits.mapBytes
  ) throws(StateError) -> Environment {
    let file = directory + "/data.mdb"
    let lockFile = directory + "/lock.mdb"
    var flags = MDB_NOTLS
    if access != .wholeReader { flags |= MDB_NORDAHEAD }
    if access == .owner {
      try allocate(lockFile: lockFile, directory: directory)
    } else {
      flags |= MDB_RDONLY
      if !isComplete(lockFile: lockFile) { flags |= MDB_NOLOCK }
    }
    return try open(
      path: directory, file: file, directory: directory, flags: flags, mapBytes: mapBytes)
  }

  /// Opens a file that nobody else uses, to read it.
  static func open(file: String, directory: String) throws(StateError) -> Environment {
    try open(
      path: file, file: file, directory: directory,
      flags: MDB_NOTLS | MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK)
  }

  /// Creates an environment in a file of its own, in which the caller, who alone knows of it,
  /// prepares a new state.
  static func create(file: String, directory: String) throws(StateError) -> Environment {
    let flags = MDB_NOTLS | MDB_NOSUBDIR | MDB_NOLOCK
    return try open(path: file, file: file, directory: directory, flags: flags)
  }

  /// LMDB writes its lock file through a map, where a full disk would end the process with SIGBUS.
  private static func allocate(lockFile: String, directory: String) throws(StateError) {
    do throws(SystemError) {
      let file = try FileDescriptor.open(
        lockFile, O_RDWR | O_CREAT, mode: EnvironmentLimits.fileMode)
      try file.allocate(EnvironmentLimits.lockFileBytes)
    } catch {
      throw StateError.system(error, directory: directory)
    }
  }

  /// Without a whole lock file nobody runs on the state, and a reader creates nothing.
  private static func isComplete(lockFile: String) -> Bool {
    var status = stat()
    return stat(lockFile, &status) == 0 && status.st_size >= EnvironmentLimits.lockFileBytes
  }

  private static func open(
    path: String, file: String, directory: String, flags: Int32,
    mapBytes wanted: Int = EnvironmentLimits.mapBytes
  ) throws(StateError) -> Environment {
    var status = stat()
    let identity =
      stat(file, &status) == 0 ? "\(status.st_dev):\(status.st_ino)" : "new:" + file
    guard openOnes.withLock({ $0.insert(identity).inserted }) else {
      throw StateError.wrongUse("the state in '\(directory)' is open in this process already")
    }
    var mapBytes = wanted
    while true {
      var handle: OpaquePointer?
      var call = "mdb_env_create"
      var code = mdb_env_create(&handle)
      if let handle, code == 0 {
        (call, code) = prepare(handle, path: path, mapBytes: mapBytes, flags: flags)
        if code == 0 {
          return Environment(handle: handle, directory: directory, identity: identity)
        }
        mdb_env_close(handle)
      }
      if code == ENOMEM && mapBytes > EnvironmentLimits.leastMapBytes {
        mapBytes /= 2
        continue
      }
      _ = openOnes.withLock { $0.remove(identity) }
      throw StateError.lmdb(call, code, directory: directory)
    }
  }

  private static func prepare(
    _ handle: OpaquePointer, path: String, mapBytes: Int, flags: Int32
  ) -> (String, Int32) {
    var code = mdb_env_set_assert(handle, reportAssertion)
    if code != 0 { return ("mdb_env_set_assert", code) }
    code = mdb_env_set_mapsize(handle, mapBytes)
    if code != 0 { return ("mdb_env_set_mapsize", code) }
    code = mdb_env_set_maxreaders(handle, EnvironmentLimits.readers)
    if code != 0 { return ("mdb_env_set_maxreaders", code) }
    code = mdb_env_set_maxdbs(handle, EnvironmentLimits.databases)
    if code != 0 { return ("mdb_env_set_maxdbs", code) }
    return (
      "mdb_env_open", mdb_env_open(handle, path, UInt32(flags), EnvironmentLimits.fileMode)
    )
  }

  /// Opens the named databases; to be called once, before any other transaction.
  ///
  /// - Parameter creating: also creates them, in a write transaction.
  /// - Throws: `.foreign` for another version of the format; `.corrupt` if one is missing.
  func openDatabases(creating: Bool) throws(StateError) {
    let transaction = try begin(creating ? 0 : MDB_RDONLY)
    var opened: [MDB_dbi] = []
    for database in Database.allCases {
      var dbi = MDB_dbi()
      let flags = database.flags | (creating ? UInt32(MDB_CREATE) : 0)
      let code = mdb_dbi_open(transaction.handle, database.name, flags, &dbi)
      if code == MDB_NOTFOUND {
        throw StateError.damaged(directory, "the database '\(database.name)' is missing")
      }
      try check("mdb_dbi_open", code)
      opened.append(dbi)
      if database == .job, !creating {
        // Another version of the format has other databases: that is to be said first.
        handles = opened
        _ = try JobRow.read(transaction)
      }
    }
    try transaction.commit()
    handles = opened
  }

  /// Frees the slots of readers that died.
  func clearDeadReaders() throws(StateError) {
    var count: Int32 = 0
    try check("mdb_reader_check", mdb_reader_check(handle, &count))
  }

  /// Runs `body` with one snapshot, held until it returns.
  func read<Result>(
    _ body: (borrowing Transaction) throws(StateError) -> Result
  ) throws(StateError) -> Result {
    let transaction = try begin(MDB_RDONLY)
    return try body(transaction)
  }

  /// Runs `body` in a write transaction on this thread and commits it; an error aborts it.
  ///
  /// - Parameter writing: about how many bytes it will write at most.
  func write<Result>(
    writing bytes: Int, _ body: (borrowing Transaction) throws(StateError) -> Result
  ) throws(StateError) -> Result {
    let transaction = try begin(0)
    let result = try body(transaction)
    try reserveLength(bytes)
    try transaction.commit()
    return result
  }

  /// Begins a read transaction that its owner renews for each use.
  func makeReader() throws(StateError) -> RenewableReader {
    RenewableReader(try begin(MDB_RDONLY))
  }

  private func begin(_ flags: Int32) throws(StateError) -> Transaction {
    var transaction: OpaquePointer?
    try check("mdb_txn_begin", mdb_txn_begin(handle, nil, UInt32(flags), &transaction))
    return Transaction(transaction!, environment: self)
  }

  /// The file that is mapped; it belongs to the environment.
  var descriptor: Int32 {
    var descriptor: Int32 = -1
    mdb_env_get_fd(handle, &descriptor)
    return descriptor
  }

  /// The number of the last page in use by the newest transaction.
  var lastPage: UInt64 {
    var info = MDB_envinfo()
    mdb_env_info(handle, &info)
    return UInt64(info.me_last_pgno)
  }

  var pageSize: Int {
    var status = MDB_stat()
    mdb_env_stat(handle, &status)
    return Int(status.ms_psize)
  }

  /// Makes the file long enough, as a hole, for all that the transaction may add.
  ///
  /// LMDB never writes pages that it took and gave back within one transaction. At the file's end
  /// they would leave it shorter than its meta page says, as if it had been cut off.
  private func reserveLength(_ bytes: Int) throws(StateError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(of: "fstat") }
    let pages = Int(lastPage) + 1 + EnvironmentLimits.sparePages
    let length = pages * pageSize + 2 * bytes
    if Int(status.st_size) < length, ftruncate(descriptor, length) != 0 {
      throw failure(of: "ftruncate")
    }
  }

  private func failure(of call: String) -> StateError {
    StateError.system(SystemError(call, directory + "/data.mdb"), directory: directory)
  }

  /// A compact copy of the newest snapshot, for tests and backups; its bytes are synced.
  ///
  /// - Throws: `.inputOutput`, `.corrupt`; a part of the file may be there then.
  func copy(to file: String) throws(StateError) {
    var code: Int32 = 0
    do throws(SystemError) {
      let descriptor = try FileDescriptor.open(
        file, O_WRONLY | O_CREAT | O_EXCL, mode: EnvironmentLimits.fileMode)
      code = mdb_env_copyfd2(handle, descriptor.number, UInt32(MDB_CP_COMPACT))
      if code > 0 { throw SystemError("mdb_env_copyfd2", file, code: code) }
      try descriptor.synchronize()
    } catch {
      throw StateError.inputOutput(
        "the copy of the state in '\(directory)' cannot be made (\(error)). The state is safe.")
    }
    try check("mdb_env_copyfd2", code)
  }

  @inline(__always)
  func check(_ call: StaticString, _ code: Int32) throws(StateError) {
    if code != 0 { throw StateError.lmdb("\(call)", code, directory: directory) }
  }
}

/// LMDB has come across what it holds for impossible, and would abort: pages that changed after
/// they were checked, on the disk or in memory. Nothing of the transaction under way is durable.
private func reportAssertion(_ environment: OpaquePointer?, _ what: UnsafePointer<CChar>?) {
  var path: UnsafePointer<CChar>?
  mdb_env_get_path(environment, &path)
  let text = StateError.damaged(
    path.map { String(cString: $0) } ?? "?", what.map { String(cString: $0) } ?? "?")
  let line = Array("sojourn: \(text)\n".utf8)
  _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  _exit(ExitCode.corruptState.rawValue)
}
