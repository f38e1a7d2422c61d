package import SessionModel

/// What the header log says of one key: read newest to oldest, the first entry of a key decides.
package struct HeaderEntry: Equatable, Sendable {
  package var hash: KeyHash
  /// `.none` for a tombstone: the key has no session left.
  package var place: RecordPlace
  /// The least `last` event time among the key's sessions, µs; 0 for a tombstone.
  package var leastLast: Microseconds

  package init(hash: KeyHash, place: RecordPlace, leastLast: Microseconds) {
    self.hash = hash
    self.place = place
    self.leastLast = leastLast
  }
}

/// Everything in a checkpoint besides sessions, rows and side outputs.
package struct CheckpointState: Equatable, Sendable {
  /// Counts from 1; 0 is the state before the first checkpoint.
  package var checkpoint: UInt64 = 0
  /// `W`, the task's watermark; `.never` at first.
  package var watermark: Microseconds = .never
  /// `C`, the close line: a session with `last < C` is closed.
  package var closeLine: Microseconds = .never
  package var counters = Counters()
  /// By partition number.
  package var partitions: [PartitionProgress] = []
  /// By name.
  package var sinks: [SinkProgress] = []
  /// Those of the run that made the checkpoint, for the next one to compare with its own.
  package var settings: [KeptSetting] = []
  /// The newest row ever put into the outbox.
  package var newestRow: RowPosition?
  /// The newest row ever taken out of the outbox: no sink can be given rows up to here again.
  package var removedUpTo: RowPosition?
  /// Sessions in the state that are not closed, and closed ones whose row is not in the outbox yet.
  package var openSessions: UInt64 = 0
  package var closingSessions: UInt64 = 0
  /// Rows in the outbox after this checkpoint.
  package var outboxRows: UInt64 = 0
  /// What the side outputs keep after this checkpoint.
  package var kept = KeptSides()
  /// When the checkpoint was frozen, wall clock, µs since 1970. For people only.
  package var frozenAt: Microseconds = 0

  package init() {}
}

/// How many entries of a side output are kept, and their bytes, keys included.
package struct SideTotals: Equatable, Sendable {
  package var rows: UInt64
  package var bytes: UInt64

  package init(rows: UInt64 = 0, bytes: UInt64 = 0) {
    self.rows = rows
    self.bytes = bytes
  }
}

/// The totals of all side outputs.
package struct KeptSides: Equatable, Sendable {
  package var late = SideTotals()
  package var rejected = SideTotals()
  package var bots = SideTotals()

  package var rows: UInt64 { late.rows + rejected.rows + bots.rows }

  package subscript(output: SideOutput) -> SideTotals {
    get {
      switch output {
      case .late: late
      case .rejected: rejected
      case .bots: bots
      }
    }
    set {
      switch output {
      case .late: late = newValue
      case .rejected: rejected = newValue
      case .bots: bots = newValue
      }
    }
  }
}

/// What the state knows of one sink.
package struct SinkProgress: Equatable, Sendable {
  package var name: String
  /// The sink's address without secrets, for `dump`.
  package var url: String
  /// The last row that the sink is known to hold; nil before the first.
  package var acknowledged: RowPosition?
  /// Rows that it held already when the engine derived them again.
  package var skipped: UInt64
  /// Where the sink began, or went on without missing rows: it need not hold a row up to here. Nil:
  /// it began with the first row.
  package var startedAt: RowPosition?

  package init(
    name: String, url: String, acknowledged: RowPosition? = nil, skipped: UInt64 = 0,
    startedAt: RowPosition? = nil
  ) {
    self.name = name
    self.url = url
    self.acknowledged = acknowledged
    self.skipped = skipped
    self.startedAt = startedAt
  }
}
