import Glibc
import Platform

/// The lock by which one process at a time runs on a state: `flock(2)` on a file beside it, held
/// until the process ends, however it ends.
///
/// The file holds two lines: the process, for the message that another one gives, and the newest
/// checkpoint that was acknowledged, written after each commit without a sync. It says nothing
/// about the state; but a state that is older than this number was replaced by an older copy, or
/// the disk has lost a write that it had confirmed, and no byte of `data.mdb` would show either.
struct StateLock: ~Copyable {
  static let fileName = "owner.lock"
  private let file: FileDescriptor
  /// The newest checkpoint that any process has acknowledged here; 0 where none is known.
  let acknowledged: UInt64

  private init(_ file: consuming FileDescriptor, acknowledged: UInt64) {
    self.file = file
    self.acknowledged = acknowledged
  }

  // A child that is being started holds a copy of the descriptor until it runs its program: to close
  // ours would not be enough.
  deinit { file.unlock() }

  /// - Throws: `.locked` at once if another process holds it, or the file may not be made;
  ///   `.inputOutput` where the disk is full or fails.
  static func take(directory: String) throws(StateError) -> StateLock {
    do throws(SystemError) {
      let lock = try take(path(directory), O_RDWR | O_CREAT)
      if let lock { return lock }
    } catch {
      throw failure(error, directory: directory)
    }
    throw taken(directory)
  }

  /// The same for who only looks, and may have no right to write: at a copy on a read-only disk, say.
  ///
  /// - Returns: nil where the file is not there and cannot be made: nobody runs on the state then.
  static func takeToLook(directory: String) throws(StateError) -> StateLock? {
    do throws(SystemError) {
      let lock = try takeWritableOrNot(path(directory))
      if let lock { return lock }
    } catch {
      if error.code == ENOENT { return nil }
      throw failure(error, directory: directory)
    }
    throw taken(directory)
  }

  private static func takeWritableOrNot(_ path: String) throws(SystemError) -> StateLock? {
    do throws(SystemError) {
      return try take(path, O_RDWR | O_CREAT)
    } catch {
      guard error.code == EROFS || error.code == EACCES else { throw error }
      return try take(path, O_RDONLY)
    }
  }

  /// - Returns: nil if another process holds it.
  private static func take(_ path: String, _ flags: Int32) throws(SystemError) -> StateLock? {
    let file = try FileDescriptor.open(path, flags, mode: EnvironmentLimits.fileMode)
    guard try file.lock(wait: false) else { return nil }
    let lines = lines(of: path)
    let lock = StateLock(file, acknowledged: lines.count > 1 ? UInt64(lines[1]) ?? 0 : 0)
    ftruncate(lock.file.number, 0)
    lock.acknowledge(lock.acknowledged)
    return lock
  }

  private static func path(_ directory: String) -> String { directory + "/" + fileName }

  private static func failure(_ error: SystemError, directory: String) -> StateError {
    if error.isOfDisk { return StateError.system(error, directory: directory) }
    return .locked(
      """
      the lock of the state in '\(directory)' cannot be taken (\(error)). Nothing was changed. \
      Check the disk and the permissions, or name another directory with --state.
      """)
  }

  /// Notes a checkpoint as durable. A failure is of no concern: an older number only says less.
  func acknowledge(_ checkpoint: UInt64) {
    let text = Array("\(getpid())\n\(checkpoint)\n".utf8)
    _ = text.withUnsafeBytes { pwrite(file.number, $0.baseAddress, $0.count, 0) }
  }

  private static func lines(of path: String) -> [Substring] {
    let text = try? Files.read(path)
    return String(decoding: text ?? [], as: UTF8.self).split(separator: "\n")
  }

  private static func taken(_ directory: String) -> StateError {
    let owner = lines(of: path(directory)).first.flatMap { Int32($0) }.map { " (\($0))" } ?? ""
    return .locked(
      """
      another process\(owner) runs on the state in '\(directory)'. Nothing was changed. Stop it \
      first, or name another directory with --state.
      """)
  }
}
