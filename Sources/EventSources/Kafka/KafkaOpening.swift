import KafkaClient
import Platform
import SessionModel

/// How one partition is begun.
struct PartitionPlan {
  var start: PartitionStart
  /// Carried over until a record is read.
  var proof: [UInt8] = []
  var expectation: RecordProof?
  /// The expected record may not be gone, as it may where retention or compaction took it.
  var mustBeThere = false
}

/// Decides where each partition is read from, before anything is read.
struct KafkaOpening {
  struct Plan {
    var inquirer: Inquirer
    var leaders: [Int32]
    var partitions: [PartitionPlan]
  }

  private let options: KafkaSourceOptions
  private let questions: OpeningQuestions

  init(_ options: KafkaSourceOptions, _ questions: OpeningQuestions) {
    self.options = options
    self.questions = questions
  }

  /// - Throws: `SourceError` for what cannot pass.
  func plan(resume: [PartitionProgress]) throws(SourceError) -> Plan {
    let leaders = try leaders(known: resume)
    let numbers = (0..<leaders.count).map { Int32($0) }
    if let otherCluster, let known = options.knownCluster {
      questions.tell(
        "the brokers are of cluster \(otherCluster), the state was read from \(known); a partition is "
          + "read on where its last record read is found again")
    }
    let lows = try places(.beginning, numbers)
    let highs = try settledEnds(numbers, resume)
    let fresh = resume.isEmpty ? try freshStarts(numbers, lows: lows, highs: highs) : lows
    var partitions: [PartitionPlan] = []
    for (index, number) in numbers.enumerated() {
      var plan: PartitionPlan
      if let progress = resume.first(where: { $0.partition == number }) {
        plan = try resumed(progress, low: lows[index], high: highs[index])
      } else {
        plan = PartitionPlan(start: PartitionStart(partition: number, nextOffset: fresh[index]))
      }
      if options.stopAtEnd { plan.start.stopOffset = max(highs[index], plan.start.nextOffset) }
      partitions.append(plan)
    }
    return Plan(inquirer: questions.inquirer, leaders: leaders, partitions: partitions)
  }

  /// The leader of each partition; asked again for a while where partitions are missing that were
  /// read before, since a broker that has just started may not know all.
  private func leaders(known: [PartitionProgress]) throws(SourceError) -> [Int32] {
    let (topic, inquirer) = (options.topic, questions.inquirer)
    let until = Clock.monotonic + options.topicPatience
    while true {
      let found = try questions.ask { (timeout) throws(KafkaError) in
        try inquirer.describe(topic: topic, timeout: timeout)
      }
      guard let missing = known.first(where: { Int($0.partition) >= found.partitionCount }) else {
        return found.leaders
      }
      if Clock.monotonic >= until {
        let message = LossMessage(topic: topic, partition: missing.partition)
          .missingPartition(count: found.partitionCount)
        if options.onDataLoss == .stop { throw .inputLost(message) }
        questions.tell(message)
        return found.leaders
      }
      try questions.pause()
    }
  }

  private func resumed(
    _ progress: PartitionProgress, low: Int64, high: Int64
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
      plan.mustBeThere = otherCluster != nil
      guard plan.expectation == nil, next > low, let otherCluster else { return plan }
      text = message.unrecognised(next: next, cluster: otherCluster)
    case .deleted(let count):
      text = message.deleted(count, next: next, low: low)
      lost = count
    case .shrunk: text = message.shrunk(next: next, high: high)
    }
    if options.onDataLoss == .stop { throw .inputLost(text) }
    questions.tell(text)
    return PartitionPlan(
      start: PartitionStart(partition: progress.partition, nextOffset: low, lostOffsets: lost))
  }

  /// The cluster that answers, where it is not the one that the state was read from.
  private var otherCluster: String? {
    guard let known = options.knownCluster, let found = questions.inquirer.clusterID else {
      return nil
    }
    return found == known ? nil : found
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
      try questions.pause()
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
    let (topic, inquirer) = (options.topic, questions.inquirer)
    return try questions.ask { (timeout) throws(KafkaError) in
      try inquirer.offsets(
        .time(milliseconds: milliseconds), topic: topic, partitions: partitions, timeout: timeout)
    }
  }

  private func places(
    _ place: LogPlace, _ partitions: [Int32]
  ) throws(SourceError) -> [Int64] {
    let (topic, inquirer) = (options.topic, questions.inquirer)
    return try questions.ask { (timeout) throws(KafkaError) in
      let offsets = try inquirer.offsets(
        place, topic: topic, partitions: partitions, timeout: timeout)
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
}
