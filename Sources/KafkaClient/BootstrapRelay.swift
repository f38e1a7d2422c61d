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
    (listener, self.port) = try Loopback.listen(on: port)
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

  fileprivate static func isFull(_ pairs: Int) -> Bool { pairs >= connectionLimit }
  fileprivate static var buffer: Int { bufferBytes }
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
  if !BootstrapRelay.isFull(pairs.count), let broker = Loopback.connect(to: port) {
    pairs.append((client, broker))
  } else {
    close(client)
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
  return Loopback.send(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: to)
}
