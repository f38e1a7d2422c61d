import Glibc
package import Platform

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

  /// Copies a directory with all that is in it; nothing may be writing there.
  package static func copy(_ source: String, to target: String) throws(SystemError) {
    try Files.makeDirectory(target, mode: 0o700)
    for name in try Files.names(in: source) {
      var status = stat()
      if lstat(source + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        try copy(source + "/" + name, to: target + "/" + name)
      } else {
        let file = try FileDescriptor.open(target + "/" + name, O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(try Files.read(source + "/" + name))
      }
    }
  }
}
