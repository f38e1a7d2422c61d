import KafkaClient
import Platform
package import SessionModel
import Synchronization

/// A Kafka topic as a source of records: all partitions, each read from the offset that the state
/// names, from a local queue of its own, so that each can be held back alone.
///
/// Invariants:
/// - only the calling thread assigns partitions and takes messages (librdkafka before 2.1 loses
///   messages otherwise); what blocks while it is asked runs on the watcher's thread;
/// - messages of a batch stay librdkafka's until the next call of `nextBatch`;
/// - no error that can pass by itself leaves here once `open` has returned.
package final class KafkaSource: EventSource {
  /// Records of one batch at most.
  static let batchRecords = 2_000
  /// A wait is cut into pieces of this, µs: librdkafka may empty a queue by itself, and then does
  /// not signal its next message.
  private static let waitPiece: Int64 = 100_000

  /// Where more than this waits in a queue, librdkafka's broker threads may have gone to sleep over
  /// full queues; they do not notice that these are emptied, and are nudged.
  private static let pile = 500

  /// How long `close` waits for a question of the opening, µs.
  private static let openingCloseWait: Int64 = 300_000

  let options: KafkaSourceOptions
  let wakeUp: WakeUp
  private let isWoken: Woken
  private var opening: OpeningThread?
  var inquirer: Inquirer?
  var consumer: Consumer?
  var watcher: LogWatcher?
  var watcherThread: WorkerThread?
  private var mirrorOfOffsets: OffsetMirror?
  var readers: [PartitionReader] = []
  private var added: [PartitionStart] = []
  private var answeringCluster: String?
  var lostOffsets: UInt64 = 0
  /// Partitions whose bounds are asked for again, and when (monotonic µs).
  var questions: [(partition: Int32, at: Int64)] = []
  var log = ConnectionLog()
  private let batch = MessageBatch(capacity: batchRecords)
  private let stray = MessageBatch(capacity: 1)
  private let records = UnsafeMutablePointer<SourceRecord>.allocate(capacity: batchRecords)
  private var cursor = 0
  /// More than `pile` has waited since the last nudge.
  private var mayStall = false

  private final class Woken: Sendable {
    let flag = Atomic<Bool>(false)
  }

  /// - Throws: `SourceError.unavailable` where the process has no file descriptor left.
  package init(_ options: KafkaSourceOptions) throws(SourceError) {
    do throws(SystemError) { wakeUp = try WakeUp() } catch {
      throw .unavailable("cannot prepare to read from Kafka: \(error)")
    }
    self.options = options
    isWoken = Woken()
  }

  deinit {
    close()
    records.deallocate()
  }

  // MARK: Opening

  package func open(
    resume: [PartitionProgress], maxWait: Microseconds
  ) throws(SourceError) -> [PartitionStart]? {
    precondition(consumer == nil, "a source is opened once")
    if opening == nil { opening = try beginOpening(resume) }
    guard let opening else { return nil }
    let deadline = Clock.monotonic + maxWait
    while true {
      let plan = try opening.takePlan()
      for notice in opening.takeNotices() { log.add(notice) }
      if let plan { return try begin(plan) }
      if isWoken.flag.exchange(false, ordering: .acquiring) { return nil }
      let left = deadline - Clock.monotonic
      if left <= 0 { return nil }
      wakeUp.wait(timeout: left)
    }
  }

  private func beginOpening(_ resume: [PartitionProgress]) throws(SourceError) -> OpeningThread {
    let wakeUp = wakeUp
    return try OpeningThread(options, resume: resume) { wakeUp.signal() }
  }

  private func begin(_ plan: KafkaOpening.Plan) throws(SourceError) -> [PartitionStart] {
    opening = nil
    inquirer = plan.inquirer
    answeringCluster = plan.inquirer.clusterID
    let consumer: Consumer
    do throws(KafkaError) {
      consumer = try Consumer(
        options.readerConfiguration(partitions: plan.leaders.count), group: options.group)
    } catch {
      throw .configuration("\(error)")
    }
    self.consumer = consumer
    consumer.signalEvents(wakeUp)
    mirrorOfOffsets = OffsetMirror(consumer, topic: options.topic)
    for partition in plan.partitions { try addReader(partition) }
    try startWatcher(plan.inquirer, consumer, leaders: plan.leaders)
    return plan.partitions.map { $0.start }
  }

  private func addReader(_ plan: PartitionPlan) throws(SourceError) {
    guard let consumer,
      let queue = PartitionQueue(
        consumer, topic: options.topic, partition: plan.start.partition, wakeUp: wakeUp)
    else {
      throw .unavailable("librdkafka gave no queue for partition \(plan.start.partition)")
    }
    let reader = PartitionReader(
      plan.start, proof: plan.proof, expectation: plan.expectation,
      mustBeThere: plan.mustBeThere, queue: queue)
    readers.append(reader)
    // A partition that is at its stop already needs no fetching.
    if !reader.hasReachedStop { try assign(reader) }
  }

  func assign(_ reader: PartitionReader) throws(SourceError) {
    do throws(KafkaError) {
      try consumer?.assign(topic: options.topic, [(reader.partition, reader.fetchOffset)])
    } catch {
      throw .unavailable("partition \(reader.partition) could not be assigned: \(error)")
    }
  }

  private func startWatcher(
    _ inquirer: Inquirer, _ consumer: Consumer, leaders: [Int32]
  ) throws(SourceError) {
    let (wakeUp, isWoken) = (wakeUp, isWoken)
    let watcher = LogWatcher(inquirer, consumer, options: options) {
      isWoken.flag.store(true, ordering: .releasing)
      wakeUp.signal()
    }
    do throws(SystemError) {
      watcherThread = try WorkerThread("kafka-watcher") { watcher.run(leaders: leaders) }
    } catch {
      throw .unavailable("cannot start a thread: \(error)")
    }
    self.watcher = watcher
  }

  // MARK: Reading

  package func nextBatch(maxWait: Microseconds) throws(SourceError) -> RecordBatch? {
    batch.giveBack()
    let deadline = Clock.monotonic + maxWait
    while true {
      if let strayBatch = try serveEvents() { return strayBatch }
      try heedWatcher()
      if let rewound { return takeRewound(rewound) }
      if let next = try takeRecords() { return next }
      if isWoken.flag.exchange(false, ordering: .acquiring) { return nil }
      if mayStall {
        mayStall = false
        watcher?.nudge()
      }
      let left = deadline - Clock.monotonic
      if left <= 0 { return nil }
      wakeUp.wait(timeout: min(left, Self.waitPiece))
    }
  }

  package func wake() {
    isWoken.flag.store(true, ordering: .releasing)
    wakeUp.signal()
  }

  /// Errors of the connection, and a record that came past its queue.
  private func serveEvents() throws(SourceError) -> RecordBatch? {
    guard let consumer else { return nil }
    var result: RecordBatch?
    while result == nil, let event = consumer.serve(stray: stray) {
      if let error = event.error {
        try heed(error)
      } else if let partition = event.record,
        let reader = readers.first(where: { $0.partition == partition && $0.state == .reading })
      {
        // A held partition gives no record, not even a stray one: it is fetched again.
        if reader.isHeld {
          try restart(reader, at: reader.nextOffset, isSame: true)
        } else {
          result = try deliver(reader, stray)
        }
      }
    }
    for error in consumer.takeErrors() { try heed(error) }
    for line in consumer.takeLogLines() { log.add(line) }
    if let failure = mirrorOfOffsets?.poll(timeout: 0) { log.noteMirrorFailure(failure) }
    return result
  }

  private func heed(_ error: KafkaError) throws(SourceError) {
    switch error.kind {
    case .authentication:
      // Missing rights on the group concern the mirror of the offsets alone.
      if error.name.hasPrefix("GROUP_") {
        log.noteMirrorFailure(error)
      } else {
        throw .authentication(authenticationMessage(error))
      }
    case .unknownTopic: watcher?.refresh()
    case .transient, .tls:
      if error.isOutage {
        log.lose(error)
        watcher?.refresh()
      } else if error.isConnectionLoss {
        log.noteConnectionLoss(error)
      } else {
        log.add("librdkafka: \(error)")
      }
    case .configuration, .unreadable: log.add("librdkafka: \(error)")
    }
  }

  /// The next partition's records, in turn.
  private func takeRecords() throws(SourceError) -> RecordBatch? {
    for step in 0..<readers.count {
      let index = (cursor + step) % readers.count
      let reader = readers[index]
      guard reader.mayRead else { continue }
      if reader.problem == nil {
        if reader.hasReachedStop {
          cursor = index + 1
          return finish(reader, count: 0)
        }
        let waiting = reader.queue.count
        if waiting == 0 { continue }
        reader.queue.take(into: batch)
        if waiting > Self.pile {
          mayStall = true
          watcher?.nudge()
        }
        if let delivered = try deliver(reader, batch) {
          cursor = index + 1
          return delivered
        }
      }
      try settle(reader)
    }
    return nil
  }

  private func deliver(
    _ reader: PartitionReader, _ batch: MessageBatch
  ) throws(SourceError) -> RecordBatch? {
    let outcome = reader.accept(batch.entries, into: records)
    if batch.count > outcome.passing.count { log.regain() }
    for index in outcome.passing {
      let error = batch.error(at: index)
      log.notePassing(error, partition: reader.partition)
      watcher?.refresh()
    }
    if case .failed(let index)? = outcome.problem {
      // The text lives in the batch, which is gone by the next call.
      reader.failure = failure(batch.error(at: index), reader, at: batch.entries[index].offset)
    } else if outcome.count > 0 {
      reader.damagedSince = nil
    }
    reader.problem = outcome.problem
    if outcome.reachedStop { return finish(reader, count: outcome.count) }
    guard outcome.count > 0 || outcome.moved else { return nil }
    return recordBatch(reader, count: outcome.count, reachedStop: false)
  }

  private func finish(_ reader: PartitionReader, count: Int) -> RecordBatch {
    reader.state = .finished
    return recordBatch(reader, count: count, reachedStop: true)
  }

  private func recordBatch(
    _ reader: PartitionReader, count: Int, reachedStop: Bool
  ) -> RecordBatch {
    RecordBatch(
      partition: reader.partition, records: UnsafeBufferPointer(start: records, count: count),
      position: reader.nextOffset, reachedStop: reachedStop)
  }

  private func failure(
    _ error: KafkaError, _ reader: PartitionReader, at offset: Int64
  ) -> SourceError {
    switch error.kind {
    case .authentication: return .authentication(authenticationMessage(error))
    case .configuration:
      return .configuration(
        "topic \(options.topic) partition \(reader.partition): the broker cannot serve this reader: "
          + "\(error). The state is unchanged.")
    default: break
    }
    return .inputOutput(
      "topic \(options.topic) partition \(reader.partition): the log cannot be read at offset "
        + "\(offset): \(error). The state is unchanged, and a restart begins there again. A record "
        + "that is too large needs -X receive.message.max.bytes; damage needs the broker's care.")
  }

  /// What the watcher's thread has found out.
  private func heedWatcher() throws(SourceError) {
    if let inquirer {
      for error in inquirer.takeErrors() { try heed(error) }
      for line in inquirer.takeLogLines() { log.add(line) }
    }
    repeatQuestions()
    guard let reports = watcher?.takeReports() else { return }
    for notice in reports.notices { log.add(notice) }
    if let failure = reports.failure { throw failure }
    if reports.isConnected { log.regain() }
    ends += reports.ends
    for answer in reports.ends {
      guard let end = answer.end, let reader = reader(answer.partition) else { continue }
      reader.knownEnd = max(reader.knownEnd ?? end, end)
    }
    for start in reports.added {
      added.append(start)
      log.add(
        "topic \(options.topic): partition \(start.partition) was added and is read from its "
          + "beginning, offset \(start.nextOffset)")
    }
    for answer in reports.bounds {
      guard let reader = reader(answer.partition) else { continue }
      try judge(reader, answer.bounds)
    }
  }

  // MARK: Questions and answers

  private var ends: [PartitionEnd] = []

  private func reader(_ partition: Int32) -> PartitionReader? {
    // Partitions are numbered without gaps; only `--on-data-loss continue` can leave one out.
    if Int(partition) < readers.count, readers[Int(partition)].partition == partition {
      return readers[Int(partition)]
    }
    return readers.first { $0.partition == partition }
  }

  /// Partitions that begin again, for reasons that were accepted, and that the caller has not been
  /// told of.
  var rewound: Int32? { rewoundPartitions.first }
  var rewoundPartitions: [Int32] = []

  /// An empty batch that only moves the position back.
  private func takeRewound(_ partition: Int32) -> RecordBatch? {
    rewoundPartitions.removeFirst()
    return reader(partition).map { recordBatch($0, count: 0, reachedStop: false) }
  }

  package var clusterID: String? {
    readers.allSatisfy(\.isRecognised) ? answeringCluster : nil
  }

  package func setHeld(_ held: Bool, partition: Int32) { reader(partition)?.isHeld = held }

  package func progress(of partition: Int32) -> (nextOffset: Int64, proof: [UInt8]) {
    guard let reader = reader(partition) else {
      preconditionFailure("partition \(partition) is not read here")
    }
    return (reader.nextOffset, reader.proof)
  }

  package func hasQueued(_ partition: Int32) -> Bool { reader(partition)?.hasQueued ?? false }

  package func isAtEnd(_ partition: Int32) -> Bool { reader(partition)?.isAtEnd ?? false }

  package func requestEnds(of partitions: [Int32]) { watcher?.requestEnds(partitions) }

  package func takeEnds() -> [PartitionEnd] {
    defer { ends = [] }
    return ends
  }

  package func takeLostOffsets() -> UInt64 {
    defer { lostOffsets = 0 }
    return lostOffsets
  }

  package func takeAddedPartitions() -> [PartitionStart] {
    // Only now do they deliver: no batch can come of a partition that the caller does not know.
    var taken: [PartitionStart] = []
    while let start = added.first {
      guard (try? addReader(PartitionPlan(start: start))) != nil else { break }
      added.removeFirst()
      taken.append(start)
    }
    return taken
  }

  package func mirror(_ offsets: [(partition: Int32, nextOffset: Int64)]) {
    mirrorOfOffsets?.commit(offsets)
  }

  package func takeNotices() -> [String] { log.take() }

  // MARK: Closing

  package func close() {
    if let opening, !opening.stop(until: Clock.monotonic + Self.openingCloseWait) {
      log.add("a question to the brokers is left behind; it ends with the process")
    }
    opening = nil
    guard let consumer, let inquirer else { return }
    self.consumer = nil
    self.inquirer = nil
    let deadline = Clock.monotonic + options.closeTimeout
    watcher?.stop()
    batch.giveBack()
    stray.giveBack()
    if let mirrorOfOffsets, !log.isLost {
      // The last offsets are worth a moment, not the whole time.
      let until = Clock.monotonic + options.closeTimeout / 2
      while !mirrorOfOffsets.isIdle, Clock.monotonic < until {
        if let failure = mirrorOfOffsets.poll(timeout: 50_000) { log.noteMirrorFailure(failure) }
      }
    }
    mirrorOfOffsets = nil
    readers = []
    end(consumer, inquirer, until: deadline)
  }

  /// A question under way can outlast its time-out, so the clients end on a thread of their own.
  private func end(_ consumer: Consumer, _ inquirer: Inquirer, until deadline: Int64) {
    let done = Monitor(false)
    let (thread, wakeUp) = (watcherThread, wakeUp)
    let left = options.closeTimeout
    let closing = try? WorkerThread("kafka-close") {
      thread?.join()
      _ = consumer.close(timeout: left)
      _ = inquirer.close(timeout: left)
      // librdkafka may signal it until here.
      withExtendedLifetime(wakeUp) {}
      done.change { $0 = true }
    }
    if closing == nil || done.wait(until: deadline, { $0 ? true : nil }) == nil {
      log.add("the connections to Kafka did not close in time; they end with the process")
    }
  }
}
