import CLinux
import Glibc

/// A pipe from a child process, read line by line while the child runs. One thread reads.
package final class LinePipe {
  /// For the child; -1 once it was closed here.
  package private(set) var writer: Int32
  private let reader: Int32
  private var rest: [UInt8] = []
  /// Whether every writer has closed its end and all was read.
  package private(set) var hasEnded = false

  /// - Throws: `SystemError` where the process has no descriptor left.
  package init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    if clinux_pipe(&ends) != 0 { throw SystemError("pipe2") }
    (reader, writer) = (ends[0], ends[1])
  }

  deinit {
    closeWriter()
    close(reader)
  }

  /// Leaves the child as the only writer.
  package func closeWriter() {
    if writer >= 0 { close(writer) }
    writer = -1
  }

  /// Waits for text up to the deadline and takes the lines that are whole; at the pipe's end the
  /// last one, too.
  ///
  /// - Parameter deadline: monotonic, µs; one that has passed only looks.
  /// - Returns: nothing if none came in time, or a line is not whole yet.
  package func lines(until deadline: Int64) -> [String] {
    if hasEnded { return [] }
    guard LinePipe.wait(for: reader, until: deadline) else { return [] }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(reader, &buffer, buffer.count)
      if count > 0 {
        rest += buffer[..<count]
      } else if count == 0 {
        hasEnded = true
        break
      } else if errno != EINTR {
        break
      }
    }
    return takeLines()
  }

  private func takeLines() -> [String] {
    var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard let last = lines.popLast() else { return [] }
    if hasEnded, !last.isEmpty { lines.append(last) }
    let texts = lines.map { String(decoding: $0, as: UTF8.self) }
    rest = hasEnded ? [] : Array(last)
    return texts
  }

  /// - Returns: whether there is something to read, or an end.
  private static func wait(for descriptor: Int32, until deadline: Int64) -> Bool {
    clinux_wait_for_input(descriptor, max(0, deadline - Clock.monotonic)) != 0
  }
}
