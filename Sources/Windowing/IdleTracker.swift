package import SessionModel

/// Decides which partitions are idle. Pure: the caller brings the monotonic time and the answers to
/// the questions that this asks for.
///
/// A partition is idle once it has delivered no event for the time-out and a question for its log's
/// end, *sent after that*, was answered with an end that we have read up to. It is asked again every
/// quarter of the time-out; a failed question or a new event ends idleness, so that an outage
/// closes nobody's session.
package struct IdleTracker {
  /// µs.
  package let timeout: Microseconds

  private struct Partition {
    var lastEventAt: Int64
    /// When the last question was sent; nil while none was since the last event.
    var askedAt: Int64?
    var isIdle = false
  }
  private var partitions: [Int32: Partition] = [:]

  package init(timeout: Microseconds) { self.timeout = timeout }

  /// - Parameter now: monotonic time, µs. Idle time begins here: it does not survive a restart.
  package mutating func add(partition: Int32, now: Int64) {
    partitions[partition] = Partition(lastEventAt: now)
  }

  /// The partition delivered an event, late or not.
  package mutating func delivered(_ partition: Int32, now: Int64) {
    partitions[partition] = Partition(lastEventAt: now)
  }

  /// The partitions whose end is to be asked for now; they count as asked.
  package mutating func due(now: Int64) -> [Int32] {
    var list: [Int32] = []
    for (number, partition) in partitions where now - partition.lastEventAt >= timeout {
      if let asked = partition.askedAt, now - asked < timeout / 4 { continue }
      partitions[number]?.askedAt = now
      list.append(number)
    }
    return list.sorted()
  }

  /// Takes an answer.
  ///
  /// - Parameters:
  ///   - sentAt: when the question was sent, monotonic.
  ///   - end: the log's end; nil where the question failed.
  ///   - readUpTo: our position, or the end that we were told.
  ///   - hasPending: records of it are queued or held back.
  /// - Returns: whether the partition is idle now.
  package mutating func answered(
    _ number: Int32, sentAt: Int64, end: Int64?, readUpTo: Int64, hasPending: Bool
  ) -> Bool {
    guard var partition = partitions[number] else { return false }
    let isFresh = sentAt - partition.lastEventAt >= timeout
    partition.isIdle = isFresh && !hasPending && end.map { $0 <= readUpTo } ?? false
    partitions[number] = partition
    return partition.isIdle
  }

  /// Whether there are partitions and all of them are idle.
  package var allIdle: Bool {
    !partitions.isEmpty && partitions.values.allSatisfy(\.isIdle)
  }
}
