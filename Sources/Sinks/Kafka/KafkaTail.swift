import KafkaClient
import SessionModel

/// The newest committed records of each partition of a topic.
///
/// What is behind them may be anything: control records, gaps of compaction, values that users
/// deleted. So the log is read from further and further back until there are enough.
struct KafkaTail {
  struct Record {
    /// ms since 1970.
    var timestamp: Int64
    var key: [UInt8]
    /// Nil for a record that is not of this program and kind.
    var mark: KafkaMark?
  }

  private static let firstWindow: Int64 = 64
  private static let growth: Int64 = 16

  /// By partition, in the log's order; none where the partition holds none.
  let records: [Int32: [Record]]
  /// Partitions of which the beginning is deleted.
  private let shortened: Set<Int32>

  /// - Parameters:
  ///   - spans: the whole log.
  ///   - isEnough: whether a partition's records suffice; asked with growing numbers of them.
  init(
    _ topic: KafkaTopic, _ spans: [LogSpan], _ own: KafkaMark.Own,
    isEnough: ([Record]) -> Bool
  ) throws(SinkError) {
    var records: [Int32: [Record]] = [:]
    var window = KafkaTail.firstWindow
    var left = spans
    while !left.isEmpty {
      let windows = left.map { span in
        LogSpan(partition: span.partition, from: max(span.from, span.to - window), to: span.to)
      }
      let found = try KafkaTail.read(topic, windows, own)
      for span in left { records[span.partition] = found[span.partition] }
      left.removeAll { span in
        span.to - span.from <= window || isEnough(found[span.partition] ?? [])
      }
      window *= KafkaTail.growth
    }
    self.records = records
    shortened = Set(spans.filter { $0.from > 0 }.map(\.partition))
  }

  private static func read(
    _ topic: KafkaTopic, _ spans: [LogSpan], _ own: KafkaMark.Own
  ) throws(SinkError) -> [Int32: [Record]] {
    var records: [Int32: [Record]] = [:]
    do throws(KafkaError) {
      let scan = try TopicScan(
        topic.address.configuration, topic: topic.address.topic, spans,
        group: topic.address.writer, timeout: KafkaTopic.answerTimeout)
      while let partition = try scan.next() {
        for (index, entry) in scan.batch.entries.enumerated()
        where entry.errorCode == 0 && entry.value != nil {
          records[partition, default: []].append(
            Record(
              timestamp: entry.timestamp, key: scan.batch.key(at: index).map { Array($0) } ?? [],
              mark: KafkaMark(scan.batch, at: index, own)))
        }
      }
    } catch {
      throw topic.failure(error)
    }
    return records
  }

  // MARK: - Whose the topic is

  /// May the claimant have the topic? The newest record says whose it is.
  ///
  /// - Throws: `.foreign`.
  func check(_ claimant: SinkClaimant, place: String) throws(SinkError) {
    let last = records.values.compactMap { $0.last }
    let newest = last.max { one, other in
      // Of one age, ours counts: others may have written before.
      one.timestamp != other.timestamp
        ? one.timestamp < other.timestamp
        : !isOurs(one, claimant.identity) && isOurs(other, claimant.identity)
    }
    let entry = newest?.mark.map { mark in
      SinkEntry(job: mark.writer, fingerprint: mark.writerFingerprint, owner: "", position: nil)
    }
    var claimant = claimant
    // The owner is not known from here.
    claimant.claim = .first
    try SinkRules.checkClaim(claimant, on: place, entry: entry) { newest != nil }
  }

  private func isOurs(_ record: Record, _ identity: JobIdentity) -> Bool {
    record.mark?.writer == identity.job
      && record.mark?.writerFingerprint == identity.fingerprint.text
  }

  // MARK: - How far the rows go

  /// The last row that the topic is known to hold with every row before it.
  ///
  /// Rows of one transaction are there together, and each partition's last one is its greatest. Rows
  /// written without transactions say nothing of those before them, and deleted ones nothing at all:
  /// then what the state knows counts, too.
  ///
  /// - Throws: `.unsuitable` for a position that this program did not write.
  func position(acknowledged: RowPosition?, place: String) throws(SinkError) -> RowPosition? {
    var position: RowPosition?
    var isCertain = true
    for (partition, marks) in lastMarks {
      guard let mark = marks else {
        if shortened.contains(partition) { isCertain = false }
        continue
      }
      guard let found = RowPosition(mark.own) else {
        throw .unsuitable(
          "\(place): in partition \(partition) the header \(KafkaMark.Own.position.rawValue) is "
            + "\"\(mark.own)\", which this program did not write. Nothing was changed. Name another "
            + "topic.")
      }
      if mark.isTransactional { position = [position, found].compactMap { $0 }.max() }
      isCertain = isCertain && mark.isTransactional
    }
    return isCertain ? position : [position, acknowledged].compactMap { $0 }.max()
  }

  private var lastMarks: [Int32: KafkaMark?] {
    var marks: [Int32: KafkaMark?] = [:]
    for partition in shortened { marks[partition] = .some(nil) }
    for (partition, records) in records {
      marks[partition] = .some(records.last { $0.mark != nil }?.mark)
    }
    return marks
  }
}
