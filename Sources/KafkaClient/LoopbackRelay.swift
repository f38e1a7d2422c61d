import Glibc
package import Platform

/// A TCP port on 127.0.0.1 whose connections lead to another loopback port.
///
/// The embedded cluster's ports are chosen by the system. A client asks its bootstrap address for
/// the brokers' own ones and connects to those, so that a fixed port is needed for the first
/// question alone: this relay lends one.
package final class LoopbackRelay: Sendable {
  private static let backlog: Int32 = 64
  private static let bufferBytes = 1 << 16
  /// The port it listens on.
  package let port: UInt16
  private let listener: Int32

  /// - Parameters:
  ///   - port: to listen on.
  ///   - target: the loopback port to lead to.
  /// - Throws: `SystemError`, for instance where the port is taken.
  package init(port: UInt16, target: UInt16) throws(SystemError) {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if listener < 0 { throw SystemError("socket") }
    var reuse: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    guard LoopbackRelay.call(bind, listener, port) == 0,
      listen(listener, LoopbackRelay.backlog) == 0
    else {
      let error = SystemError("listen", "127.0.0.1:\(port)")
      close(listener)
      throw error
    }
    self.port = port
    let listener = listener
    _ = try WorkerThread("relay") {
      while true {
        let client = accept(listener, nil, nil)
        if client < 0 { return }
        LoopbackRelay.serve(client, target)
      }
    }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  private static func serve(_ client: Int32, _ target: UInt16) {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard server >= 0, call(connect, server, target) == 0 else {
      close(client)
      if server >= 0 { close(server) }
      return
    }
    let pump: @Sendable () -> Void = {
      LoopbackRelay.pump(client, server)
      close(client)
      close(server)
    }
    do throws(SystemError) {
      _ = try WorkerThread("relay pump", stackBytes: 1 << 18, pump)
    } catch {
      close(client)
      close(server)
    }
  }

  /// Copies both ways until one side ends.
  private static func pump(_ client: Int32, _ server: Int32) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      var sides = [
        pollfd(fd: client, events: Int16(POLLIN), revents: 0),
        pollfd(fd: server, events: Int16(POLLIN), revents: 0),
      ]
      if poll(&sides, 2, -1) < 0 {
        if errno == EINTR { continue }
        return
      }
      for (from, to) in [(0, 1), (1, 0)] where sides[from].revents != 0 {
        let count = recv(sides[from].fd, buffer.baseAddress, buffer.count, 0)
        guard count > 0, sendAll(sides[to].fd, buffer.baseAddress!, count) else { return }
      }
    }
  }

  private static func sendAll(
    _ socket: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int
  ) -> Bool {
    var sent = 0
    while sent < count {
      let step = send(socket, bytes + sent, count - sent, Int32(MSG_NOSIGNAL))
      if step <= 0 { return false }
      sent += step
    }
    return true
  }

  private static func call(
    _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: Int32,
    _ port: UInt16
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        function(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
