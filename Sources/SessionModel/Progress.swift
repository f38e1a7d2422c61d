/// How far one partition has been read; kept in the checkpoint.
package struct PartitionProgress: Equatable, Sendable {
  package var partition: Int32
  /// The offset from which reading resumes: behind every record that the state reflects.
  package var nextOffset: Int64
  /// The greatest event time seen in the partition (late events count), `.never` before the first.
  package var maxEventTime: Microseconds
  /// Kafka timestamp of the last record read (event time for files), µs; nil if none was read.
  package var lastRecordTime: Microseconds?
  /// What the source needs to prove, after a restart, that the log is still the one it had read:
  /// opaque to everybody else, at most 4,096 bytes.
  package var proof: [UInt8]

  package init(
    partition: Int32, nextOffset: Int64, maxEventTime: Microseconds = .never,
    lastRecordTime: Microseconds? = nil, proof: [UInt8] = []
  ) {
    self.partition = partition
    self.nextOffset = nextOffset
    self.maxEventTime = maxEventTime
    self.lastRecordTime = lastRecordTime
    self.proof = proof
  }
}

/// What has been counted since the state was made. Kept in the checkpoint.
///
/// `recordsRead = eventsInSessions + late + rejected`, and
/// `sessionsClosed = delivered + rows in the outbox`, at every checkpoint. Where bots are dropped,
/// their sessions are `botSessions` and not among `sessionsClosed`; their events are in sessions.
package struct Counters: Equatable, Sendable {
  package var recordsRead: UInt64 = 0
  /// Bytes of the values of the records read.
  package var bytesRead: UInt64 = 0
  package var eventsInSessions: UInt64 = 0
  package var lateByReason = [UInt64](repeating: 0, count: 256)
  package var rejectedByReason = [UInt64](repeating: 0, count: 256)
  /// Rows that entered the outbox.
  package var sessionsClosed: UInt64 = 0
  /// Sessions that a flush closed (quiet close or `--close-all`), those of bots among them.
  package var sessionsClosedByFlush: UInt64 = 0
  /// Rows that `--drop-bots` kept from the outbox, and the events of their sessions.
  package var botSessions: UInt64 = 0
  package var botEvents: UInt64 = 0
  package var flushes: UInt64 = 0
  /// Times that a partition was taken out of the watermark's minimum as idle.
  package var idlings: UInt64 = 0
  /// Rows that every sink holds, skipped ones included, and that left the outbox.
  package var delivered: UInt64 = 0
  /// Texts cut at `Limits.keptTextBytes`.
  package var cutTexts: UInt64 = 0
  /// Offsets that retention had deleted unread, accepted by `--on-data-loss continue`.
  package var lostOffsets: UInt64 = 0
  /// Rows whose geography is null because no service had answered by `--geo-deadline`.
  package var rowsWithoutGeography: UInt64 = 0

  package init() {}

  package var late: UInt64 { lateByReason.reduce(0, +) }
  package var rejected: UInt64 { rejectedByReason.reduce(0, +) }

  /// Every counter with its name, in the order of dumps. Zero reasons are left out.
  package var named: [(name: String, value: UInt64)] {
    var list: [(name: String, value: UInt64)] = [
      ("records_read", recordsRead), ("bytes_read", bytesRead),
      ("events_in_sessions", eventsInSessions), ("sessions_closed", sessionsClosed),
      ("sessions_closed_by_flush", sessionsClosedByFlush), ("bot_sessions", botSessions),
      ("bot_events", botEvents), ("flushes", flushes),
      ("idlings", idlings), ("delivered", delivered), ("cut_texts", cutTexts),
      ("lost_offsets", lostOffsets), ("rows_without_geography", rowsWithoutGeography),
    ]
    for reason in LateReason.allCases where lateByReason[Int(reason.rawValue)] > 0 {
      list.append(("late." + reason.code, lateByReason[Int(reason.rawValue)]))
    }
    for reason in RejectReason.allCases where rejectedByReason[Int(reason.rawValue)] > 0 {
      list.append(("rejected." + reason.code, rejectedByReason[Int(reason.rawValue)]))
    }
    return list
  }

  /// Sets one counter by its name.
  ///
  /// - Returns: false if no counter has the name (a newer version's state).
  package mutating func set(_ name: String, to value: UInt64) -> Bool {
    switch name {
    case "records_read": recordsRead = value
    case "bytes_read": bytesRead = value
    case "events_in_sessions": eventsInSessions = value
    case "sessions_closed": sessionsClosed = value
    case "sessions_closed_by_flush": sessionsClosedByFlush = value
    case "bot_sessions": botSessions = value
    case "bot_events": botEvents = value
    case "flushes": flushes = value
    case "idlings": idlings = value
    case "delivered": delivered = value
    case "cut_texts": cutTexts = value
    case "lost_offsets": lostOffsets = value
    case "rows_without_geography": rowsWithoutGeography = value
    default:
      if let reason = LateReason.allCases.first(where: { "late." + $0.code == name }) {
        lateByReason[Int(reason.rawValue)] = value
      } else if let reason = RejectReason.allCases.first(where: { "rejected." + $0.code == name }) {
        rejectedByReason[Int(reason.rawValue)] = value
      } else {
        return false
      }
    }
    return true
  }
}
