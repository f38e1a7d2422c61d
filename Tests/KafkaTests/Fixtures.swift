import EventSources
import KafkaClient
import Platform
import SessionModel

/// No test waits longer than this for something that has to come, µs.
let patience: Int64 = 20_000_000

/// A record as a test sees it.
struct SeenRecord: Equatable {
  var partition: Int32
  var offset: Int64
  var text: String?
}

/// What a source has delivered.
struct Harvest {
  var records: [SeenRecord] = []
  var positions: [Int32: Int64] = [:]
  var stops: [Int32: Int] = [:]

  func texts(of partition: Int32) -> [String?] {
    records.filter { $0.partition == partition }.map(\.text)
  }

  func offsets(of partition: Int32) -> [Int64] {
    records.filter { $0.partition == partition }.map(\.offset)
  }
}

struct Timeout: Error {
  var harvest: Harvest
  var notices: [String]
}

extension EventSource {
  /// Opens, and waits for it.
  func open(resume: [PartitionProgress]) throws -> [PartitionStart] {
    let deadline = Clock.monotonic + patience
    while Clock.monotonic < deadline {
      if let starts = try open(resume: resume, maxWait: 50_000) { return starts }
    }
    throw Timeout(harvest: Harvest(), notices: takeNotices())
  }

  /// Reads until the condition holds.
  ///
  /// - Throws: `Timeout` if it does not come to hold.
  func read(_ harvest: inout Harvest, until isDone: (Harvest) throws -> Bool) throws {
    let deadline = Clock.monotonic + patience
    while try !isDone(harvest) {
      if Clock.monotonic > deadline { throw Timeout(harvest: harvest, notices: takeNotices()) }
      guard let batch = try nextBatch(maxWait: 50_000) else { continue }
      for record in batch.records {
        let text = record.value.map { String(decoding: $0, as: UTF8.self) }
        harvest.records.append(
          SeenRecord(partition: batch.partition, offset: record.offset, text: text))
      }
      harvest.positions[batch.partition] = batch.position
      if batch.reachedStop { harvest.stops[batch.partition, default: 0] += 1 }
    }
  }

  func read(count: Int) throws -> Harvest {
    var harvest = Harvest()
    try read(&harvest) { $0.records.count >= count }
    return harvest
  }

  /// Reads a bounded run to its end in each of its partitions.
  func readToStop(partitions: Int) throws -> Harvest {
    var harvest = Harvest()
    try read(&harvest) { $0.stops.count == partitions }
    return harvest
  }

  func progress(partitions: Int32) -> [PartitionProgress] {
    (0..<partitions).map { partition in
      let (next, proof) = progress(of: partition)
      return PartitionProgress(partition: partition, nextOffset: next, proof: proof)
    }
  }
}

func options(
  _ brokers: String, _ topic: String, _ change: (inout KafkaSourceOptions) -> Void = { _ in }
) -> KafkaSourceOptions {
  var options = KafkaSourceOptions(
    configuration: KafkaConfiguration(brokers: brokers), topic: topic, group: "job")
  options.shrinkPatience = 200_000
  options.refreshInterval = 200_000
  options.newTopicPatience = 1_000_000
  options.topicPatience = 1_000_000
  options.tlsPatience = 1_000_000
  options.damagePatience = 1_000_000
  change(&options)
  return options
}

func bounded(_ brokers: String, _ topic: String) throws -> KafkaSource {
  try KafkaSource(options(brokers, topic) { $0.stopAtEnd = true })
}

/// Writes numbered records to partitions in turn: record `i` to partition `i % partitions`.
func fill(
  _ brokers: String, _ topic: String, _ numbers: Range<Int>, partitions: Int32 = 1,
  prefix: String = "r", timestamp: (Int) -> Int64 = { _ in 0 }
) throws {
  let producer = try Producer(KafkaConfiguration(brokers: brokers))
  for number in numbers {
    try producer.produce(
      topic: topic, partition: Int32(number) % partitions, text: "\(prefix)\(number)",
      timestamp: timestamp(number))
  }
  try producer.flush(timeout: patience)
}

func caught(_ body: () throws -> Void) -> SourceError? {
  do { try body() } catch { return error as? SourceError }
  return nil
}
