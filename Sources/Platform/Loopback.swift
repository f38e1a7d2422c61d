import Glibc

/// TCP sockets on 127.0.0.1.
package enum Loopback {
  /// Listens.
  ///
  /// - Parameter port: 0 lets the system choose.
  /// - Returns: the socket, which the caller closes, and its port.
  /// - Throws: `SystemError`, as where the port is in use.
  package static func listen(
    on port: UInt16
  ) throws(SystemError) -> (descriptor: Int32, port: UInt16) {
    let number = stream()
    if number < 0 { throw SystemError("socket") }
    var on: Int32 = 1
    setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    guard call(port, { bind(number, $0, $1) }) == 0, Glibc.listen(number, 64) == 0 else {
      let error = SystemError("listen", "127.0.0.1:\(port)")
      close(number)
      throw error
    }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = getsockname(number, $0, &length)
      }
    }
    return (number, UInt16(bigEndian: address.sin_port))
  }

  /// - Returns: a connected socket, which the caller closes; nil where nobody listens.
  package static func connect(to port: UInt16) -> Int32? {
    let number = stream()
    if call(port, { Glibc.connect(number, $0, $1) }) == 0 { return number }
    close(number)
    return nil
  }

  /// Sends all bytes; false at the connection's end.
  package static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
      let written = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      if written <= 0 { return false }
      sent += written
    }
    return true
  }

  private static func stream() -> Int32 {
    socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  }

  private static func call(
    _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
