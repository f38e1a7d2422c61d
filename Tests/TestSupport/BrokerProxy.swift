import Glibc
import Platform

/// Stands between a program and a cluster of brokers on loopback. It can fall silent: connections
/// are accepted and stay, and nobody answers on them. And it can lose requests of one kind, or their
/// answers.
///
/// It puts its own ports into the brokers' answers, so that clients come through it for everything.
package final class BrokerProxy: Sendable {
  /// `HOST:PORT` of each broker's stand-in, parted by commas.
  package let brokers: String
  private let state: Monitor<ProxyState>
  private let wakeUp: WakeUp
  private let thread: WorkerThread

  /// - Parameter brokers: the cluster's, on loopback.
  package init(_ brokers: String) throws {
    let targets = brokers.split(separator: ",").map { broker in
      UInt16(broker[broker.index(after: broker.lastIndex(of: ":")!)...])!
    }
    let wakeUp = try WakeUp()
    let listeners = targets.map { _ in LoopbackListener() }
    let state = Monitor(ProxyState())
    (self.wakeUp, self.state) = (wakeUp, state)
    self.brokers = listeners.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
    let ports = Dictionary(
      uniqueKeysWithValues: zip(targets, listeners).map { ($0, $1.port) })
    thread = try WorkerThread("broker-proxy") {
      var relay = Relay(listeners: listeners, targets: targets, ports: ports, state: state)
      while !state.read({ $0.isStopping }) {
        relay.step(wakeUp, isSilent: state.read { $0.isSilent })
      }
      relay.close()
    }
  }

  deinit {
    state.change { $0.isStopping = true }
    wakeUp.signal()
    thread.join()
  }

  /// Begins or ends the silence. What came in meanwhile is lost, and its connections are closed.
  package func setSilent(_ isSilent: Bool) {
    state.change { $0.isSilent = isSilent }
    wakeUp.signal()
  }

  /// Waits until a client has sent something that nobody answers.
  ///
  /// - Returns: false if none came in time.
  package func waitForUnanswered(within seconds: Int64) -> Bool {
    state.wait(until: Clock.monotonic + seconds * 1_000_000) { $0.swallowed > 0 ? true : nil }
      ?? false
  }

  /// Loses what comes next; nothing where nil.
  package func lose(_ loss: BrokerLoss?) {
    state.change { state in
      (state.loss, state.lost) = (loss, 0)
    }
  }

  /// Waits until something was lost that `lose` asked for last.
  ///
  /// - Returns: false if nothing was in time.
  package func waitForLoss(within seconds: Int64) -> Bool {
    state.wait(until: Clock.monotonic + seconds * 1_000_000) { $0.lost > 0 ? true : nil } ?? false
  }

  /// The requests of a kind that have come in.
  package func requests(_ key: Int16) -> Int { state.read { $0.requests[key] ?? 0 } }

  /// The newest of them, with its head.
  package func lastRequest(_ key: Int16) -> [UInt8]? { state.read { $0.lastRequests[key] } }
}

/// The connections of a proxy, served by one thread.
private struct Relay {
  private struct Pair {
    var client: Int32
    var broker: Int32
    var requests = KafkaFrames()
    var answers = KafkaFrames()
    /// Requests whose answers name ports and have not come yet, by correlation.
    var questions: [Int32: KafkaRequestHead] = [:]
    /// Requests whose answers are to be lost.
    var doomed: Set<Int32> = []
    /// Something was swallowed: frames are missing.
    var isBroken = false
  }

  let listeners: [LoopbackListener]
  let targets: [UInt16]
  let ports: [UInt16: UInt16]
  let state: Monitor<ProxyState>
  private var pairs: [Pair] = []

  init(
    listeners: [LoopbackListener], targets: [UInt16], ports: [UInt16: UInt16],
    state: Monitor<ProxyState>
  ) {
    self.listeners = listeners
    self.targets = targets
    self.ports = ports
    self.state = state
  }

  func close() { for pair in pairs { close(pair) } }

  private func close(_ pair: Pair) {
    Glibc.close(pair.client)
    Glibc.close(pair.broker)
  }

  /// Waits for something to happen and deals with it.
  mutating func step(_ wakeUp: WakeUp, isSilent: Bool) {
    if !isSilent {
      for pair in pairs where pair.isBroken { close(pair) }
      pairs.removeAll(where: \.isBroken)
    }
    var waits = [pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)]
    waits += listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    for pair in pairs {
      waits.append(pollfd(fd: pair.client, events: Int16(POLLIN), revents: 0))
      waits.append(pollfd(fd: pair.broker, events: Int16(POLLIN), revents: 0))
    }
    if poll(&waits, nfds_t(waits.count), -1) < 0 { return }
    if waits[0].revents != 0 { wakeUp.wait(timeout: 0) }
    var kept: [Pair] = []
    let first = 1 + listeners.count
    for (index, pair) in pairs.enumerated() {
      var pair = pair
      let (client, broker) = (waits[first + 2 * index], waits[first + 2 * index + 1])
      var isAlive = client.revents == 0 || serve(&pair, fromClient: true, isSilent)
      if isAlive, broker.revents != 0 { isAlive = serve(&pair, fromClient: false, isSilent) }
      if isAlive { kept.append(pair) } else { close(pair) }
    }
    pairs = kept
    for (index, listener) in listeners.enumerated() where waits[1 + index].revents != 0 {
      accept(listener, targets[index])
    }
  }

  private mutating func accept(_ listener: LoopbackListener, _ target: UInt16) {
    let client = listener.accept()
    if client < 0 { return }
    if let broker = connectLoopback(target) {
      pairs.append(Pair(client: client, broker: broker))
    } else {
      Glibc.close(client)
    }
  }

  /// - Returns: false at the connection's end.
  private func serve(_ pair: inout Pair, fromClient: Bool, _ isSilent: Bool) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(fromClient ? pair.client : pair.broker, &buffer, buffer.count, 0)
    if count <= 0 { return false }
    if isSilent || pair.isBroken {
      pair.isBroken = true
      if fromClient { state.change { $0.swallowed += count } }
      return true
    }
    return fromClient
      ? pair.requests.take(buffer[..<count]).allSatisfy { pass(request: $0, &pair) }
      : pair.answers.take(buffer[..<count]).allSatisfy { pass(answer: $0, &pair) }
  }

  /// - Returns: false where the connection is to end.
  private func pass(request frame: [UInt8], _ pair: inout Pair) -> Bool {
    let head = KafkaRequestHead(frame)
    switch state.change({ $0.take(head, frame) }) {
    case .request:
      state.change { $0.lost += 1 }
      return false
    case .answer: pair.doomed.insert(head.correlation)
    case nil: break
    }
    if head.key == 3 || head.key == 10 { pair.questions[head.correlation] = head }
    return sendAll(frame, to: pair.broker)
  }

  /// - Returns: false where the connection is to end.
  private func pass(answer frame: [UInt8], _ pair: inout Pair) -> Bool {
    var frame = frame
    let correlation = frame.integer(at: 4, as: Int32.self)
    if pair.doomed.contains(correlation) {
      state.change { $0.lost += 1 }
      return false
    }
    if let question = pair.questions.removeValue(forKey: correlation) {
      if question.key == 3 {
        replacePorts(inMetadata: &frame, version: question.version)
      } else {
        replacePort(inCoordinator: &frame, version: question.version)
      }
    }
    return sendAll(frame, to: pair.client)
  }

  /// Puts our ports in place of the brokers' in an answer to a question for metadata.
  private func replacePorts(inMetadata frame: inout [UInt8], version: Int16) {
    precondition(version <= 8, "metadata of version \(version) is packed otherwise")
    var place = version >= 3 ? 12 : 8
    let count = frame.integer(at: place, as: Int32.self)
    place += 4
    for _ in 0..<count {
      place += 4
      skipText(in: frame, &place)
      replacePort(in: &frame, at: place)
      place += 4
      if version >= 1 { skipText(in: frame, &place) }
    }
  }

  /// The same in an answer to a question for a coordinator: clients take the address from there, too.
  private func replacePort(inCoordinator frame: inout [UInt8], version: Int16) {
    precondition(version <= 2, "coordinators of version \(version) are packed otherwise")
    var place = version >= 1 ? 14 : 10
    if version >= 1 { skipText(in: frame, &place) }
    place += 4
    skipText(in: frame, &place)
    replacePort(in: &frame, at: place)
  }

  /// A text with its length in two bytes, negative for null.
  private func skipText(in frame: [UInt8], _ place: inout Int) {
    place += 2 + max(0, Int(frame.integer(at: place, as: Int16.self)))
  }

  private func replacePort(in frame: inout [UInt8], at place: Int) {
    let port = UInt16(truncatingIfNeeded: frame.integer(at: place, as: Int32.self))
    guard let ours = ports[port] else { return }
    frame[place + 2] = UInt8(ours >> 8)
    frame[place + 3] = UInt8(ours & 0xFF)
  }
}
