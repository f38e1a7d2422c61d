import CLinux
package import Glibc

/// An open file; closes itself.
package struct FileDescriptor: ~Copyable {
  package let number: Int32
  /// For messages.
  package let path: String

  /// - Parameters:
  ///   - flags: of `open(2)`; `O_CLOEXEC` is added.
  ///   - mode: permissions of a file that is created.
  /// - Throws: `SystemError`; nothing was created unless the error came from a later write.
  package static func open(
    _ path: String, _ flags: Int32, mode: mode_t = 0o644
  ) throws(SystemError) -> FileDescriptor {
    let number = Glibc.open(path, flags | O_CLOEXEC, mode)
    if number < 0 { throw SystemError("open", path) }
    return FileDescriptor(number: number, path: path)
  }

  /// A file in memory that nobody else can name; it is gone with its last descriptor and map.
  ///
  /// - Parameter name: for messages.
  package static func inMemory(_ name: String) throws(SystemError) -> FileDescriptor {
    let number = clinux_memory_file(name)
    if number < 0 { throw SystemError("memfd_create", name) }
    return FileDescriptor(number: number, path: name)
  }

  private init(number: Int32, path: String) {
    self.number = number
    self.path = path
  }

  deinit { close(number) }

  /// Writes all bytes, over as many calls as it takes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = Glibc.write(number, rest.baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw SystemError("write", path)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  package func write(_ bytes: [UInt8]) throws(SystemError) {
    var failure: SystemError?
    bytes.withUnsafeBytes { all in
      do throws(SystemError) { try write(all) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Reads up to the buffer's size; 0 at the end of the file.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    while true {
      let count = Glibc.read(number, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw SystemError("read", path) }
    }
  }

  /// `fsync(2)`: the file's bytes and size are on the disk.
  package func synchronize() throws(SystemError) {
    if fsync(number) != 0 { throw SystemError("fsync", path) }
  }

  /// Has the disk provide for the file's first `bytes`, so that no write to them, also through a map,
  /// finds it full; makes the file at least so long.
  package func allocate(_ bytes: Int) throws(SystemError) {
    let code = posix_fallocate(number, 0, bytes)
    if code != 0 { throw SystemError("posix_fallocate", path, code: code) }
  }

  /// Takes an exclusive `flock(2)`; the descriptor's end releases it.
  ///
  /// - Returns: false if `wait` is false and another holds it.
  package func lock(wait: Bool) throws(SystemError) -> Bool {
    while flock(number, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      if errno == EWOULDBLOCK { return false }
      throw SystemError("flock", path)
    }
    return true
  }

  package func unlock() { flock(number, LOCK_UN) }

  /// Which file this is, and in which state.
  package func version() throws(SystemError) -> FileVersion {
    var status = stat()
    if fstat(number, &status) != 0 { throw SystemError("fstat", path) }
    return FileVersion(status)
  }

  /// The file's size in bytes.
  package func size() throws(SystemError) -> Int64 {
    var status = stat()
    if fstat(number, &status) != 0 { throw SystemError("fstat", path) }
    return Int64(status.st_size)
  }
}

/// Calls on paths, each a typed error instead of an errno.
package enum Files {
  /// Creates a directory and those above it; an existing one is left as it is.
  package static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
    if mkdir(path, mode) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw SystemError("mkdir", path)
    }
    try makeDirectory(String(path[..<slash]), mode: mode)
    if mkdir(path, mode) != 0 && errno != EEXIST { throw SystemError("mkdir", path) }
  }

  /// The names in a directory, sorted by bytes, without `.` and `..`.
  package static func names(in path: String) throws(SystemError) -> [String] {
    guard let directory = opendir(path) else { throw SystemError("opendir", path) }
    defer { closedir(directory) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    if errno != 0 { throw SystemError("readdir", path) }
    return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  }

  /// Makes a new directory for this process, where the system keeps temporary files.
  ///
  /// - Returns: its path; the name begins with `prefix`.
  package static func makeTemporaryDirectory(_ prefix: String) throws(SystemError) -> String {
    let place = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(place)/\(prefix)-XXXXXX".utf8CString)
    if mkdtemp(&template) == nil { throw SystemError("mkdtemp", place) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Which file a path leads to, and in which state.
  package static func version(of path: String) throws(SystemError) -> FileVersion {
    var status = stat()
    if stat(path, &status) != 0 { throw SystemError("stat", path) }
    return FileVersion(status)
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The whole file.
  ///
  /// - Parameter limit: bytes; a longer file is an error (`EFBIG`), and no more of it is read.
  package static func read(_ path: String, limit: Int = .max) throws(SystemError) -> [UInt8] {
    let file = try FileDescriptor.open(path, O_RDONLY)
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try file.read(into: buffer)
      if count == 0 { return bytes }
      if count > limit - bytes.count { throw SystemError("read", path, code: EFBIG) }
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// Removes a file, or a directory with all that is in it; what is not there is no error.
  package static func removeTree(_ path: String) throws(SystemError) {
    var status = stat()
    if lstat(path, &status) != 0 {
      if errno == ENOENT { return }
      throw SystemError("lstat", path)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return try remove(path) }
    for name in try names(in: path) { try removeTree(path + "/" + name) }
    if rmdir(path) != 0 { throw SystemError("rmdir", path) }
  }

  package static func rename(_ from: String, to: String) throws(SystemError) {
    if Glibc.rename(from, to) != 0 { throw SystemError("rename", from) }
  }

  package static func remove(_ path: String) throws(SystemError) {
    if unlink(path) != 0 { throw SystemError("unlink", path) }
  }

  /// Makes creations, renames and removals in a directory durable.
  package static func synchronizeDirectory(_ path: String) throws(SystemError) {
    try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY).synchronize()
  }

  /// Writes a file aside, syncs it, renames it into place and syncs the directory: a reader and a
  /// crash see the old file or the new one, whole.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    let aside = path + ".new"
    do {
      let file = try FileDescriptor.open(aside, O_WRONLY | O_CREAT | O_TRUNC)
      try file.write(bytes)
      try file.synchronize()
    }
    try rename(aside, to: path)
    try synchronizeDirectory(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".")
  }
}
