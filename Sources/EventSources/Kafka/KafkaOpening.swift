import KafkaClient
import Platform
import SessionModel

/// How one partition is begun.
struct PartitionPlan {
  var start: PartitionStart
  /// Carried over until a record is read.
  var proof: [UInt8] = []
  var expectation: RecordProof?
}

/// Decides where each partition is read from, before anything is read.
struct KafkaOpening {
  /// µs between two tries.
  private static let retryPause: Int64 = 100_000
  /// A topic may be made a moment before; metadata lags.
  private static let unknownTopicPatience: Int64 = 2_000_000
  private static let questionTimeout: Int64 = 5_000_000

  struct Plan {
    var inquirer: Inquirer
    var leaders: [Int32]
    var partitions: [PartitionPlan]
    var log: ConnectionLog
  }

  private let options: KafkaSourceOptions
  private let inquirer: Inquirer
  private let deadline: Int64
  private let pause: WakeUp

  /// - Throws: `SourceError.configuration`.
  init(_ options: KafkaSourceOptions) throws(SourceError) {
    self.options = options
    deadline = Clock.monotonic + options.openTimeout
    do throws(KafkaError) { inquirer = try Inquirer(options.configuration) } catch {
      throw .configuration(error.message)
    }
    do throws(SystemError) { pause = try WakeUp() } catch { throw .unavailable("\(error)") }
  }

  func plan(resume: [PartitionProgress]) throws(SourceError) -> Plan {
    let (options, inquirer) = (options, inquirer)
    var log = ConnectionLog()
    let topic = try patiently { () throws(KafkaError) in
      try inquirer.describe(topic: options.topic, timeout: Self.questionTimeout)
    }
    let numbers = (0..<topic.partitionCount).map { Int32($0) }
    if let missing = resume.first(where: { Int($0.partition) >= topic.partitionCount }) {
      let message = LossMessage(topic: options.topic, partition: missing.partition)
        .missingPartition(count: topic.partitionCount)
      if options.onDataLoss == .stop { throw .inputLost(message) }
      log.add(message)
    }
    let lows = try places(.beginning, numbers)
    let highs = try settledEnds(numbers, resume)
    let fresh = resume.isEmpty ? try freshStarts(numbers, lows: lows, highs: highs) : lows
    var partitions: [PartitionPlan] = []
    for (index, number) in numbers.enumerated() {
      var plan: PartitionPlan
      if let progress = resume.first(where: { $0.partition == number }) {
        plan = try resumed(progress, low: lows[index], high: highs[index], &log)
      } else {
        plan = PartitionPlan(start: PartitionStart(partition: number, nextOffset: fresh[index]))
      }
      if options.stopAtEnd { plan.start.stopOffset = max(highs[index], plan.start.nextOffset) }
      partitions.append(plan)
    }
    return Plan(inquirer: inquirer, leaders: topic.leaders, partitions: partitions, log: log)
  }

  private func resumed(
    _ progress: PartitionProgress, low: Int64, high: Int64, _ log: inout ConnectionLog
  ) throws(SourceError) -> PartitionPlan {
    let next = progress.nextOffset
    let message = LossMessage(topic: options.topic, partition: progress.partition)
    let text: String
    var lost: UInt64 = 0
    switch LogVerdict(next: next, low: low, high: high) {
    case .intact:
      var plan = PartitionPlan(
        start: PartitionStart(partition: progress.partition, nextOffset: next),
        proof: progress.proof)
      if let proof = RecordProof(bytes: progress.proof), proof.offset >= low, proof.offset < next {
        plan.expectation = proof
      }
      return plan
    case .deleted(let count):
      text = message.deleted(count, next: next, low: low)
      lost = count
    case .shrunk: text = message.shrunk(next: next, high: high)
    }
    if options.onDataLoss == .stop { throw .inputLost(text) }
    log.add(text)
    return PartitionPlan(
      start: PartitionStart(partition: progress.partition, nextOffset: low, lostOffsets: lost))
  }

  /// The ends of the logs; asked again for a while where one lies before our position, since a new
  /// leader's can lag.
  private func settledEnds(
    _ partitions: [Int32], _ resume: [PartitionProgress]
  ) throws(SourceError) -> [Int64] {
    let until = Clock.monotonic + options.shrinkPatience
    while true {
      let ends = try places(.end, partitions)
      let isBehind = resume.contains { progress in
        Int(progress.partition) < ends.count && ends[Int(progress.partition)] < progress.nextOffset
      }
      if !isBehind || Clock.monotonic >= until { return ends }
      pause.wait(timeout: Self.retryPause)
    }
  }

  private func freshStarts(
    _ partitions: [Int32], lows: [Int64], highs: [Int64]
  ) throws(SourceError) -> [Int64] {
    switch options.start {
    case .earliest: return lows
    case .latest: return highs
    case .time(let time):
      // The log's clock ticks in ms: the first tick at or after the time.
      let milliseconds =
        max(0, time + Microseconds.perMillisecond - 1) / Microseconds.perMillisecond
      let found = try firstOffsets(atOrAfter: milliseconds, partitions)
      if found.allSatisfy({ $0 == nil }), lows != highs,
        try firstOffsets(atOrAfter: 0, partitions).allSatisfy({ $0 == nil })
      {
        throw .configuration(
          "the broker does not find offsets by time (the embedded cluster cannot): start with "
            + "--from earliest or --from latest. Nothing was read or changed.")
      }
      return zip(found, highs).map { $0 ?? $1 }
    }
  }

  private func firstOffsets(
    atOrAfter milliseconds: Int64, _ partitions: [Int32]
  ) throws(SourceError) -> [Int64?] {
    let (options, inquirer) = (options, inquirer)
    return try patiently { () throws(KafkaError) in
      try inquirer.offsets(
        .time(milliseconds: milliseconds), topic: options.topic, partitions: partitions,
        timeout: Self.questionTimeout)
    }
  }

  private func places(
    _ place: LogPlace, _ partitions: [Int32]
  ) throws(SourceError) -> [Int64] {
    let (options, inquirer) = (options, inquirer)
    return try patiently { () throws(KafkaError) in
      let offsets = try inquirer.offsets(
        place, topic: options.topic, partitions: partitions, timeout: Self.questionTimeout)
      var found: [Int64] = []
      for offset in offsets {
        guard let offset else {
          throw KafkaError(code: -1, message: "no answer for a partition's beginning or end")
        }
        found.append(offset)
      }
      return found
    }
  }

  /// Asks until there is an answer, the time for opening is over, or waiting cannot help.
  private func patiently<Answer>(
    _ ask: () throws(KafkaError) -> Answer
  ) throws(SourceError) -> Answer {
    let begin = Clock.monotonic
    while true {
      var failure: KafkaError
      do throws(KafkaError) { return try ask() } catch { failure = error }
      for error in inquirer.takeErrors() {
        if error.kind == .authentication {
          failure = error
        } else if failure.kind == .transient {
          failure.message = error.message
        }
      }
      switch failure.kind {
      case .authentication: throw .authentication(authenticationMessage(failure))
      case .unknownTopic where Clock.monotonic - begin >= Self.unknownTopicPatience:
        throw .configuration(
          "topic \(options.topic) does not exist (\(failure.name)). Nothing was read or changed. "
            + "Check --topic and --brokers, or create it first.")
      case .configuration: throw .configuration("\(failure)")
      case .unknownTopic, .transient, .unreadable: break
      }
      if Clock.monotonic >= deadline { throw unavailable(failure) }
      pause.wait(timeout: Self.retryPause)
    }
  }

  private func unavailable(_ failure: KafkaError) -> SourceError {
    let brokers = options.configuration["bootstrap.servers"] ?? ""
    let seconds = options.openTimeout / .perSecond
    return .unavailable(
      "no broker answered within \(seconds) s at \(brokers): \(failure). The state is unchanged. "
        + "Check --brokers and that the cluster is up, then start again.")
  }
}
