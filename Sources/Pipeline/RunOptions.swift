package import EventDecoding
package import SessionModel
import StateStore

/// What a run is to do; spans in µs, nil for "off".
package struct RunOptions: Sendable {
  package var gap: Microseconds = 300 * .perSecond
  /// `--split-every`; 0 for off.
  package var split: Microseconds = 0
  /// `--drop-bots`.
  package var dropsBots = false
  package var outOfOrderness: Microseconds = 60 * .perSecond
  package var idleTimeout: Microseconds? = 60 * .perSecond
  package var quietClose: Microseconds? = 420 * .perSecond
  package var maxFutureSkew: Microseconds? = 600 * .perSecond
  package var maxDrift: Microseconds? = 600 * .perSecond
  package var checkpointInterval: Microseconds = 5 * .perSecond
  /// The source ends by itself: no timers, and partitions leave the watermark at their stop.
  package var isBounded = false
  /// The end of the log is the end of time: flush there (bounded runs only).
  package var closeAll = false
  package var runFor: Microseconds?
  package var shutdownTimeout: Microseconds = 30 * .perSecond
  /// Rows in the outbox at which reading pauses.
  package var outboxLimit: UInt64 = 1_000_000
  /// How long a closed session may wait for what a geography service says of its address; nil: for ever.
  package var geographyDeadline: Microseconds? = 30 * .perSecond
  /// What a service said longer ago is asked for again.
  package var geographyTimeToLive: Microseconds = 30 * .perDay
  package var adoptTable = false
  /// Names of sinks that may go on without rows that are gone.
  package var acceptMissingRows: Set<String> = []
  package var dropSinks: Set<String> = []
  package var decoding = DecodingOptions()
  /// What the state keeps of the settings, to say at the next start what has changed.
  package var settings: [KeptSetting] = []
  package var bounds = RunBounds()

  package init() {}
}

/// Bounds of checkpoints and of writes to sinks. No flag sets them; a simulator has them low, so
/// that a few events reach them.
package struct RunBounds: Sendable {
  /// A checkpoint is taken early at this many changed keys or bytes of changed records.
  package var changedKeys = 200_000
  package var changedBytes = 64 << 20
  /// The same for closed sessions that wait for their row.
  package var closingSessions: UInt64 = 25_000
  /// The same for late and rejected records that wait for it.
  package var sideRecords = 10_000
  /// Rows that one checkpoint puts into the outbox, or among those of bots.
  package var rowsPerCheckpoint = DraftLimits.rows
  /// Rows of one write to a sink.
  package var rowsPerWrite = 5_000
}

/// Limits of the processing loop.
enum RunLimits {
  /// Rows that enter the outbox are taken in pieces of this size, until a transaction is full.
  static let rowsPerPiece = 1_000
  /// The longest wait for records before timers are looked at again, µs.
  static let pollWait: Microseconds = 100_000
  /// How long the start waits for sinks to say whether their table is ours, before reading.
  static let sinkCheckWait: Microseconds = 5 * .perSecond
  /// The longest time between checkpoints while a full outbox keeps reading paused, µs.
  static let pausedCheckpointInterval: Microseconds = 1 * .perSecond
  /// How long the end waits for a write to a sink that is under way.
  static let sinkCloseWait: Microseconds = 2 * .perSecond
  /// Entries of a side output in one write.
  static let sideEntriesPerWrite = 50_000
  /// Bytes of one write to a sink.
  static let bytesPerWrite = 8 << 20
  /// The pauses between tries of a sink that is down, µs: doubled from the first to the last.
  static let firstRetryPause: Microseconds = 100_000
  static let lastRetryPause: Microseconds = 5 * .perSecond
}
