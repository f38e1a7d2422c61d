import KafkaClient
import Platform

/// What is done when a partition's log no longer holds what comes next.
///
/// The partition is in doubt until the cluster has named its bounds; the others are read on.
extension KafkaSource {
  /// Deals with what the last batch of a partition ended in.
  func settle(_ reader: PartitionReader) throws(SourceError) {
    guard let problem = reader.problem else { return }
    switch problem {
    case .failed: try settleFailure(reader)
    case .replaced(let offset):
      let message = LossMessage(topic: options.topic, partition: reader.partition)
        .replaced(offset: offset)
      if options.onDataLoss == .stop { throw .inputLost(message) }
      log.add(message)
      reader.isReplaced = true
    case .outOfRange: break
    }
    reader.problem = nil
    reader.state = .inDoubt
    watcher?.requestBounds(reader.partition)
  }

  /// What could not be read may have been damaged on its way: it is fetched again for a while.
  private func settleFailure(_ reader: PartitionReader) throws(SourceError) {
    guard let failure = reader.failure else { return }
    let since = reader.damagedSince ?? Clock.monotonic
    guard case .inputOutput = failure, Clock.monotonic - since < options.damagePatience else {
      throw failure
    }
    if reader.damagedSince == nil { log.add("\(failure) It is fetched again for a while.") }
    reader.damagedSince = since
  }

  /// Decides once the log's bounds are known; nil where they could not be had.
  func judge(
    _ reader: PartitionReader, _ bounds: (low: Int64, high: Int64)?
  ) throws(SourceError) {
    guard let (low, high) = bounds else { return askAgain(reader) }
    let message = LossMessage(topic: options.topic, partition: reader.partition)
    if reader.isReplaced { return try restart(reader, at: low) }
    switch LogVerdict(next: reader.nextOffset, low: low, high: high) {
    case .intact:
      // A log made anew may have grown beyond our position by now.
      guard reader.expectLastRecord(logBegins: low) else {
        reader.problem = .replaced(offset: reader.fetchOffset)
        return try settle(reader)
      }
      try restart(reader, at: reader.nextOffset, isSame: true)
    case .deleted(let count):
      let text = message.deleted(count, next: reader.nextOffset, low: low)
      if options.onDataLoss == .stop { throw .inputLost(text) }
      log.add(text)
      lostOffsets += count
      try restart(reader, at: low)
    case .shrunk:
      let since = reader.shrunkSince ?? Clock.monotonic
      reader.shrunkSince = since
      if Clock.monotonic - since < options.shrinkPatience { return askAgain(reader) }
      let text = message.shrunk(next: reader.nextOffset, high: high)
      if options.onDataLoss == .stop { throw .inputLost(text) }
      log.add(text)
      try restart(reader, at: low)
    }
  }

  func restart(
    _ reader: PartitionReader, at offset: Int64, isSame: Bool = false
  ) throws(SourceError) {
    do throws(KafkaError) {
      try consumer?.unassign(topic: options.topic, [reader.partition])
    } catch {
      throw .unavailable("partition \(reader.partition) could not be given up: \(error)")
    }
    if isSame {
      reader.resume()
    } else {
      if offset < reader.nextOffset { rewoundPartitions.append(reader.partition) }
      reader.restart(at: offset)
    }
    try assign(reader)
  }

  private func askAgain(_ reader: PartitionReader) {
    questions.append((reader.partition, Clock.monotonic + 500_000))
  }

  func repeatQuestions() {
    if questions.isEmpty { return }
    let now = Clock.monotonic
    for question in questions where question.at <= now {
      watcher?.requestBounds(question.partition)
    }
    questions.removeAll { $0.at <= now }
  }
}
