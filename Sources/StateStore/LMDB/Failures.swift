import CLMDB
import Glibc
import Platform

/// Turns codes of LMDB and of the system into errors that say what to do.
extension StateError {
  /// - Parameters:
  ///   - call: the LMDB function that failed.
  ///   - code: what it returned, not 0.
  static func lmdb(_ call: String, _ code: Int32, directory: String) -> StateError {
    let reason = "\(call): \(String(cString: mdb_strerror(code)))"
    switch code {
    case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH, MDB_INCOMPATIBLE,
      MDB_CURSOR_FULL, MDB_PAGE_FULL, MDB_BAD_TXN:
      return .damaged(directory, reason)
    case MDB_MAP_FULL:
      return .inputOutput(
        """
        the state in '\(directory)' has outgrown the address space that this process was given \
        (\(reason)). The last checkpoint is intact. Raise the limit (ulimit -v) and start again.
        """)
    case MDB_READERS_FULL:
      return .inputOutput(
        """
        too many processes read the state in '\(directory)' (\(reason)). The state is safe. Try \
        again when some have ended.
        """)
    default:
      return ioFailure(reason, code, directory: directory)
    }
  }

  static func pages(_ fault: PageFault, directory: String) -> StateError {
    switch fault {
    case .damaged(let what): .damaged(directory, what)
    case .unreadable(let code):
      ioFailure("pread data.mdb: \(String(cString: strerror(code)))", code, directory: directory)
    }
  }

  static func system(_ error: SystemError, directory: String) -> StateError {
    ioFailure(error.description, error.code, directory: directory)
  }

  /// LMDB reports a full disk as EIO, since it sees a short write: the file system is asked.
  private static func ioFailure(
    _ reason: String, _ code: Int32, directory: String
  ) -> StateError {
    let free = freeBytes(directory)
    let isFull =
      code == ENOSPC || code == EDQUOT || (code == EIO && free.map { $0 < 64 << 20 } == true)
    if isFull {
      return .inputOutput(
        """
        the disk of the state in '\(directory)' is full: \(free ?? 0) bytes are free (\(reason)). \
        The last checkpoint is intact. Make room and start again: the run resumes there.
        """)
    }
    return .inputOutput(
      """
      the state in '\(directory)' cannot be read or written (\(reason)). The last checkpoint is \
      as it was. Check the disk and the permissions, then start again.
      """)
  }

  private static func freeBytes(_ directory: String) -> UInt64? {
    var status = statvfs()
    guard statvfs(directory, &status) == 0 else { return nil }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}
