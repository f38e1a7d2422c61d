import Glibc

/// A copy of a file in memory, under a name of its own while this lives: for libraries that map the
/// file that they are given. Nobody else can change it or cut it short.
package struct MemoryCopy: ~Copyable {
  private let file: FileDescriptor
  /// The original as it was when it was copied.
  package let version: FileVersion

  /// - Parameter limit: bytes; a longer file is an error (`EFBIG`).
  /// - Throws: `SystemError`; also where the file was changed meanwhile (`EAGAIN`).
  package init(of path: String, limit: Int64) throws(SystemError) {
    let original = try FileDescriptor.open(path, O_RDONLY)
    let version = try original.version()
    if version.size > limit { throw SystemError("read", path, code: EFBIG) }
    let file = try FileDescriptor.inMemory("copy")
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try original.read(into: buffer)
      if count == 0 { break }
      try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    guard try original.version() == version, try file.size() == version.size else {
      throw SystemError("read", path, code: EAGAIN)
    }
    self.version = version
    self.file = file
  }

  /// A path that this process can open.
  package var name: String { "/proc/self/fd/\(file.number)" }
}
