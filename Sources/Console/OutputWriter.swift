import Glibc
package import Platform

/// Why results could not be written.
package enum OutputError: Error, Equatable {
  /// The reader went away, as `head` does: nothing is wrong, end quietly.
  case closed
  case failed(SystemError)
}

/// Buffered writing to a descriptor that is already open, such as standard output.
///
/// Works with SIGPIPE ignored, see `Standard.ignoreBrokenPipes`.
package struct OutputWriter: ~Copyable {
  private static let bufferBytes = 1 << 16

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  /// - Parameter descriptor: stays open at the writer's end. What was not flushed then is lost.
  package init(descriptor: Int32 = STDOUT_FILENO) {
    self.descriptor = descriptor
    buffer.reserveCapacity(OutputWriter.bufferBytes)
  }

  /// - Throws: `OutputError`; how much was written is unknown.
  package mutating func write(_ bytes: [UInt8]) throws(OutputError) {
    buffer += bytes
    if buffer.count >= OutputWriter.bufferBytes { try flush() }
  }

  /// - Throws: `OutputError`; how much was written is unknown.
  package mutating func write(_ text: String) throws(OutputError) {
    buffer += text.utf8
    if buffer.count >= OutputWriter.bufferBytes { try flush() }
  }

  /// Hands everything to the system.
  ///
  /// - Throws: `OutputError`; the buffer is empty after it in any case.
  package mutating func flush() throws(OutputError) {
    defer { buffer.removeAll(keepingCapacity: true) }
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
      }
      if count >= 0 {
        written += count
      } else if errno == EPIPE {
        throw .closed
      } else if errno == EAGAIN {
        waitUntilWritable()
      } else if errno != EINTR {
        throw .failed(SystemError("write", "standard output"))
      }
    }
  }

  /// A terminal or pipe that somebody else made non-blocking may be full for the moment.
  private func waitUntilWritable() {
    var descriptors = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    poll(&descriptors, 1, -1)
  }
}
