import Glibc
package import Platform

/// A disk of a few megabytes in memory, which can be filled up; gone with the object.
///
/// A child process mounts it in a mount namespace of its own: `Platform.SmallDisk` leaves that of the
/// calling process, which one with the threads of a test run may not do. Others reach the disk through
/// the child's root, and nothing is left behind however the tests end.
package final class HeldDisk {
  /// Why there is none here; nil where there can be.
  package static let whyNot: String? = {
    do {
      _ = try HeldDisk(bytes: 1 << 20)
      return nil
    } catch {
      return "a file system in memory cannot be mounted here: \(error)"
    }
  }()

  /// Where it is for everybody.
  package let path: String
  /// Where it is for a program that is started with `entering`. SQLite needs that: it follows the
  /// link in `path` by its text.
  package let mountPoint: String
  private let holder: ChildProcess
  /// Above `mountPoint`; only its owner can go through it.
  package var directory: String { place.path }
  private let place = TemporaryDirectory()

  private struct Failure: Error {
    var message: String
  }

  package init(bytes: Int) throws {
    let ready = place.path + "/ready"
    let disk = place.path + "/disk"
    mountPoint = disk
    try Files.makeDirectory(disk)
    let words = HeldDisk.asRoot("unshare")
    holder = try ChildProcess(
      words[0],
      words[1...] + [
        "--mount", "sh", "-c",
        "mount -t tmpfs -o size=\(bytes) none '\(disk)' && echo yes && exec sleep infinity",
      ],
      standardOutput: ready, standardError: ready)
    path = "/proc/\(holder.identifier)/root" + disk
    while try Files.read(ready) != Array("yes\n".utf8) {
      if holder.poll() != nil {
        throw Failure(message: String(decoding: try Files.read(ready), as: UTF8.self))
      }
      usleep(500)
    }
  }

  deinit {
    holder.signal(SIGKILL)
    holder.wait()
  }

  /// The words before a command that is to run where the disk is mounted.
  package var entering: [String] {
    let user = getuid() == 0 ? [] : ["--user", "--preserve-credentials"]
    return ["nsenter", "--target", "\(holder.identifier)", "--mount"] + user
  }

  /// The words before a command to which a directory is read-only.
  package static func readOnly(_ directory: String) -> [String] {
    asRoot("unshare") + [
      "--mount", "sh", "-c",
      "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"", directory,
    ]
  }

  /// Who is not root becomes so in a user namespace.
  private static func asRoot(_ command: String) -> [String] {
    getuid() == 0 ? [command] : [command, "--user", "--map-root-user"]
  }

  private var ballast: String { path + "/ballast" }

  /// Takes up all but so many bytes, in pages of 4 KiB.
  package func fill(leaving room: Int) throws(SystemError) {
    try clear()
    var status = statvfs()
    if statvfs(path, &status) != 0 { throw SystemError("statvfs", path) }
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    try FileDescriptor.open(ballast, O_WRONLY | O_CREAT).allocate(max(1, free - room))
  }

  /// Gives back what `fill` took.
  package func clear() throws(SystemError) {
    if Files.exists(ballast) { try Files.remove(ballast) }
  }
}
