import CLinux
import Glibc

/// A file system in memory that only this process and its children see, and that can be made full.
///
/// It leaves the mount namespace of everybody else (`mount_namespaces(7)`): as root, or within a user
/// namespace of its own. To be made before the process has a second thread.
package final class SmallDisk {
  private let directory: String
  private let bytes: UInt64

  /// - Parameters:
  ///   - directory: where it is mounted; must be there.
  ///   - bytes: its size while it is not full.
  /// - Throws: `SystemError` where the system permits neither; nothing is mounted then.
  package init(at directory: String, bytes: UInt64) throws(SystemError) {
    self.directory = directory
    self.bytes = bytes
    try SmallDisk.leaveMountNamespace()
    if clinux_make_mounts_private() != 0 { throw SystemError("mount", "/") }
    if clinux_mount_in_memory(directory, "size=\(bytes),mode=0700", 0) != 0 {
      throw SystemError("mount", directory)
    }
  }

  deinit { _ = clinux_unmount_later(directory) }

  private static func leaveMountNamespace() throws(SystemError) {
    if clinux_leave_mounts() == 0 { return }
    let (user, group) = (getuid(), getgid())
    if clinux_leave_mounts_and_users() != 0 {
      throw SystemError("unshare", "mount and user namespace")
    }
    // user_namespaces(7): without this a group map is refused.
    try write("deny", to: "/proc/self/setgroups")
    try write("0 \(user) 1", to: "/proc/self/uid_map")
    try write("0 \(group) 1", to: "/proc/self/gid_map")
  }

  private static func write(_ text: String, to path: String) throws(SystemError) {
    try FileDescriptor.open(path, O_WRONLY).write(Array(text.utf8))
  }

  /// Takes all free space away: what is there stays, nothing more can be added.
  package func fill() throws(SystemError) {
    while true {
      var status = statvfs()
      if statvfs(directory, &status) != 0 { throw SystemError("statvfs", directory) }
      let used = UInt64(status.f_blocks - status.f_bfree) * UInt64(status.f_frsize)
      // 0 would mean "no limit".
      if resize(to: max(used, UInt64(status.f_frsize))) { return }
      // Refused where more has been written since.
      if errno != EINVAL { throw SystemError("mount", directory) }
    }
  }

  /// Gives the space back.
  package func free() throws(SystemError) {
    if !resize(to: bytes) { throw SystemError("mount", directory) }
  }

  private func resize(to bytes: UInt64) -> Bool {
    clinux_mount_in_memory(directory, "size=\(bytes)", 1) == 0
  }
}
