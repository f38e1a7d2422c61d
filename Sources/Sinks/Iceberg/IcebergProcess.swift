import Glibc
import Platform

/// A running helper (`iceberg_helper.py`) and the socket to it. One thread uses it.
///
/// A message is a 32-bit number of fields, then each field as a 32-bit length and its bytes,
/// little-endian. Its own descriptor carries them, since libraries write to the usual ones. After any
/// failure it is of no more use; it ends with this object.
final class IcebergProcess {
  /// Why there is no answer.
  enum Failure: Error {
    /// It gave no sign of life up to the deadline.
    case silent
    /// It ended; with the last line that it wrote, which may be empty.
    case ended(ChildProcess.End, lastLine: String)
    /// It answered what no request asks for; with what that was.
    case senseless(String)
  }

  /// The descriptor that the child finds the socket under.
  static let descriptor: Int32 = 3
  private static let fieldLimit = 1 << 16
  private static let messageBytesLimit = 1 << 30
  /// Room is made for so much at once, whatever a message says of its length.
  private static let bytesPerRead = 1 << 20
  /// How often the child's messages are taken while an answer is waited for, µs.
  private static let messagesInterval: Int64 = 100_000
  /// How long a child that has closed its socket may take to end by itself, µs.
  private static let endLimit: Int64 = 2_000_000
  private static let lookInterval: Int64 = 10_000

  private let child: ChildProcess
  private let channel: Int32
  private let messages: LinePipe
  private var lastLine = ""

  /// Starts the interpreter and sends it the program.
  ///
  /// - Throws: `SystemError` where the interpreter cannot be started.
  init(
    python: String, environment: [String: String], program: [UInt8]
  ) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    if socketpair(AF_UNIX, kind, 0, &ends) != 0 { throw SystemError("socketpair") }
    defer { close(ends[1]) }
    do throws(SystemError) {
      messages = try LinePipe()
      // Isolated: neither the working directory nor PYTHON… variables bring in other code.
      child = try ChildProcess(
        python, ["-I", "-c", IcebergProcess.loader(of: program)], environment: environment,
        messages: messages, channel: ends[1])
    } catch {
      close(ends[0])
      throw error
    }
    channel = ends[0]
    // What is not taken shows as an end at the first answer.
    try? write(program, until: Clock.monotonic + 10 * 1_000_000)
  }

  deinit { close(channel) }

  var identifier: pid_t { child.identifier }

  /// Takes the program from the socket, and nothing beyond it.
  private static func loader(of program: [UInt8]) -> String {
    """
    import socket; c = socket.socket(fileno=\(descriptor)); \
    p = c.recv(\(program.count), socket.MSG_WAITALL); c.detach(); \
    exec(compile(p, 'sojourn iceberg helper', 'exec'))
    """
  }

  // MARK: - Messages

  func send(_ fields: [[UInt8]], until deadline: Int64) throws(Failure) {
    try write(IcebergProcess.bytes(of: fields.count), until: deadline)
    for field in fields {
      try write(IcebergProcess.bytes(of: field.count), until: deadline)
      try write(field, until: deadline)
    }
  }

  func receive(until deadline: Int64) throws(Failure) -> [[UInt8]] {
    let count = try readNumber(until: deadline)
    if count > IcebergProcess.fieldLimit { throw .senseless("a message of \(count) fields") }
    var fields: [[UInt8]] = []
    var room = IcebergProcess.messageBytesLimit
    for _ in 0..<count {
      let length = try readNumber(until: deadline)
      if length > room { throw .senseless("a field of \(length) bytes") }
      room -= length
      fields.append(try read(length, until: deadline))
    }
    return fields
  }

  private static func bytes(of number: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt32(number).littleEndian) { Array($0) }
  }

  private func readNumber(until deadline: Int64) throws(Failure) -> Int {
    try read(4, until: deadline).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
  }

  private func write(_ bytes: [UInt8], until deadline: Int64) throws(Failure) {
    var start = 0
    while start < bytes.count {
      let sent = bytes.withUnsafeBytes {
        Glibc.send(
          channel, $0.baseAddress! + start, $0.count - start,
          Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if sent > 0 {
        start += sent
      } else if errno == EAGAIN {
        try wait(for: Int16(POLLOUT), until: deadline)
      } else if errno != EINTR {
        throw ended()
      }
    }
  }

  private func read(_ count: Int, until deadline: Int64) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var start = 0
    while start < count {
      if start == bytes.count {
        let more = min(count - start, max(start, IcebergProcess.bytesPerRead))
        bytes += repeatElement(0, count: more)
      }
      let received = bytes.withUnsafeMutableBytes {
        recv(channel, $0.baseAddress! + start, $0.count - start, Int32(MSG_DONTWAIT))
      }
      if received > 0 {
        start += received
      } else if received < 0, errno == EAGAIN {
        try wait(for: Int16(POLLIN), until: deadline)
      } else if received == 0 || errno != EINTR {
        throw ended()
      }
    }
    return bytes
  }

  // MARK: - Waiting

  /// Its messages are taken meanwhile, so that it never waits for room to write them.
  private func wait(for events: Int16, until deadline: Int64) throws(Failure) {
    while true {
      takeMessages()
      let left = deadline - Clock.monotonic
      if left <= 0 { throw .silent }
      var entry = pollfd(fd: channel, events: events, revents: 0)
      let span = min(left, IcebergProcess.messagesInterval) / 1_000 + 1
      if poll(&entry, 1, Int32(span)) > 0 { return }
    }
  }

  /// - Parameter deadline: for the first of them; nil only looks.
  private func takeMessages(until deadline: Int64? = nil) {
    let lines = messages.lines(until: deadline ?? Clock.monotonic)
    for line in lines where !line.isEmpty { lastLine = line }
  }

  /// It has closed the socket, so its end is near, or is brought about.
  private func ended() -> Failure {
    let deadline = Clock.monotonic + IcebergProcess.endLimit
    while child.poll() == nil {
      if Clock.monotonic >= deadline {
        return .senseless("nothing, closed its socket and lived on")
      }
      // Its end closes its messages, too, but for those of children of its own.
      takeMessages(until: Clock.monotonic + IcebergProcess.lookInterval)
      if messages.hasEnded { poll(nil, 0, 1) }
    }
    takeMessages()
    return .ended(child.wait(), lastLine: lastLine)
  }
}
