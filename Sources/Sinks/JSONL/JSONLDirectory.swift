import Glibc
import Platform
import SessionModel

/// The name of a file in a JSONL directory. Names sort as what the files hold does.
protocol JSONLName: Equatable {
  /// - Returns: nil for every name that `text` never gives.
  init?(_ name: String)

  var text: String { get }

  /// Whether all of this file comes after all of the other.
  func isBehind(_ other: Self) -> Bool
}

/// The files of a JSONL sink and the lock around them. It decides nothing.
///
/// `_owner` is replaced as a whole and locked by its inode: who waits for the lock looks again
/// whether the file is still the one that the name leads to.
struct JSONLDirectory<Name: JSONLName> {
  private static var lockPollMicroseconds: UInt32 { 5_000 }
  private static var asidePrefix: String { ".tmp-" }
  private static var ownerBytes: Int { 36 }

  /// What lies in the directory.
  struct Content {
    /// The files, in the order of what they hold.
    var files: [Name] = []
    /// Names of files that a process that ended did not finish.
    var leftovers: [String] = []
  }

  let path: String
  /// How long the lock of another process is waited for.
  let lockTimeoutMilliseconds: Int64

  var place: String { "the JSONL directory \(path)" }

  private func path(of name: String) -> String { "\(path)/\(name)" }
  private var ownerPath: String { path(of: "_owner") }
  private var positionPath: String { path(of: "_position") }

  var isMissing: Bool { !Files.exists(path) }

  /// Makes the directory where it is missing; the one above it must be there.
  func make() throws(SinkError) {
    if mkdir(path, 0o755) == 0 {
      let above = path.hasSuffix("/") ? path + ".." : path + "/.."
      return try translating { () throws(SystemError) in try Files.synchronizeDirectory(above) }
    }
    if errno != EEXIST { throw failure(SystemError("mkdir", path)) }
  }

  /// Runs `body` while no other process is between a check and a rename.
  ///
  /// - Parameter create: whether a missing `_owner` is made, empty.
  /// - Throws: besides the errors of `body`, `.unavailable` if the lock is not to be had within
  ///   `lockTimeoutMilliseconds`, and `.moved` if `_owner` is missing and not to be made.
  func locked<Result>(
    create: Bool, _ body: () throws(SinkError) -> Result
  ) throws(SinkError) -> Result {
    let deadline = Clock.monotonic + lockTimeoutMilliseconds * 1_000
    repeat {
      let file = try openOwner(create: create)
      if try lock(file) {
        defer { file.unlock() }
        return try body()
      }
      usleep(JSONLDirectory.lockPollMicroseconds)
    } while Clock.monotonic < deadline
    throw .unavailable(
      "\(place): another process has held the lock on _owner for \(lockTimeoutMilliseconds) ms; is "
        + "it stopped? Nothing was written, the rows stay in the state; it is tried again.")
  }

  private func openOwner(create: Bool) throws(SinkError) -> FileDescriptor {
    do throws(SystemError) {
      return try FileDescriptor.open(ownerPath, O_RDWR | (create ? O_CREAT : 0))
    } catch {
      if error.code == ENOENT, Files.exists(path) {
        throw .moved(
          "\(place) no longer says whose it is: _owner was deleted while this process used it. "
            + "Nothing was written. Find out who did; a new start claims it again.")
      }
      throw failure(error)
    }
  }

  /// - Returns: whether the lock was had on the file that `_owner` names now.
  private func lock(_ file: borrowing FileDescriptor) throws(SinkError) -> Bool {
    do throws(SystemError) {
      guard try file.lock(wait: false) else { return false }
    } catch {
      throw failure(error)
    }
    var held = stat()
    var named = stat()
    return fstat(file.number, &held) == 0 && stat(ownerPath, &named) == 0
      && held.st_ino == named.st_ino && held.st_dev == named.st_dev
  }

  /// Lists what lies there, after making what was renamed before durable.
  ///
  /// - Throws: `.unsuitable` where two files overlap.
  func content() throws(SinkError) -> Content {
    let names = try translating { () throws(SystemError) in
      try Files.synchronizeDirectory(path)
      return try Files.names(in: path)
    }
    var content = Content()
    for name in names {
      if let file = Name(name) {
        if let before = content.files.last, !file.isBehind(before) {
          throw .unsuitable(
            "\(place): the files \(before.text) and \(name) hold the same rows. Nothing was changed. "
              + "Take away the one that was copied in.")
        }
        content.files.append(file)
      } else if JSONLDirectory.isAside(name) {
        content.leftovers.append(name)
      }
    }
    return content
  }

  /// The lines of a file, without their ends.
  func lines(of name: Name) throws(SinkError) -> [ArraySlice<UInt8>] {
    try translating { () throws(SystemError) in
      try Files.read(path(of: name.text)).split(separator: UInt8(ascii: "\n"))
    }
  }

  /// What `_owner` and `_position` say together; nil where both are missing.
  ///
  /// The position is that of `_position` alone.
  func entry() throws(SinkError) -> SinkEntry? {
    let owner = try mark(at: ownerPath)
    let position = try mark(at: positionPath)
    guard let identity = owner ?? position else { return nil }
    return SinkEntry(
      job: identity.job, fingerprint: identity.fingerprint, owner: owner?.owner ?? "",
      position: position?.position)
  }

  /// - Returns: nil for a file that is missing or empty, as `_owner` is before the first claim.
  private func mark(at path: String) throws(SinkError) -> JSONLMark? {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Files.read(path)
    } catch {
      if error.code == ENOENT { return nil }
      throw failure(error)
    }
    if bytes.isEmpty { return nil }
    guard let mark = JSONLMark(bytes) else {
      throw .unsuitable(
        "\(path) is not what this program writes. Nothing was changed. Restore it, or take it away to "
          + "claim the directory anew (--adopt-table).")
    }
    return mark
  }

  func putOwner(_ identity: JobIdentity, _ owner: OwnerID) throws(SinkError) {
    let mark = JSONLMark(
      job: identity.job, fingerprint: identity.fingerprint.text, owner: owner.text)
    try translating { () throws(SystemError) in try Files.replace(ownerPath, with: mark.bytes) }
  }

  func putPosition(_ identity: JobIdentity, _ position: RowPosition) throws(SinkError) {
    let mark = JSONLMark(
      job: identity.job, fingerprint: identity.fingerprint.text, position: position)
    try translating { () throws(SystemError) in try Files.replace(positionPath, with: mark.bytes) }
  }

  /// Writes a file aside, on the disk when this returns; what was written is removed on an error.
  ///
  /// - Parameter owner: stands in the name, since a process that was replaced without knowing may
  ///   write the same rows at the same time.
  func writeAside(
    _ name: Name, by owner: OwnerID,
    _ content: (borrowing FileDescriptor) throws(SystemError) -> Void
  ) throws(SinkError) {
    do throws(SystemError) {
      let file = try FileDescriptor.open(asidePath(name, owner), O_WRONLY | O_CREAT | O_TRUNC)
      try content(file)
      try file.synchronize()
    } catch {
      removeAside(name, by: owner)
      throw failure(error)
    }
  }

  /// Moves a file written aside into place, durably.
  func publish(_ name: Name, by owner: OwnerID) throws(SinkError) {
    try translating { () throws(SystemError) in
      try Files.rename(asidePath(name, owner), to: path(of: name.text))
      try Files.synchronizeDirectory(path)
    }
  }

  func removeAside(_ name: Name, by owner: OwnerID) { unlink(asidePath(name, owner)) }

  /// Removes files; those that are gone already, by a process that cleared up after itself, too.
  func remove(_ names: [String]) throws(SinkError) {
    for name in names where unlink(path(of: name)) != 0 && errno != ENOENT {
      throw failure(SystemError("unlink", path(of: name)))
    }
  }

  /// `.tmp-<owner>-<name>`: at most 229 bytes.
  private func asidePath(_ name: Name, _ owner: OwnerID) -> String {
    path(of: "\(JSONLDirectory.asidePrefix)\(owner.text)-\(name.text)")
  }

  private static func isAside(_ name: String) -> Bool {
    let before = asidePrefix.utf8.count + ownerBytes + 1
    return name.hasPrefix(asidePrefix) && Name(String(name.dropFirst(before))) != nil
  }

  private func translating<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(SinkError) -> Result {
    do throws(SystemError) { return try body() } catch { throw failure(error) }
  }

  private func failure(_ error: SystemError) -> SinkError {
    let text = "\(place): \(error)"
    let safe = "The rows stay in the state; it is tried again."
    if error.isDiskFull { return .unavailable("\(text). Make room on its disk. \(safe)") }
    switch error.code {
    case ENOTDIR:
      return .unsuitable("\(text). Nothing was changed. Give the path of a directory.")
    case ENOENT:
      return .unavailable("\(text). The directory above it must exist. \(safe)")
    default: return .unavailable("\(text). \(safe)")
    }
  }
}
