import Configuration
import Glibc
import Platform
import SessionModel
import TrafficGenerator

/// The events that `generate` sends, one by one: made ones, or the lines of files.
final class EventStream {
  private var source: Source
  private var failure: SystemError?

  private enum Source {
    case lines(LineReader)
    case traffic(TrafficGenerator)
  }

  init(_ content: GenerateSettings.Content) throws(CommandFailure) {
    switch content {
    case .files(let paths): source = .lines(LineReader(paths: paths))
    case .traffic(let settings): source = .traffic(TrafficGenerator(TrafficOptions(settings)))
    }
  }

  /// The next event without a line end; nil at the end or after a failure.
  func next() -> [UInt8]? {
    switch source {
    case .traffic(var generator):
      var event: [UInt8] = []
      // Taken out while it changes, so that its visits are not copied.
      source = .lines(LineReader(paths: []))
      let isOne = generator.next(into: &event)
      source = .traffic(generator)
      return isOne ? event : nil
    case .lines(let reader):
      do throws(SystemError) { return try reader.next() } catch { failure = error }
      return nil
    }
  }

  /// - Throws: what ended the stream early.
  func check() throws(CommandFailure) {
    if let failure { throw CommandFailure(failure, state: .untouched) }
  }
}

/// Lines of files, one file after the other; empty ones are left out.
final class LineReader {
  private static let bufferBytes = 1 << 20
  private var paths: ArraySlice<String>
  private var file: FileBox?
  private var buffer: [UInt8] = []
  private var start = 0

  /// A non-copyable file behind a reference, so that it can be replaced.
  private final class FileBox {
    let descriptor: FileDescriptor
    init(_ path: String) throws(SystemError) {
      descriptor = try FileDescriptor.open(path, O_RDONLY)
    }
  }

  init(paths: [String]) { self.paths = paths[...] }

  func next() throws(SystemError) -> [UInt8]? {
    while true {
      if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(buffer[start..<end])
        start = end + 1
        if !line.isEmpty { return line }
      } else if try !fill() {
        let line = Array(buffer[start...])
        buffer.removeAll(keepingCapacity: true)
        start = 0
        if !line.isEmpty { return line }
        guard let path = paths.popFirst() else { return nil }
        file = try FileBox(path)
      }
    }
  }

  /// - Returns: false at the end of the file.
  private func fill() throws(SystemError) -> Bool {
    guard let file else { return false }
    buffer.removeFirst(start)
    start = 0
    let before = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: LineReader.bufferBytes))
    var count = 0
    var failure: SystemError?
    buffer.withUnsafeMutableBytes { bytes in
      do throws(SystemError) {
        count = try file.descriptor.read(
          into: UnsafeMutableRawBufferPointer(rebasing: bytes[before...]))
      } catch { failure = error }
    }
    buffer.removeLast(LineReader.bufferBytes - count)
    if let failure { throw failure }
    if count == 0 { self.file = nil }
    return count > 0
  }
}

extension TrafficOptions {
  fileprivate init(_ settings: TrafficSettings) {
    self.init(events: settings.events)
    seed = settings.seed
    visitors = settings.visitors
    rate = settings.rate
    start = settings.start
    disorder = settings.disorder
  }
}
