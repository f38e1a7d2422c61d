import EventSources
import Platform
import SessionModel
import TestSupport

/// A log in memory, and what happens while it is read.
///
/// It keeps to the source's contract: a held partition gives no record, offsets stand behind the
/// last batch returned.
final class MemorySource: EventSource {
  /// When reading fails, as a kill would end it; counted in calls of `nextBatch`.
  var failsAtCall: Int?
  /// Called at each call of `nextBatch`, with its number.
  var onCall: (Int) -> Void = { _ in }
  /// Records of one batch at most.
  var batchRecords = 5

  private let logs: [[[UInt8]]]
  private let stops: Bool
  private var random: RandomNumbers
  private var offsets: [Int]
  private var hasStopped: [Bool]
  private var held: Set<Int32> = []
  private var calls = 0
  private var wanted: [Int32] = []
  private let wakeUp: WakeUp
  private var records: [SourceRecord] = []
  private let memory: UnsafeMutableBufferPointer<SourceRecord>
  private let texts: [[UnsafeRawBufferPointer]]

  /// - Parameters:
  ///   - logs: the values of each partition's records.
  ///   - stops: whether the logs' ends are stop offsets.
  init(_ logs: [[[UInt8]]], stops: Bool = true, seed: UInt64 = 1) throws {
    self.logs = logs
    self.stops = stops
    random = RandomNumbers(seed: seed)
    offsets = logs.map { _ in 0 }
    hasStopped = logs.map { _ in false }
    wakeUp = try WakeUp()
    memory = .allocate(capacity: 1_000)
    texts = logs.map { log in
      log.map { value in
        // Room behind the value, as librdkafka's messages have: parsers look a little further.
        let copy = UnsafeMutableRawBufferPointer.allocate(
          byteCount: value.count + 64, alignment: 1)
        copy.initializeMemory(as: UInt8.self, repeating: 0)
        copy.copyBytes(from: value)
        return UnsafeRawBufferPointer(rebasing: copy[..<value.count])
      }
    }
  }

  deinit {
    memory.deallocate()
    for text in texts.joined() { text.deallocate() }
  }

  func open(
    resume: [PartitionProgress], maxWait: Microseconds
  ) throws(SourceError) -> [PartitionStart]? {
    for progress in resume { offsets[Int(progress.partition)] = Int(progress.nextOffset) }
    return logs.indices.map {
      PartitionStart(
        partition: Int32($0), nextOffset: Int64(offsets[$0]),
        stopOffset: stops ? Int64(logs[$0].count) : nil)
    }
  }

  func nextBatch(maxWait: Microseconds) throws(SourceError) -> RecordBatch? {
    calls += 1
    onCall(calls)
    if calls == failsAtCall { throw .inputOutput("killed") }
    let ready = logs.indices.filter {
      !held.contains(Int32($0)) && (offsets[$0] < logs[$0].count || stops && !hasStopped[$0])
    }
    guard !ready.isEmpty else {
      wakeUp.wait(timeout: maxWait)
      return nil
    }
    let index = random.pick(ready)
    let end = min(logs[index].count, offsets[index] + 1 + random.below(batchRecords))
    var count = 0
    for offset in offsets[index]..<max(end, offsets[index]) {
      (memory.baseAddress! + count).initialize(
        to: SourceRecord(
          offset: Int64(offset), timestamp: .never, value: texts[index][offset],
          valueLength: texts[index][offset].count))
      count += 1
    }
    offsets[index] = end
    hasStopped[index] = stops && end == logs[index].count
    return RecordBatch(
      partition: Int32(index),
      records: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(memory)[..<count]),
      position: Int64(end), reachedStop: hasStopped[index])
  }

  func setHeld(_ isHeld: Bool, partition: Int32) {
    if isHeld { held.insert(partition) } else { held.remove(partition) }
  }

  func progress(of partition: Int32) -> (nextOffset: Int64, proof: [UInt8]) {
    (Int64(offsets[Int(partition)]), [])
  }

  func hasQueued(_ partition: Int32) -> Bool { !isAtEnd(partition) }

  func isAtEnd(_ partition: Int32) -> Bool {
    offsets[Int(partition)] == logs[Int(partition)].count
  }

  func requestEnds(of partitions: [Int32]) { wanted += partitions }

  func takeEnds() -> [PartitionEnd] {
    defer { wanted = [] }
    let now = Clock.monotonic
    return wanted.map {
      PartitionEnd(partition: $0, sentAt: now, end: Int64(logs[Int($0)].count))
    }
  }

  func takeAddedPartitions() -> [PartitionStart] { [] }
  func mirror(_ offsets: [(partition: Int32, nextOffset: Int64)]) {}
  func takeNotices() -> [String] { [] }
  func wake() { wakeUp.signal() }
  func close() {}
}
