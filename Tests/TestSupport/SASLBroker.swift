import Glibc
import Platform

/// A listener on loopback that speaks just enough of Kafka's protocol to turn a client away: it
/// answers ApiVersions, and SASL as it is told to. Librdkafka's embedded cluster has no SASL.
package final class SASLBroker: Sendable {
  package enum Conduct: Sendable {
    /// UNSUPPORTED_SASL_MECHANISM: only another mechanism is offered.
    case refuseMechanism
    /// SASL_AUTHENTICATION_FAILED, with this text.
    case refuseCredentials(String)
    /// The connection ends at this request, as when a broker stops: 17 SaslHandshake, which asks for
    /// the mechanism, or 36 SaslAuthenticate, which shows the credentials.
    case hangUp(request: Int16)
  }

  package let address: String
  /// SASL requests so far.
  private let asked: Monitor<Int>
  private let stopping: Monitor<Bool>
  private let wakeUp: WakeUp
  private let thread: WorkerThread

  package init(_ conduct: Conduct) throws {
    let listener = LoopbackListener()
    address = "127.0.0.1:\(listener.port)"
    let (asked, stopping) = (Monitor(0), Monitor(false))
    let wakeUp = try WakeUp()
    (self.asked, self.stopping, self.wakeUp) = (asked, stopping, wakeUp)
    thread = try WorkerThread("sasl-broker") {
      serve(listener, conduct, wakeUp, asked) { stopping.read { $0 } }
    }
  }

  deinit {
    stopping.change { $0 = true }
    wakeUp.signal()
    thread.join()
  }

  /// Waits until clients have begun SASL so many times.
  package func wait(forAttempts count: Int, within seconds: Int64) -> Bool {
    asked.wait(until: Clock.monotonic + seconds * 1_000_000) { $0 >= count ? true : nil } ?? false
  }
}

private func serve(
  _ listener: LoopbackListener, _ conduct: SASLBroker.Conduct, _ wakeUp: WakeUp,
  _ asked: Monitor<Int>, isStopping: () -> Bool
) {
  var connections: [(socket: Int32, frames: KafkaFrames)] = []
  defer { for connection in connections { close(connection.socket) } }
  while !isStopping() {
    var waits = [
      pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    waits += connections.map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) }
    if poll(&waits, nfds_t(waits.count), -1) < 0 { continue }
    var kept: [(socket: Int32, frames: KafkaFrames)] = []
    for (index, connection) in connections.enumerated() {
      var connection = connection
      let isAlive =
        waits[2 + index].revents == 0
        || answer(connection.socket, &connection.frames, conduct, asked)
      if isAlive { kept.append(connection) } else { close(connection.socket) }
    }
    connections = kept
    if waits[1].revents != 0 {
      let client = listener.accept()
      if client >= 0 { connections.append((client, KafkaFrames())) }
    }
  }
}

/// - Returns: false at the connection's end.
private func answer(
  _ socket: Int32, _ frames: inout KafkaFrames, _ conduct: SASLBroker.Conduct,
  _ asked: Monitor<Int>
) -> Bool {
  var buffer = [UInt8](repeating: 0, count: 4_096)
  let count = recv(socket, &buffer, buffer.count, 0)
  if count <= 0 { return false }
  for frame in frames.take(buffer[..<count]) {
    let head = KafkaRequestHead(frame)
    if head.key == 17 { asked.change { $0 += 1 } }
    guard let body = body(for: head, conduct) else { return false }
    var answer: [UInt8] = []
    answer.append(bigEndian: Int32(4 + body.count))
    answer.append(bigEndian: head.correlation)
    if !sendAll(answer + body, to: socket) { return false }
  }
  return true
}

/// - Returns: nil to hang up.
private func body(for head: KafkaRequestHead, _ conduct: SASLBroker.Conduct) -> [UInt8]? {
  if case .hangUp(head.key) = conduct { return nil }
  var body: [UInt8] = []
  switch head.key {
  case 18:
    // A version other than the first is answered in the first one's form: UNSUPPORTED_VERSION.
    body.append(bigEndian: Int16(head.version == 0 ? 0 : 35))
    let versions: [(key: Int16, highest: Int16)] = [(3, 2), (17, 1), (18, 0), (36, 0)]
    body.append(bigEndian: Int32(versions.count))
    for (key, highest) in versions {
      for number in [key, 0, highest] { body.append(bigEndian: number) }
    }
  case 17:
    switch conduct {
    case .refuseMechanism:
      body.append(bigEndian: Int16(33))
      body.append(bigEndian: Int32(1))
      body.append(kafka: "SCRAM-SHA-512")
    case .refuseCredentials, .hangUp:
      body.append(bigEndian: Int16(0))
      body.append(bigEndian: Int32(1))
      body.append(kafka: "PLAIN")
    }
  case 36:
    guard case .refuseCredentials(let text) = conduct else { return nil }
    body.append(bigEndian: Int16(58))
    body.append(kafka: text)
    body.append(bigEndian: Int32(0))
  default: return nil
  }
  return body
}
