package import SessionModel

/// The task's event-time clock: watermark, lateness and close line. Pure: no clock of its own.
///
/// Invariants, each true after every call:
/// 1. `watermark` and `closeLine` never go back.
/// 2. `closeLine` is `watermark − gap` of some earlier moment, or the watermark of a flush: whatever
///    could touch a closed session is late.
/// 3. While no partition is or was idle, flushed or added, `watermark ≤ W_p` for each partition, so
///    that lateness depends on the partition's own log alone.
///
/// The model is that of Akidau et al., "The Dataflow Model", 2015, with per-partition watermarks as
/// in Kafka Streams and Flink; the late rule is stricter than theirs (docs/semantics.md).
package struct Watermarks {
  /// `g`, µs.
  package let gap: Microseconds
  /// `D`, µs: how far behind the greatest event time of its partition an event may lie.
  package let outOfOrderness: Microseconds
  /// `W`, the task's watermark; `.never` at first.
  package private(set) var watermark: Microseconds
  /// `C`: a session with `last < C` is closed.
  package private(set) var closeLine: Microseconds

  private struct Partition {
    /// `M_p`; `.never` before the first event.
    var maxEventTime: Microseconds = .never
    /// Whether the partition counts in the minimum: it is known, not idle, and not at its stop.
    var counts = false
    var isIdle = false
    var isKnown = false
  }
  /// By partition number.
  private var partitions: [Partition] = []
  /// The partition that `othersMinimum` was computed for; -1 for none.
  private var current = -1
  /// The least `M_q` over the counting partitions other than `current`.
  private var othersMinimum = Microseconds.max

  package init(
    gap: Microseconds, outOfOrderness: Microseconds, watermark: Microseconds = .never,
    closeLine: Microseconds = .never
  ) {
    self.gap = gap
    self.outOfOrderness = outOfOrderness
    self.watermark = watermark
    self.closeLine = closeLine
  }

  /// Takes a partition into the minimum. One without an event yet holds the watermark back.
  package mutating func add(partition: Int32, maxEventTime: Microseconds = .never) {
    let index = Int(partition)
    while partitions.count <= index { partitions.append(Partition()) }
    partitions[index] = Partition(maxEventTime: maxEventTime, counts: true, isKnown: true)
    current = -1
  }

  /// `M_p`: the greatest event time seen in the partition, late events included.
  package func maxEventTime(of partition: Int32) -> Microseconds {
    partitions[Int(partition)].maxEventTime
  }

  /// `W_p = M_p − D`; `.never` or less before the first event.
  package func partitionWatermark(of partition: Int32) -> Microseconds {
    let greatest = partitions[Int(partition)].maxEventTime
    return greatest == .never ? .never : greatest - outOfOrderness
  }

  /// The greatest `M_p` of all partitions; `.never` before the first event.
  package var greatestEventTime: Microseconds {
    partitions.reduce(.never) { max($0, $1.maxEventTime) }
  }

  /// Judges one event and moves the watermarks by it: lateness first, as both were before.
  ///
  /// - Returns: why the event is late; nil where it belongs to a session.
  package mutating func admit(_ time: Microseconds, partition: Int32) -> LateReason? {
    let index = Int(partition)
    if index != current { select(index) }
    let greatest = partitions[index].maxEventTime
    #if PLANTED_BUGS
      let watermark = planted(.lateAtWatermark) ? watermark + 1 : watermark
    #endif
    let verdict: LateReason? =
      time < greatest - outOfOrderness
      ? .behindPartition : time < watermark ? .behindWatermark : nil
    if partitions[index].isIdle { setIdle(false, partition: partition) }
    #if PLANTED_BUGS
      if planted(.lateEventIgnored), verdict != nil { return verdict }
    #endif
    if time > greatest {
      partitions[index].maxEventTime = time
      advance()
    }
    return verdict
  }

  /// Takes an idle partition out of the minimum, or back into it.
  ///
  /// If none is left, the watermark stays.
  package mutating func setIdle(_ idle: Bool, partition: Int32) {
    let index = Int(partition)
    guard partitions[index].isIdle != idle else { return }
    partitions[index].isIdle = idle
    partitions[index].counts = !idle
    select(index)
    advance()
  }

  package func isIdle(_ partition: Int32) -> Bool { partitions[Int(partition)].isIdle }

  /// Takes partitions that are at their stop offset out of the minimum for good (bounded runs). If
  /// none stays, `W` becomes the greatest `W_p`.
  package mutating func retire(_ partition: Int32) {
    let index = Int(partition)
    partitions[index].counts = false
    partitions[index].isIdle = false
    current = -1
    guard partitions.contains(where: { $0.counts }) else {
      let greatest = greatestEventTime
      if greatest != .never { watermark = max(watermark, greatest - outOfOrderness) }
      return
    }
    select(index)
    advance()
  }

  /// `C := max(C, W − g)`: what could touch the sessions that this closes is late already.
  package mutating func sweep() {
    #if PLANTED_BUGS
      let gap = planted(.closedOneEarly) ? gap - 1 : gap
    #endif
    closeLine = max(closeLine, watermark - gap)
  }

  /// `W := C := max(W, M + 1 µs)`: every session closes, and what comes later opens new ones.
  ///
  /// - Returns: false, with nothing changed, before the first event, and where a flush has closed
  ///   all that was seen already: one that a kill made run again decides nothing.
  @discardableResult
  package mutating func flush() -> Bool {
    let greatest = greatestEventTime
    guard greatest != .never else { return false }
    let line = max(watermark, greatest + 1)
    if closeLine == line { return false }
    watermark = line
    closeLine = line
    return true
  }

  private mutating func select(_ index: Int) {
    current = index
    othersMinimum = .max
    for (other, partition) in partitions.enumerated() where partition.counts && other != index {
      othersMinimum = min(othersMinimum, partition.maxEventTime)
    }
  }

  /// `W := max(W, min M_q − D)` over the counting partitions.
  private mutating func advance() {
    var least = othersMinimum
    if partitions[current].counts { least = min(least, partitions[current].maxEventTime) }
    if least != .max, least != .never { watermark = max(watermark, least - outOfOrderness) }
  }
}
