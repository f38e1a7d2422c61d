import Glibc
import Platform

/// A directory of its own for one test; gone with the object.
package final class TemporaryDirectory {
  package let path: String

  /// - Parameter inMemory: on a file system in memory, where there is one.
  package init(inMemory: Bool = false) {
    let parent = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/sojourn-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "a temporary directory can be made")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { TemporaryDirectory.remove(path) }

  /// Removes a file, or a directory with all that is in it.
  package static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in (try? Files.names(in: path)) ?? [] { remove(path + "/" + name) }
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
