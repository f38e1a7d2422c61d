import SessionModel
import TestSupport

/// The rules of docs/semantics.md in the most naive form: events in lists, everything looked at each
/// time. The oracle for histories in which a clock decided something.
struct RuleBook {
  struct LateEvent {
    var record: SimulatedLog.Record
    var partition: Int
    var time: Microseconds
    var reason: LateReason
    var watermark: Microseconds
  }

  struct Partition {
    var greatest: Microseconds?
    var lastTime: Microseconds?
    /// Neither idle nor at its stop.
    var counts = true
  }

  private let gap: Microseconds
  private let outOfOrderness: Microseconds
  private(set) var partitions: [Partition] = []
  private(set) var watermark = Microseconds.never
  private(set) var closeLine = Microseconds.never
  /// Each session as its events; all of them, rows included.
  private var sessions: [[LoggedEvent]] = []
  private(set) var late: [LateEvent] = []
  private(set) var rejected: [SimulatedLog.Record] = []
  private(set) var rejectedPartitions: [Int] = []
  /// All of them, but for rows that entered the outbox and left it.
  private(set) var counters = Counters()

  init(gap: Microseconds, outOfOrderness: Microseconds) {
    self.gap = gap
    self.outOfOrderness = outOfOrderness
  }

  mutating func apply(_ operation: History.Operation, _ log: SimulatedLog) {
    switch operation {
    case .started(let count):
      while partitions.count < count { partitions.append(Partition()) }
      for partition in partitions.indices { partitions[partition].counts = true }
    case .added(let count):
      while partitions.count < count { partitions.append(Partition()) }
    case .read(let partition, let record):
      read(log.partitions[partition][record], partition)
      advance()
    case .idle(let isIdle, let partition):
      if isIdle { counters.idlings += 1 }
      partitions[partition].counts = !isIdle
      advance()
    case .retired(let partition):
      // An empty partition leaves at its stop whatever the clock says.
      if partitions[partition].lastTime != nil { counters.idlings += 1 }
      partitions[partition].counts = false
      if !partitions.contains(where: \.counts), let greatest {
        watermark = max(watermark, greatest - outOfOrderness)
      }
      advance()
    case .flushed: flush()
    }
    closeLine = max(closeLine, watermark - gap)
  }

  private var greatest: Microseconds? { partitions.compactMap(\.greatest).max() }

  private mutating func advance() {
    let counting = partitions.filter(\.counts).map(\.greatest)
    guard !counting.isEmpty, !counting.contains(nil) else { return }
    watermark = max(watermark, counting.compactMap { $0 }.min()! - outOfOrderness)
  }

  private mutating func flush() {
    guard let greatest, closeLine != max(watermark, greatest + 1) else { return }
    let open = sessions.filter { $0.last!.point.time >= closeLine }
    watermark = max(watermark, greatest + 1)
    closeLine = watermark
    counters.flushes += 1
    counters.sessionsClosedByFlush += UInt64(open.count)
  }

  private mutating func read(_ record: SimulatedLog.Record, _ partition: Int) {
    counters.recordsRead += 1
    counters.bytesRead += UInt64(record.value?.count ?? 0)
    if record.timestamp != .never { partitions[partition].lastTime = record.timestamp }
    let event: LoggedEvent
    switch record.content {
    case .event(let content): event = content
    case .rejected(let reason, _):
      counters.rejectedByReason[Int(reason.rawValue)] += 1
      rejected.append(record)
      rejectedPartitions.append(partition)
      return
    }
    let time = event.point.time
    if record.timestamp == .never { partitions[partition].lastTime = time }
    let own = partitions[partition].greatest.map { $0 - outOfOrderness } ?? .never
    if time < max(own, watermark) {
      let reason: LateReason = time < own ? .behindPartition : .behindWatermark
      counters.lateByReason[Int(reason.rawValue)] += 1
      late.append(
        LateEvent(
          record: record, partition: partition, time: time, reason: reason,
          watermark: max(own, watermark)))
    } else {
      counters.eventsInSessions += 1
      counters.cutTexts += UInt64(record.cutTexts)
      merge(event)
    }
    partitions[partition].counts = true
    partitions[partition].greatest = max(partitions[partition].greatest ?? time, time)
  }

  private mutating func merge(_ event: LoggedEvent) {
    var merged = [event]
    var others: [[LoggedEvent]] = []
    for session in sessions {
      let isOurs = session[0].userID == event.userID && session[0].ip == event.ip
      let isClosed = session.last!.point.time < closeLine
      let touches =
        session[0].point.time <= event.point.time + gap
        && event.point.time <= session.last!.point.time + gap
      if isOurs && !isClosed && touches { merged += session } else { others.append(session) }
    }
    sessions = others + [merged.sorted { $0.point < $1.point }]
  }

  /// The rows of all closed sessions, in order, and those that the open ones would give.
  func rows() -> (closed: [[UInt8]], open: [[UInt8]]) {
    var ids = SessionIDHasher()
    var closed: [(position: RowPosition, bytes: [UInt8])] = []
    var open: [[UInt8]] = []
    for session in sessions {
      let bytes = encodedRow(of: session, &ids)
      if session.last!.point.time < closeLine {
        closed.append((SessionRow.position(ofEncoded: bytes), bytes))
      } else {
        open.append(bytes)
      }
    }
    return (closed.sorted { $0.position < $1.position }.map(\.bytes), open)
  }
}
