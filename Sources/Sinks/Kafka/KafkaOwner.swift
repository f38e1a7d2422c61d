import KafkaClient
import SessionModel

/// Who owns a topic that is written to in transactions: the owner's UUID stands beside an offset
/// that the group named like the transactional id commits.
///
/// Kafka fences older producers, but to a producer whose transaction timed out it says the same. And
/// one that comes back after an error would fence a newer process, did it not ask here before.
struct KafkaOwner {
  /// The offset has no meaning.
  private static let offset: Int64 = 0
  private static let partition: Int32 = 0

  let address: KafkaAddress

  /// - Returns: nil where the group has committed nothing, or nothing for so long that the brokers
  ///   have forgotten it.
  func read() throws(KafkaError) -> String? {
    try Consumer(address.configuration, group: address.writer).committedMetadata(
      topic: address.topic, partition: KafkaOwner.partition, timeout: KafkaTopic.answerTimeout)
  }

  /// Puts the owner there, in a transaction of its own.
  func put(_ owner: OwnerID, _ producer: Producer) throws(KafkaError) {
    try producer.beginTransaction()
    try producer.sendOffset(
      KafkaOwner.offset, topic: address.topic, partition: KafkaOwner.partition,
      metadata: owner.text, group: address.writer, timeout: KafkaTopic.answerTimeout)
    try producer.commitTransaction(timeout: KafkaTopic.answerTimeout)
  }

  /// Is it still us?
  ///
  /// - Throws: `.takenOver`, naming both; `.unavailable` where that cannot be seen.
  func check(_ owner: OwnerID) throws(SinkError) {
    let found: String?
    do throws(KafkaError) { found = try read() } catch {
      throw SinkError(error, place: address.place)
    }
    guard let found else { return }
    try SinkRules.checkOwner(
      owner, of: SinkEntry(job: "", fingerprint: "", owner: found, position: nil),
      on: address.place)
  }
}
