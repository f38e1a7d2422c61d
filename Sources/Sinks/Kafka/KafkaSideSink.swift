import KafkaClient
import Platform
package import SessionModel

/// The entries of a side output as records of a Kafka topic, with key and value as `SideFormat`
/// makes them.
///
/// Each record's header says with which batch it came, so that `open` finds again what arrived of the
/// last one.
package final class KafkaSideSink: SideSink {
  private let format: SideFormat
  private let address: KafkaAddress
  private let writer: KafkaWriter
  private var headers: RecordHeaders?
  private var newest: Int64 = 0
  /// The keys of the batch that was the newest at `open`, until something is written.
  private var doubtful: Set<[UInt8]> = []

  package init(_ format: SideFormat, address: KafkaAddress) {
    self.format = format
    self.address = address
    writer = KafkaWriter(address)
  }

  private var own: KafkaMark.Own { KafkaMark.Own(format.output) }

  package func open(
    identity: JobIdentity, owner: OwnerID, claim: SinkClaim, adopt: Bool
  ) throws(SinkError) {
    close()
    let claimant = SinkClaimant(identity: identity, owner: owner, claim: claim, adopt: adopt)
    let place = try KafkaTopic(address)
    let partitions = try place.prepare(claim, isCompacted: false)
    let before = try KafkaTail(
      place, try place.spans(partitions: partitions, isSettled: false), own
    ) { !$0.isEmpty }
    try before.check(claimant, place: address.place)
    try writer.open(claimant)
    try findDoubtful(place, partitions)
    headers = KafkaMark.headers(identity, own, KafkaMark.Delivery(address))
  }

  /// Finds the records of the newest batch, now that nobody else can write to the topic as we do.
  private func findDoubtful(_ place: KafkaTopic, _ partitions: Int) throws(SinkError) {
    let spans = try place.spans(
      partitions: partitions, isSettled: address.isTransactional)
    let last = try KafkaTail(place, spans, own) { !$0.isEmpty }
    newest = last.records.values.compactMap { $0.last.flatMap(number) }.max() ?? 0
    let tail = try KafkaTail(place, spans, own) { records in
      records.contains { number($0) != newest }
    }
    for record in tail.records.values.joined() where number(record) == newest {
      doubtful.insert(record.key)
    }
  }

  private func number(_ record: KafkaTail.Record) -> Int64? {
    record.mark.flatMap { Int64($0.own) }
  }

  package func write(_ entries: [SideEntry]) throws(SinkError) {
    guard let headers else {
      throw .unavailable("\(address.place) is not open; it is opened again.")
    }
    doubtful = []
    newest = max(Clock.wall, newest + 1)
    headers.own = Array(String(newest).utf8)
    do throws(SinkError) {
      try writer.write { (producer) throws(KafkaError) in
        for entry in entries {
          try producer.produce(
            topic: address.topic, key: format.key(of: entry), value: format.line(of: entry),
            headers: headers)
        }
      }
    } catch {
      close()
      throw error
    }
  }

  package func holds(_ entry: SideEntry) -> Bool {
    !doubtful.isEmpty && doubtful.contains(format.key(of: entry))
  }

  package func close() {
    writer.close()
    headers = nil
    doubtful = []
  }
}
