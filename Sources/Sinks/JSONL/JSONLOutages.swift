import Glibc
import Platform

/// Another process that is stopped while it holds the lock of a JSONL directory.
final class JSONLLockHolder: SinkOutage {
  private let owner: FileDescriptor

  init(directory: String) throws(SinkError) {
    do throws(SystemError) {
      let owner = try FileDescriptor.open(directory + "/_owner", O_RDWR)
      _ = try owner.lock(wait: true)
      self.owner = owner
    } catch {
      throw .unavailable("the JSONL directory \(directory): \(error)")
    }
  }

  func end() { owner.unlock() }
}

/// A JSONL directory that was moved away, as a file system that is not mounted.
final class JSONLDirectoryAway: SinkOutage {
  private let directory: String
  private var isAway = true

  private var elsewhere: String { directory + ".away" }

  init(directory: String) throws(SinkError) {
    self.directory = directory
    do throws(SystemError) { try Files.rename(directory, to: elsewhere) } catch {
      throw .unavailable("the JSONL directory \(directory): \(error)")
    }
  }

  deinit { end() }

  func end() {
    guard isAway else { return }
    isAway = false
    // A sink that was open makes no directory anew, so the name is free.
    try? Files.rename(elsewhere, to: directory)
  }
}
