import Glibc
import Platform

/// A Python process that runs pieces of code one after the other in one module.
package final class PythonClient {
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  private let child: ChildProcess
  private let channel: Int32

  /// - Throws: `Failure` where the interpreter cannot be started.
  init(_ python: String, environment: [String: String]) throws(Failure) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    precondition(socketpair(AF_UNIX, kind, 0, &ends) == 0, "a socket can be had")
    defer { close(ends[1]) }
    channel = ends[0]
    do throws(SystemError) {
      child = try ChildProcess(
        python, ["-c", PythonClient.loop], environment: environment, channel: ends[1])
    } catch {
      throw Failure(description: "\(error)")
    }
  }

  deinit { close(channel) }

  /// - Returns: what the code printed.
  func run(_ code: String) throws(Failure) -> String {
    send(Array("\(code.utf8.count)\n\(code)".utf8))
    guard let state = receiveLine(), let length = receiveLine().flatMap({ Int($0) }) else {
      throw Failure(description: "Python ended: \(child.wait())")
    }
    let printed = String(decoding: receive(length), as: UTF8.self)
    if state != "done" { throw Failure(description: printed) }
    return printed
  }

  private func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Glibc.send(channel, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      // What cannot be sent shows as a missing answer.
      if sent <= 0 { return }
      rest = rest.dropFirst(sent)
    }
  }

  private func receive(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var start = 0
    while start < count {
      let received = bytes.withUnsafeMutableBytes {
        recv(channel, $0.baseAddress! + start, count - start, 0)
      }
      if received <= 0 { return Array(bytes[..<start]) }
      start += received
    }
    return bytes
  }

  private func receiveLine() -> String? {
    var line: [UInt8] = []
    while true {
      guard let byte = receive(1).first else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
  }

  private static let loop = """
    import contextlib, io, socket, traceback
    channel = socket.socket(fileno=3)
    requests = channel.makefile("rb")
    names = {}
    while line := requests.readline():
        code = requests.read(int(line)).decode()
        printed = io.StringIO()
        state = "done"
        with contextlib.redirect_stdout(printed):
            try:
                exec(code, names)
            except Exception:
                state = "failed"
                print(traceback.format_exc())
        answer = printed.getvalue().encode()
        channel.sendall(f"{state}\\n{len(answer)}\\n".encode() + answer)
    """
}
