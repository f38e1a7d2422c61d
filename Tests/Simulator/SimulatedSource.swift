import EventSources
import Pipeline
import SessionModel
import TestSupport

/// A log that grows while it is read, over a network that is slow at times.
///
/// It keeps to the source's contract: a held partition gives no record, offsets stand behind the
/// last batch returned, and at the start the proof tells that the log is the one that was read.
final class SimulatedSource: EventSource, @unchecked Sendable {
  // Unchecked: one thread.
  private let process: SimulatedProcess
  private let log: SimulatedLog
  private let plan: Plan
  private let stop: StopRequest
  private let history: HistoryBox
  private var partitions: [Reading] = []
  private var isWoken = false
  private var calls = 0
  private var questions: [(partition: Int32, sentAt: Int64, answerAt: Int64, fails: Bool)] = []
  private let memory: RecordMemory
  /// Called at each call of `nextBatch`, with its number.
  var onCall: (Int) -> Void = { _ in }
  /// Whether every partition's log grows at the next call: right behind a flush, say.
  var growsNow = false

  /// How reading goes.
  struct Plan {
    /// Reading ends at what the log holds at the start.
    var isBounded = false
    /// The call at which a request to stop comes; 0 for none.
    var stopAtCall = 0
    /// Records in the log at the start, of each partition; more come one by one.
    var visible: [Int] = []
    /// Partitions that are there at the start.
    var partitions = 0
    /// Once in so many calls a partition's log grows; 0 for never.
    var growthRate = 0
    var batchRecords = 5
    /// The partition of each record, in the order in which they are read; empty: any order.
    var order: [Int] = []
    /// Once in so many calls a partition's records are slow to come; 0 for never.
    var delayRate = 0
    /// Once in so many questions for an end there is no answer; 0 for never.
    var failRate = 0
  }

  private struct Reading {
    /// Records returned.
    var count = 0
    var position: Int64
    var stopAt: Int?
    var hasStopped = false
    var isHeld = false
    var delayedUntil: Int64 = 0
  }

  init(
    _ process: SimulatedProcess, log: SimulatedLog, plan: Plan, stop: StopRequest,
    history: HistoryBox
  ) {
    self.process = process
    self.log = log
    self.plan = plan
    self.stop = stop
    self.history = history
    memory = RecordMemory(log)
  }

  /// What the log holds now, of each partition.
  private(set) lazy var visible = plan.visible

  // MARK: - EventSource

  func open(
    resume: [PartitionProgress], maxWait: Microseconds
  ) throws(SourceError) -> [PartitionStart]? {
    if process.isDead { throw .inputOutput("dead") }
    if process.world.oneIn(plan.delayRate, .brokersAway) {
      _ = process.world.moveOn(until: process.monotonic + maxWait)
      return nil
    }
    let count = max(plan.partitions, resume.count)
    partitions = (0..<count).map { Reading(position: log.position($0, behind: 0)) }
    for progress in resume {
      let partition = Int(progress.partition)
      if progress.proof != proof(progress.nextOffset) { process.report("a proof is another's") }
      partitions[partition].position = progress.nextOffset
      partitions[partition].count =
        log.partitions[partition].prefix {
          $0.offset < progress.nextOffset
        }.count
      visible[partition] = max(visible[partition], partitions[partition].count)
    }
    history.value.add(.started(partitions: count))
    process.pass(.sourceOpened)
    return partitions.indices.map { start($0) }
  }

  private func start(_ partition: Int) -> PartitionStart {
    if plan.isBounded { partitions[partition].stopAt = visible[partition] }
    return PartitionStart(
      partition: Int32(partition), nextOffset: partitions[partition].position,
      stopOffset: plan.isBounded ? end(of: partition) : nil)
  }

  /// Behind what the log holds now; its very end lies behind control records.
  private func end(of partition: Int) -> Int64 {
    visible[partition] == log.partitions[partition].count
      ? log.ends[partition] : log.position(partition, behind: visible[partition])
  }

  func nextBatch(maxWait: Microseconds) throws(SourceError) -> RecordBatch? {
    calls += 1
    let isFinishing = stop.isRequested || isAtStops
    if !isFinishing { process.lastReadAt = process.monotonic }
    process.pass(isFinishing ? .finishing : .beforeBatch)
    process.world.letOthersRun()
    if !process.isDead { onCall(calls) }
    if calls == plan.stopAtCall, !stop.isRequested {
      process.world.coverage.count(.stoppedByRequest)
      stop.request()
    }
    if process.isDead { throw .inputOutput("dead") }
    grow()
    let deadline = process.monotonic + maxWait
    while true {
      let ready = partitions.indices.filter { isReady($0) }
      if let partition = next(of: ready) { return batch(partition) }
      if isWoken || !process.world.moveOn(until: deadline) {
        isWoken = false
        return nil
      }
      if process.isDead { throw .inputOutput("dead") }
    }
  }

  private func next(of ready: [Int]) -> Int? {
    let read = partitions.reduce(0) { $0 + $1.count }
    if read < plan.order.count, ready.contains(plan.order[read]) { return plan.order[read] }
    return ready.isEmpty ? nil : process.world.random.pick(ready)
  }

  private var isAtStops: Bool { plan.isBounded && partitions.allSatisfy(\.hasStopped) }

  /// More records come into the log, and a partition is slow for a while.
  private func grow() {
    if plan.isBounded { return }
    let rate = growsNow ? 1 : plan.growthRate
    growsNow = false
    for partition in visible.indices where rate > 0 && process.world.random.oneIn(rate) {
      visible[partition] = min(visible[partition] + 1, log.partitions[partition].count)
    }
    if process.world.oneIn(plan.delayRate, .partitionDelayed) {
      let partition = process.world.random.below(partitions.count)
      partitions[partition].delayedUntil =
        process.monotonic + process.world.random.pick([20_000, 300_000, 2 * .perSecond])
    }
  }

  private func isReady(_ partition: Int) -> Bool {
    let reading = partitions[partition]
    if reading.isHeld || process.monotonic < reading.delayedUntil { return false }
    return reading.count < limit(partition) || reading.position < end(of: partition)
      || (plan.isBounded && !reading.hasStopped)
  }

  private func limit(_ partition: Int) -> Int { partitions[partition].stopAt ?? visible[partition] }

  private func batch(_ partition: Int) -> RecordBatch {
    let begin = partitions[partition].count
    let left = limit(partition) - begin
    let count = min(left, 1 + process.world.random.below(plan.batchRecords))
    if count < left { process.world.coverage.count(.partialBatch) }
    if count > 0 {
      if history.value.owesFlush { process.report("a record is read before a flush is durable") }
      for record in begin..<(begin + count) {
        history.value.add(.read(partition: partition, record: record))
      }
      partitions[partition].count += count
      partitions[partition].position = log.position(partition, behind: begin + count)
    }
    if count == left { partitions[partition].position = end(of: partition) }
    partitions[partition].hasStopped = plan.isBounded && count == left
    process.world.note(partition * 1_000 + count)
    return RecordBatch(
      partition: Int32(partition), records: memory.records(partition, begin..<(begin + count)),
      position: partitions[partition].position, reachedStop: partitions[partition].hasStopped)
  }

  func setHeld(_ isHeld: Bool, partition: Int32) {
    if isHeld, !stop.isRequested, !isAtStops { process.world.coverage.count(.partitionHeld) }
    partitions[Int(partition)].isHeld = isHeld
  }

  func progress(of partition: Int32) -> (nextOffset: Int64, proof: [UInt8]) {
    let position = partitions[Int(partition)].position
    return (position, proof(position))
  }

  private func proof(_ position: Int64) -> [UInt8] { Array("read up to \(position)".utf8) }

  func hasQueued(_ partition: Int32) -> Bool {
    partitions[Int(partition)].count < visible[Int(partition)]
  }

  func isAtEnd(_ partition: Int32) -> Bool { !hasQueued(partition) }

  func requestEnds(of partitions: [Int32]) {
    for partition in partitions {
      questions.append(
        (
          partition, process.monotonic,
          process.monotonic + Int64(process.world.random.below(50_000)),
          process.world.oneIn(plan.failRate, .endUnknown)
        ))
    }
  }

  func takeEnds() -> [PartitionEnd] {
    let due = questions.filter { $0.answerAt <= process.monotonic }
    questions.removeAll { $0.answerAt <= process.monotonic }
    return due.map { question in
      PartitionEnd(
        partition: question.partition, sentAt: question.sentAt,
        end: question.fails ? nil : end(of: Int(question.partition)))
    }
  }

  func takeAddedPartitions() -> [PartitionStart] {
    let world = process.world
    let added = partitions.count
    guard !plan.isBounded, added < log.partitions.count, world.oneIn(20, .partitionAdded)
    else { return [] }
    partitions.append(Reading(position: log.position(added, behind: 0)))
    history.value.add(.added(partitions: added + 1))
    return [start(added)]
  }

  /// Called once for each checkpoint, right before it is gathered.
  func takeLostOffsets() -> UInt64 {
    process.pass(stop.isRequested || isAtStops ? .finishing : .beforeGathering)
    history.value.gather(positions: partitions.map(\.position))
    return 0
  }

  func mirror(_ offsets: [(partition: Int32, nextOffset: Int64)]) {
    let shown = offsets.sorted { $0.partition < $1.partition }.map(\.nextOffset)
    if !process.isDead, shown != history.value.mark?.positions {
      process.report("offsets are shown that are not those of the last checkpoint")
    }
    process.pass(.mirroring)
  }

  func takeNotices() -> [String] { [] }
  func wake() { isWoken = true }
  func close() {}
}

/// A history that source, store and observer of one process write.
final class HistoryBox: @unchecked Sendable {
  // Unchecked: one thread.
  var value: History

  init(_ value: History) { self.value = value }
}

/// The log's values where a source's records point to.
private final class RecordMemory {
  private let records: UnsafeMutableBufferPointer<SourceRecord>
  private let bytes: UnsafeMutableRawBufferPointer
  private var begins: [Int] = []

  init(_ log: SimulatedLog) {
    let all = log.partitions.joined()
    records = .allocate(capacity: all.count)
    // Room behind each value, as librdkafka's messages have: parsers look a little further.
    let room = 64
    bytes = .allocate(
      byteCount: all.reduce(0) { $0 + ($1.value?.count ?? 0) + room }, alignment: 1)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    var place = 0
    var index = 0
    for partition in log.partitions {
      begins.append(index)
      for record in partition {
        let value = record.value.map { value in
          let target = UnsafeMutableRawBufferPointer(
            rebasing: bytes[place..<(place + value.count)])
          target.copyBytes(from: value)
          place += value.count + room
          return UnsafeRawBufferPointer(target)
        }
        records.initializeElement(
          at: index,
          to: SourceRecord(
            offset: record.offset, timestamp: record.timestamp, value: value,
            valueLength: record.value?.count ?? 0))
        index += 1
      }
    }
  }

  deinit {
    records.deallocate()
    bytes.deallocate()
  }

  func records(_ partition: Int, _ range: Range<Int>) -> UnsafeBufferPointer<SourceRecord> {
    let begin = begins[partition]
    return UnsafeBufferPointer(
      rebasing: UnsafeBufferPointer(records)[
        (begin + range.lowerBound)..<(begin + range.upperBound)])
  }
}
