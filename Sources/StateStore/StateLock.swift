import Glibc
import Platform

/// The lock by which one process at a time runs on a state: `flock(2)` on a file beside it, held
/// until the process ends, however it ends.
struct StateLock: ~Copyable {
  static let fileName = "owner.lock"
  private let file: FileDescriptor

  private init(_ file: consuming FileDescriptor) { self.file = file }

  /// - Throws: `.locked` at once if another process holds it, or the file cannot be made.
  static func take(directory: String) throws(StateError) -> StateLock {
    let path = directory + "/" + StateLock.fileName
    do throws(SystemError) {
      let file = try FileDescriptor.open(
        path, O_RDWR | O_CREAT, mode: EnvironmentLimits.fileMode)
      if try file.lock(wait: false) {
        // For the message that another process gives; of no other meaning.
        ftruncate(file.number, 0)
        try file.write(Array("\(getpid())\n".utf8))
        return StateLock(file)
      }
    } catch {
      throw StateError.locked(
        """
        the lock of the state in '\(directory)' cannot be taken (\(error)). Nothing was changed. \
        Check the disk and the permissions, or name another directory with --state.
        """)
    }
    throw taken(path, directory: directory)
  }

  private static func taken(_ path: String, directory: String) -> StateError {
    let text = try? Files.read(path)
    let digits = text.map { String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self) } ?? ""
    let owner = Int32(digits).map { " (\($0))" } ?? ""
    return .locked(
      """
      another process\(owner) runs on the state in '\(directory)'. Nothing was changed. Stop it \
      first, or name another directory with --state.
      """)
  }
}
