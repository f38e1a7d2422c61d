#if PLANTED_BUGS
  /// Faults that a build with `SOJOURN_PLANTED_BUGS=1` carries at their places in the code, to show
  /// that the simulator finds each (docs/guarantees.md). The ordinary build holds none of this.
  package enum PlantedBug: String, CaseIterable, Sendable {
    /// A checkpoint holds the offset of partition 0 as it was one checkpoint before.
    case staleOffset
    /// A key whose sessions are gone leaves no tombstone.
    case tombstoneForgotten
    /// A delivery counts rows as held before the sink has taken them.
    case acknowledgedBeforeWrite
    /// An event exactly one gap behind a session's last opens another.
    case gapExclusive
    /// An event exactly at the watermark counts as late.
    case lateAtWatermark
    /// A session closes when `last + gap` has reached the watermark, not when it is behind it.
    case closedOneEarly
    /// An event extends a closed session that waits for its row.
    case closedSessionTouched
    /// A checkpoint forgets `M_p`.
    case greatestTimeForgotten
    /// A late event does not raise `M_p`.
    case lateEventIgnored
    /// A checkpoint forgets the late records that belong to it.
    case lateRecordsDropped
    /// Rows of bots go to the outbox though they are to be dropped.
    case botsNotDropped
    /// Rows leave the outbox when the first sink holds them.
    case removedWhenOneSinkHolds
    /// Of a sink that is ahead, the first row that it lacks is skipped too.
    case oneRowTooManySkipped
    /// A restart takes the oldest version of a key's record.
    case oldestHeaderDecides
    /// A checkpoint forgets the watermark.
    case watermarkForgotten
    /// A checkpoint forgets that a flush moved the close line.
    case flushForgotten
    /// Records are processed before a flush is durable.
    case flushNotDurable
    /// A restart counts flushes from zero.
    case counterForgotten
    /// A restart believes the state about what a sink holds.
    case sinkNotAsked
    /// A write with unknown outcome counts as failed.
    case unknownTakenAsFailed
    /// Of events at one time, the first stays the session's exit.
    case tieIgnored
    /// A run ends well though rows wait for a sink that is down.
    case endedWithRowsLeft
    /// Rows that a sink had already are left out without being counted.
    case skippedUncounted

    /// Set once, before anything runs.
    nonisolated(unsafe) package static var active: PlantedBug?
  }

  /// Whether the program runs with this bug.
  @inline(__always)
  package func planted(_ bug: PlantedBug) -> Bool { PlantedBug.active == bug }
#endif
