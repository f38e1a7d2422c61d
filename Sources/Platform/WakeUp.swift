import CLinux
import Glibc

/// A file descriptor by which any thread, C library or signal handler ends another thread's wait.
package final class WakeUp: Sendable {
  /// Counts wake-ups (`eventfd(2)`); a C library may write 8-byte integers to it.
  package let descriptor: Int32

  /// - Throws: `SystemError` where the process has no descriptor left.
  package init() throws(SystemError) {
    let descriptor = clinux_eventfd()
    if descriptor < 0 { throw SystemError("eventfd") }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Ends the present or the next wait; safe in a signal handler.
  package func signal() {
    var one: UInt64 = 1
    write(descriptor, &one, 8)
  }

  /// Waits for a signal and takes all that are pending.
  ///
  /// - Parameter timeout: µs, rounded up to whole milliseconds; 0 only looks.
  /// - Returns: whether there was one.
  @discardableResult
  package func wait(timeout: Int64) -> Bool {
    var descriptors = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let milliseconds = Int32(clamping: (max(0, timeout) + 999) / 1_000)
    guard Glibc.poll(&descriptors, 1, milliseconds) > 0 else { return false }
    var count: UInt64 = 0
    return read(descriptor, &count, 8) == 8
  }
}
