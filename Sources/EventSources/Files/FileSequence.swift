import Glibc
import Platform

/// Files read one after the other as one run of bytes, each up to the size that it had at `init`.
///
/// `read(2)`, not a mapping: a file that is cut while it is read must be an error, not a SIGBUS.
final class FileSequence {
  struct File {
    var path: String
    /// Where it begins and ends in the whole.
    var start: Int64
    var end: Int64
  }

  let files: [File]
  /// The size of the whole.
  let total: Int64
  /// The place of the next byte that `read` gives.
  private(set) var position: Int64 = 0
  private var index = -1
  private var current: FileDescriptor?

  /// - Throws: `SourceError.inputOutput` for a file that is missing, unreadable or not a file.
  init(_ paths: [String]) throws(SourceError) {
    var files: [File] = []
    var total: Int64 = 0
    for path in paths {
      do throws(SystemError) {
        let file = try FileDescriptor.open(path, O_RDONLY)
        var status = stat()
        if fstat(file.number, &status) != 0 { throw SystemError("fstat", path) }
        if status.st_mode & S_IFMT != S_IFREG {
          throw SystemError(
            "open", path, code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
        }
        files.append(File(path: path, start: total, end: total + Int64(status.st_size)))
        total += Int64(status.st_size)
      } catch {
        throw Self.failure(error)
      }
    }
    self.files = files
    self.total = total
  }

  /// The end of the file that holds the byte at an offset; `total` behind the last.
  func end(ofFileAt offset: Int64) -> Int64 { files.first { $0.end > offset }?.end ?? total }

  /// Bytes of one file; nothing at its end, and so never bytes of two.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
    guard let next = files.firstIndex(where: { $0.end > position }) else { return 0 }
    let file = files[next]
    do throws(SystemError) {
      if next != index {
        current = try FileDescriptor.open(file.path, O_RDONLY)
        index = next
      }
      let length = min(buffer.count, Int(file.end - position))
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<length])
      let count = try current?.read(into: part) ?? 0
      if count == 0 && length > 0 {
        throw SystemError("read", file.path, code: ENODATA)
      }
      position += Int64(count)
      return count
    } catch {
      if error.code == ENODATA {
        throw .inputOutput(
          "\(file.path) became shorter while it was read. The state is safe: it holds what was read "
            + "up to the last checkpoint.")
      }
      throw Self.failure(error)
    }
  }

  private static func failure(_ error: SystemError) -> SourceError {
    .inputOutput("an input file cannot be read: \(error). The state is unchanged; check --file.")
  }
}
