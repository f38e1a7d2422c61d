import SessionModel
import StateStore

/// The deliveries of the side outputs that a run has places for.
final class SideDeliveries {
  private let host: any RunHost
  private let deliveries: [SideDelivery]

  /// - Parameter changed: called by a worker after progress or a failure.
  init(
    _ sides: [SideToOpen], store: StateStore, host: any RunHost,
    changed: @escaping @Sendable () -> Void
  ) throws(RunFailure) {
    self.host = host
    var deliveries: [SideDelivery] = []
    for side in sides {
      deliveries.append(try SideDelivery(side, store: store, host: host, changed: changed))
    }
    self.deliveries = deliveries
  }

  /// Waits a short time until each place has said whether it is ours.
  func waitForFirstTry() throws(RunFailure) {
    let deadline = host.monotonic + RunLimits.sinkCheckWait
    for delivery in deliveries { delivery.waitForFirstTry(until: deadline) }
    for delivery in deliveries { try delivery.throwFailure() }
  }

  /// - Returns: messages for people.
  /// - Throws: the first failure that a place cannot recover from.
  func look() throws(RunFailure) -> [String] {
    var notices: [String] = []
    for delivery in deliveries {
      try delivery.throwFailure()
      notices += delivery.takeNotices()
    }
    return notices
  }

  var isAnyDown: Bool { deliveries.contains(where: \.isDown) }

  /// Whether a batch waits to be removed from the state.
  var haveDelivered: Bool { deliveries.contains(where: \.hasDelivered) }

  /// Gives what is held elsewhere to the checkpoint that is being gathered.
  func takeDelivered() -> [SideBatch] { deliveries.compactMap { $0.takeDelivered() } }

  /// The checkpoint gathered last was committed.
  func notify(_ checkpoint: UInt64) { for delivery in deliveries { delivery.notify(checkpoint) } }

  /// Whether so much is kept that reading must not add to it.
  func areFull(_ kept: KeptSides) -> Bool {
    deliveries.contains { $0.isFull(kept[$0.output]) }
  }

  /// What is still kept as of this checkpoint, with the reason.
  func lacking(at checkpoint: UInt64) -> [String] {
    deliveries.compactMap { $0.lack(at: checkpoint) }
  }

  /// Ends the workers after the writes under way.
  func close() {
    for delivery in deliveries { delivery.askToClose() }
    let deadline = host.monotonic + RunLimits.sinkCloseWait
    for delivery in deliveries { delivery.waitForEnd(until: deadline) }
  }
}
