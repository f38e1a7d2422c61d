/// What a proxy does to some of the requests of one kind.
package struct BrokerLoss: Sendable {
  /// What is lost, together with the connection that it is on.
  package enum Part: String, CaseIterable, Sendable {
    /// The brokers never see it.
    case request
    /// The brokers have answered.
    case answer
  }

  /// Commits or aborts a transaction: EndTxn.
  package static let endOfTransaction: Int16 = 26
  /// Makes a transactional producer known: InitProducerId.
  package static let beginningOfProducer: Int16 = 22

  /// The request's number in the protocol.
  package var key: Int16
  package var part: Part
  /// How many are lost.
  package var count: Int

  package init(_ key: Int16, _ part: Part, count: Int) {
    (self.key, self.part, self.count) = (key, part, count)
  }
}

/// What a proxy's threads share.
struct ProxyState: Sendable {
  var isSilent = false
  var isStopping = false
  /// Bytes that came in while it was silent.
  var swallowed = 0
  var loss: BrokerLoss?
  /// Since `loss` was set.
  var lost = 0
  /// By kind.
  var requests: [Int16: Int] = [:]
  var lastRequests: [Int16: [UInt8]] = [:]

  /// Counts a request in.
  ///
  /// - Returns: what of it is to be lost.
  mutating func take(_ head: KafkaRequestHead, _ frame: [UInt8]) -> BrokerLoss.Part? {
    requests[head.key, default: 0] += 1
    lastRequests[head.key] = frame
    guard loss?.key == head.key, (loss?.count ?? 0) > 0 else { return nil }
    loss?.count -= 1
    return loss?.part
  }
}
