import Glibc

/// A file as it was at a moment: it differs once another file took its place or it was written to.
package struct FileVersion: Equatable, Sendable {
  private let device: UInt64
  private let inode: UInt64
  private let seconds: Int64
  private let nanoseconds: Int64
  /// Bytes.
  package let size: Int64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    seconds = Int64(status.st_mtim.tv_sec)
    nanoseconds = Int64(status.st_mtim.tv_nsec)
    size = Int64(status.st_size)
  }
}
