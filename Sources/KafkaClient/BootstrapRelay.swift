import Glibc
package import Platform

/// Gives the embedded cluster a fixed port: whoever connects to it talks to the cluster's first
/// broker, whose answers name the real ports; clients on this machine go there by themselves.
///
/// librdkafka has no way to choose the embedded brokers' ports, nor the address they advertise.
package final class BootstrapRelay {
  /// More connections at a time are refused.
  private static let connectionLimit = 64
  private static let bufferBytes = 1 << 16

  package let port: UInt16
  private let listener: Int32
  private let target: UInt16
  private let stopping = Monitor(false)
  private let wakeUp: WakeUp
  private var thread: WorkerThread?

  /// - Parameters:
  ///   - port: to listen on at 127.0.0.1; 0 lets the system choose.
  ///   - brokers: `MockCluster.brokers`.
  /// - Throws: `SystemError`, as where the port is in use.
  package init(port: UInt16, brokers: String) throws(SystemError) {
    let first = brokers.prefix { $0 != "," }
    target = first.lastIndex(of: ":").flatMap { UInt16(first[first.index(after: $0)...]) } ?? 0
    let wakeUp = try WakeUp()
    (listener, self.port) = try listen(on: port)
    self.wakeUp = wakeUp
    let (listener, target, stopping) = (listener, target, stopping)
    thread = try WorkerThread("port-relay") {
      relay(listener, to: target, wakeUp) { stopping.read { $0 } }
    }
  }

  deinit {
    stopping.change { $0 = true }
    wakeUp.signal()
    thread?.join()
    Glibc.close(listener)
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  fileprivate static func call(
    _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = loopback(port)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  fileprivate static func isFull(_ pairs: Int) -> Bool { pairs >= connectionLimit }
  fileprivate static var buffer: Int { bufferBytes }
}

private func listen(on port: UInt16) throws(SystemError) -> (Int32, UInt16) {
  let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
  let number = socket(AF_INET, type, 0)
  if number < 0 { throw SystemError("socket") }
  var on: Int32 = 1
  setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
  guard BootstrapRelay.call(port, { bind(number, $0, $1) }) == 0, Glibc.listen(number, 16) == 0
  else {
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

/// Copies bytes both ways for each connection until told to stop. Blocking writes are fine here: a
/// bootstrap connection carries a few small requests.
private func relay(_ listener: Int32, to port: UInt16, _ wakeUp: WakeUp, isStopping: () -> Bool) {
  var pairs: [(client: Int32, broker: Int32)] = []
  let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: BootstrapRelay.buffer, alignment: 16)
  defer {
    buffer.deallocate()
    for pair in pairs { close(pair) }
  }
  while !isStopping() {
    var waits = [
      pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
    ]
    for pair in pairs {
      waits.append(pollfd(fd: pair.client, events: Int16(POLLIN), revents: 0))
      waits.append(pollfd(fd: pair.broker, events: Int16(POLLIN), revents: 0))
    }
    if poll(&waits, nfds_t(waits.count), -1) < 0 { continue }
    var kept: [(client: Int32, broker: Int32)] = []
    for (index, pair) in pairs.enumerated() {
      let isAlive =
        (waits[2 + 2 * index].revents == 0 || copy(pair.client, pair.broker, buffer))
        && (waits[3 + 2 * index].revents == 0 || copy(pair.broker, pair.client, buffer))
      if isAlive { kept.append(pair) } else { close(pair) }
    }
    pairs = kept
    if waits[1].revents != 0 { accept(listener, port, &pairs) }
  }
}

private func accept(
  _ listener: Int32, _ port: UInt16, _ pairs: inout [(client: Int32, broker: Int32)]
) {
  let client = Glibc.accept(listener, nil, nil)
  if client < 0 { return }
  let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  if BootstrapRelay.isFull(pairs.count)
    || BootstrapRelay.call(port, { connect(broker, $0, $1) }) != 0
  {
    close((client, broker))
  } else {
    pairs.append((client, broker))
  }
}

private func close(_ pair: (client: Int32, broker: Int32)) {
  Glibc.close(pair.client)
  Glibc.close(pair.broker)
}

/// - Returns: false at the connection's end.
private func copy(_ from: Int32, _ to: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Bool {
  let count = recv(from, buffer.baseAddress, buffer.count, 0)
  if count <= 0 { return false }
  var sent = 0
  while sent < count {
    let written = send(to, buffer.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
    if written <= 0 { return false }
    sent += written
  }
  return true
}
