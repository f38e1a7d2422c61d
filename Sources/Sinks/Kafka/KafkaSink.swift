import KafkaClient
package import SessionModel

/// Sessions as records of a Kafka topic: the key is the `session_id`, the value the row as JSON.
///
/// Invariants:
/// - a write has succeeded when every row is acknowledged by all replicas in sync, and, in
///   transactions, committed;
/// - in transactions the topic says how far the rows go; without, only the state knows;
/// - after a failure nothing is written until `open` has made another producer.
package final class KafkaSink: Sink {
  private let address: KafkaAddress
  private let writer: KafkaWriter
  /// Since `open`; nil when closed.
  private var claimed: (owner: OwnerID, headers: RecordHeaders)?
  /// The position that the topic holds while it is ours.
  private var held: RowPosition?
  private var key: [UInt8] = []
  private var value: [UInt8] = []
  private let json: SessionRowJSON
  /// Whether the state has given the topic no row before.
  private var isNew = false

  /// - Parameters:
  ///   - schema: the columns that a row has.
  ///   - commitTimeout: µs; for tests.
  package init(
    _ address: KafkaAddress, schema: SessionSchema = .standard, commitTimeout: Int64? = nil
  ) {
    self.address = address
    json = SessionRowJSON(schema)
    writer = KafkaWriter(address, commitTimeout: commitTimeout ?? KafkaWriter.commitTimeout)
  }

  package var isMissing: Bool {
    do throws(SinkError) {
      return try KafkaTopic(address).partitionCount() == nil
    } catch {
      return false
    }
  }

  package func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    close()
    let topic = try KafkaTopic(address)
    let partitions = try topic.prepare(claimant.claim, isCompacted: true)
    let before = try KafkaTail(
      topic, try topic.spans(partitions: partitions, isSettled: false), .position
    ) { !$0.isEmpty }
    try before.check(claimant, place: address.place)
    isNew = acknowledged == nil
    try writer.open(claimant)
    held = address.isTransactional ? try position(topic, partitions, acknowledged) : acknowledged
    claimed = (
      claimant.owner,
      KafkaMark.headers(claimant.identity, .position, KafkaMark.Delivery(address))
    )
    return held
  }

  /// What the topic holds now that nobody else can write to it as we do.
  private func position(
    _ topic: KafkaTopic, _ partitions: Int, _ acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    try KafkaTail(
      topic, try topic.spans(partitions: partitions, isSettled: true), .position
    ) { records in records.contains { $0.mark != nil } }
    .position(acknowledged: acknowledged, place: address.place)
  }

  /// Said once in a state's life.
  package var remark: String? {
    guard isNew, let topic = try? KafkaTopic(address), topic.isCompacted == false else {
      return nil
    }
    return "\(address.place) is not compacted: it keeps every copy of a row, and only for as long "
      + "as its retention says"
  }

  package func write(after: RowPosition?, rows: RowBatch) throws(SinkError) {
    guard let first = rows.firstPosition, let last = rows.lastPosition else {
      preconditionFailure("a sink is given rows")
    }
    precondition(after.map { $0 < first } ?? true, "rows come in the order of their positions")
    guard let (owner, headers) = claimed else {
      throw .unavailable("\(address.place) is not open; it is opened again.")
    }
    do throws(SinkError) {
      try SinkRules.checkWrite(
        by: owner, after: after, on: address.place,
        entry: SinkEntry(job: "", fingerprint: "", owner: owner.text, position: held))
      try writer.write { (producer) throws(KafkaError) in
        try rows.forEachRow { (row) throws(KafkaError) in try produce(row, headers, producer) }
      }
    } catch {
      close()
      throw error
    }
    held = last
  }

  private func produce(
    _ row: SessionRow, _ headers: RecordHeaders, _ producer: Producer
  ) throws(KafkaError) {
    key.removeAll(keepingCapacity: true)
    value.removeAll(keepingCapacity: true)
    headers.own.removeAll(keepingCapacity: true)
    row.sessionID.appendHex(to: &key)
    json.append(row, to: &value)
    DecimalText.append(row.sessionEnd, to: &headers.own)
    headers.own.append(UInt8(ascii: "-"))
    headers.own.append(contentsOf: key)
    try producer.produce(topic: address.topic, key: key, value: value, headers: headers)
  }

  package func close() {
    writer.close()
    claimed = nil
  }
}
