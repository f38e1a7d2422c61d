import Glibc
import Platform

/// A listening TCP socket on 127.0.0.1, on a port that the system chooses.
package final class LoopbackListener: Sendable {
  package let descriptor: Int32
  package let port: UInt16

  package init() {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    precondition(number >= 0, "a socket can be had")
    port = withLoopbackAddress(0) { address, length in
      var length = length
      precondition(bind(number, address, length) == 0, "a port can be had")
      precondition(listen(number, 64) == 0, "one can listen")
      getsockname(number, address, &length)
      return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        UInt16(bigEndian: $0.pointee.sin_port)
      }
    }
    descriptor = number
  }

  deinit { close(descriptor) }

  package func accept() -> Int32 { Glibc.accept(descriptor, nil, nil) }
}

/// - Returns: a connected socket; nil where nobody listens.
package func connectLoopback(_ port: UInt16) -> Int32? {
  let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  let isConnected = withLoopbackAddress(port) { connect(number, $0, $1) == 0 }
  if isConnected { return number }
  close(number)
  return nil
}

private func withLoopbackAddress<Result>(
  _ port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
}

/// Writes all bytes; false at the connection's end.
func sendAll(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
  let bytes = Array(bytes)
  var sent = 0
  while sent < bytes.count {
    let written = bytes[sent...].withUnsafeBytes {
      send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    if written <= 0 { return false }
    sent += written
  }
  return true
}
