import KafkaClient
import SessionModel

/// Puts records into a topic: those of one write all or none, or each for itself without
/// transactions.
///
/// After a failure the producer is destroyed, for it may still be at work on what failed; only `open`
/// makes another.
final class KafkaWriter {
  /// A message that is not acknowledged by then has failed, ms.
  private static let messageTimeout = "30000"
  /// More than any row has.
  private static let messageBytes = "16000000"
  /// The brokers end a transaction that takes longer, ms. More than all waits of a write.
  private static let transactionTimeout = "120000"
  /// Longer than the messages' own, µs.
  private static let flushTimeout: Int64 = 35_000_000
  static let commitTimeout: Int64 = 30_000_000

  let address: KafkaAddress
  private let commitTimeout: Int64
  private var producer: Producer?
  private var owner: OwnerID?

  /// - Parameter commitTimeout: how long a commit is waited for, µs; its outcome is unknown then.
  init(_ address: KafkaAddress, commitTimeout: Int64 = KafkaWriter.commitTimeout) {
    self.address = address
    self.commitTimeout = commitTimeout
  }

  /// Makes a producer; a transactional one fences every other, and waits until its transactions have
  /// ended.
  ///
  /// - Throws: `SinkError`: `.takenOver` where an owner comes back that is none any more.
  func open(_ claimant: SinkClaimant) throws(SinkError) {
    close()
    let ledger = KafkaOwner(address: address)
    if address.isTransactional, claimant.claim == .again { try ledger.check(claimant.owner) }
    owner = claimant.owner
    do throws(KafkaError) {
      let producer = try makeProducer()
      self.producer = producer
      if address.isTransactional {
        try producer.initTransactions(timeout: KafkaTopic.answerTimeout)
        if claimant.claim == .first { try ledger.put(claimant.owner, producer) }
      }
    } catch {
      // Who claims a topic for the first time has nobody to give way to.
      throw fail(error, asksForOwner: claimant.claim == .again)
    }
  }

  private func makeProducer() throws(KafkaError) -> Producer {
    var configuration = address.configuration.withDefaults([
      ("message.timeout.ms", KafkaWriter.messageTimeout),
      // The brokers decide what is too large.
      ("message.max.bytes", KafkaWriter.messageBytes),
    ])
    // A topic is made by `KafkaTopic` or not at all.
    configuration = try configuration.overriding([("allow.auto.create.topics", "false")])
      .requiring([
        ("enable.idempotence", "true", "rows would come doubled and out of order otherwise")
      ])
    if address.isTransactional {
      configuration = configuration.overriding([
        ("transactional.id", address.writer),
        ("transaction.timeout.ms", KafkaWriter.transactionTimeout),
      ])
    }
    return try Producer(configuration)
  }

  /// Has `produce` put records into the producer, and waits until all of them are acknowledged, in
  /// one transaction where there are such.
  ///
  /// - Throws: `SinkError`; after `.unavailable` some of the records may be there, or all of them.
  func write(_ produce: (Producer) throws(KafkaError) -> Void) throws(SinkError) {
    guard let producer else {
      throw .unavailable("\(address.place) is not open; it is opened again.")
    }
    do throws(KafkaError) {
      if address.isTransactional { try producer.beginTransaction() }
      try produce(producer)
      try producer.flush(timeout: KafkaWriter.flushTimeout)
      if address.isTransactional {
        try producer.commitTransaction(timeout: commitTimeout)
      }
    } catch {
      throw fail(error)
    }
  }

  /// Closes, and tells what an error means.
  private func fail(_ error: KafkaError, asksForOwner: Bool = true) -> SinkError {
    let fatal = producer?.fatalError
    let told = producer?.takeErrors().first { $0.kind == .authentication || $0.kind == .tls }
    close()
    let cause = fatal ?? (error.kind == .transient ? told : nil) ?? error
    if cause.isFenced, let owner {
      if asksForOwner {
        do throws(SinkError) { try KafkaOwner(address: address).check(owner) } catch {
          return error
        }
      }
      return .unavailable(
        "\(address.place): the brokers have ended the transaction (\(cause)). Nothing of it is in "
          + "the topic, the rows stay in the state; it is tried again.")
    }
    return SinkError(cause, place: address.place)
  }

  func close() {
    producer = nil
  }
}
