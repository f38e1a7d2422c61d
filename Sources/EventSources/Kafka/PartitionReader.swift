import KafkaClient
package import SessionModel

/// One partition of the topic while it is read: what has been delivered, and what comes next.
///
/// Invariants:
/// - a record is delivered only at or beyond `nextOffset`, and moves it behind itself;
/// - no record is delivered before the expectation, if there is one, has been met;
/// - no record at or beyond `stopOffset` is delivered;
/// - `nextOffset` goes back only in `restart`.
final class PartitionReader {
  enum State: Equatable {
    case reading
    /// The log's bounds are being asked for, since something of it is gone.
    case inDoubt
    /// The stop offset was reached and reported.
    case finished
  }

  /// Something other than records, found in the queue.
  enum Problem {
    /// The log does not hold the offset asked for.
    case outOfRange
    /// The record at this offset is not the one read there before.
    case replaced(offset: Int64)
    /// The entry of the batch with this index carries an error.
    case failed(index: Int)
  }

  struct Outcome {
    var count = 0
    var reachedStop = false
    var moved = false
    var problem: Problem?
    /// Entries whose errors pass by themselves.
    var passing: [Int] = []
  }

  let partition: Int32
  let queue: PartitionQueue
  private(set) var nextOffset: Int64
  let stopOffset: Int64?
  private(set) var proof: [UInt8]
  /// The record that has to be found, if it still exists, before anything is delivered.
  private(set) var expectation: RecordProof?
  /// Its absence is a problem, too.
  private let mustBeThere: Bool
  var state = State.reading
  var isHeld = false
  /// Raised by the last batch and not yet dealt with.
  var problem: Problem?
  /// Where the log ended when it was last looked at.
  var knownEnd: Int64?
  /// Since when the log has been found to end before `nextOffset`, monotonic µs.
  var shrunkSince: Int64?
  /// Since when what comes next could not be read, monotonic µs.
  var damagedSince: Int64?
  var isReplaced = false
  /// What `problem` means for the caller, where it is of kind `failed`.
  var failure: SourceError?

  init(
    _ start: PartitionStart, proof: [UInt8], expectation: RecordProof?, mustBeThere: Bool = false,
    queue: PartitionQueue
  ) {
    partition = start.partition
    nextOffset = start.nextOffset
    stopOffset = start.stopOffset
    self.proof = proof
    self.expectation = expectation
    self.mustBeThere = mustBeThere
    self.queue = queue
  }

  /// Where fetching has to begin.
  var fetchOffset: Int64 { expectation?.offset ?? nextOffset }

  /// Whether the log need not prove any more that it is the one that was read.
  var isRecognised: Bool { expectation == nil || !mustBeThere }

  var mayRead: Bool { state == .reading && !isHeld }

  /// Whether something is on its way to the caller, so that silence does not mean idleness.
  var hasQueued: Bool {
    switch state {
    case .reading: expectation != nil || problem != nil || queue.count > 0
    case .inDoubt: true
    case .finished: false
    }
  }

  /// Whether what is known of the log has been delivered; false once more came after the last look.
  var isAtEnd: Bool {
    state == .finished
      || (state == .reading && expectation == nil && knownEnd == nextOffset && queue.count == 0)
  }

  var hasReachedStop: Bool {
    guard let stopOffset else { return false }
    return expectation == nil && nextOffset >= stopOffset
  }

  /// Goes through what came out of the queue, in order.
  ///
  /// - Parameter records: room for as many as there are messages.
  func accept(
    _ messages: UnsafeBufferPointer<KafkaMessage>,
    into records: UnsafeMutablePointer<SourceRecord>
  ) -> Outcome {
    var outcome = Outcome()
    let before = nextOffset
    var last: Int?
    loop: for (index, message) in messages.enumerated() {
      if message.errorCode != 0 {
        guard note(message, index, &outcome) else { break loop }
        continue
      }
      if let expected = expectation {
        if message.offset < expected.offset { continue }
        let isGone = message.offset > expected.offset
        if isGone ? mustBeThere : RecordProof(message) != expected {
          outcome.problem = .replaced(offset: expected.offset)
          break loop
        }
        expectation = nil
      }
      if message.offset < nextOffset { continue }
      if let stopOffset, message.offset >= stopOffset {
        nextOffset = stopOffset
        break loop
      }
      (records + outcome.count).initialize(to: SourceRecord(message))
      outcome.count += 1
      nextOffset = message.offset + 1
      last = index
    }
    if let last { proof = RecordProof(messages[last]).bytes }
    outcome.moved = nextOffset != before
    if outcome.problem == nil && hasReachedStop { outcome.reachedStop = true }
    return outcome
  }

  /// - Returns: false if nothing behind it may be delivered.
  private func note(_ message: KafkaMessage, _ index: Int, _ outcome: inout Outcome) -> Bool {
    let error = KafkaError(code: message.errorCode, message: "")
    if error.isPartitionEnd {
      // The end lies behind the record expected, which is therefore gone.
      if let expected = expectation, mustBeThere {
        outcome.problem = .replaced(offset: expected.offset)
        return false
      }
      expectation = nil
      knownEnd = message.offset
      nextOffset = max(nextOffset, min(message.offset, stopOffset ?? .max))
      return true
    }
    if error.isOffsetOutOfRange {
      outcome.problem = .outOfRange
      return false
    }
    switch error.kind {
    case .authentication, .configuration, .unreadable:
      outcome.problem = .failed(index: index)
      return false
    case .transient, .tls, .unknownTopic:
      outcome.passing.append(index)
      return true
    }
  }

  /// Has the last record read be found again before anything more is delivered, unless retention has
  /// taken it: that the log holds what comes next does not make it the same log.
  ///
  /// - Returns: false if it is gone and has to be there.
  func expectLastRecord(logBegins low: Int64) -> Bool {
    guard let last = expectation ?? RecordProof(bytes: proof) else { return true }
    let isThere = low <= last.offset
    if !isThere, expectation != nil, mustBeThere { return false }
    expectation = isThere && last.offset < nextOffset ? last : nil
    return true
  }

  /// Goes on as before: the doubt was unfounded.
  func resume() {
    problem = nil
    shrunkSince = nil
    state = .reading
  }

  /// Reads on from another place after a loss that was accepted.
  func restart(at offset: Int64) {
    nextOffset = offset
    expectation = nil
    problem = nil
    shrunkSince = nil
    isReplaced = false
    proof = []
    knownEnd = nil
    state = .reading
  }
}

extension SourceRecord {
  @inline(__always)
  fileprivate init(_ message: KafkaMessage) {
    self.init(
      offset: message.offset,
      timestamp: SourceRecord.time(ofTimestamp: message.timestamp),
      value: message.value, valueLength: message.value?.count ?? 0)
  }

  /// A record's timestamp in µs; `.never` for none. Producers may set any number: what lies beyond
  /// the times that an event can have becomes the first µs behind them.
  ///
  /// - Parameter milliseconds: since 1970, negative for none.
  @inline(__always)
  package static func time(ofTimestamp milliseconds: Int64) -> Microseconds {
    if milliseconds < 0 { return .never }
    let last = Microseconds.latest / .perMillisecond
    return milliseconds <= last ? milliseconds &* .perMillisecond : .latest + 1
  }
}
