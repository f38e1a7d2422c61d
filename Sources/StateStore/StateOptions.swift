package import SessionModel

/// How a state is opened.
package struct StateOptions: Sendable {
  /// Up to how many rows and bytes a side output is kept; nil for without end.
  package var sideLimits: [SideOutput: SideTotals] = [
    .late: sideLimit, .rejected: sideLimit, .bots: sideLimit,
  ]
  package static let sideLimit = SideTotals(rows: 1_000_000, bytes: 1 << 30)
  /// Answers of a geography service that are kept, at most.
  package var geographyRows: UInt64 = 1_000_000
  /// Below this size the log of sessions is never cleaned.
  package var cleaningFloor = SegmentLedger.floorBytes
  /// Address space for the file, which grows in it by itself; less where the system refuses.
  package var mapBytes = EnvironmentLimits.mapBytes
  /// Called in a commit before each of its steps; what it throws is the commit's failure. For
  /// tests, which end the process's life there.
  package var beforeStep: (@Sendable (CommitStep, _ checkpoint: UInt64) throws(StateError) -> Void)?

  package init() {}
}

/// The steps of a commit, in their order, all in one transaction.
package enum CommitStep: CaseIterable, Sendable {
  case dropSegments
  case writeSegment
  case removeRows
  case appendRows
  case putSideEntries
  case putGeography
  case putState
  /// The transaction itself: nothing of it is there before.
  case commit
}

/// Bounds of one checkpoint, so that its transaction stays below LMDB's 131,071 dirty pages: above,
/// pages spill, and this version leaks them.
package enum DraftLimits {
  /// Packed records, envelopes included.
  package static let recordBytes = 256 << 20
  /// Keys: records and tombstones.
  package static let keys = 4_000_000
  /// Rows entering the outbox, and those of bots: one page each in the worst case.
  package static let rows = 50_000
  package static let rowBytes = 128 << 20
  /// Late and rejected records together: one run of pages each in the worst case.
  package static let sideRecords = 30_000
  /// Answers of a geography service.
  package static let answers = 20_000
}

/// Limits of the LMDB environment.
enum EnvironmentLimits {
  /// Only address space: the file grows as it is filled. Halved where the system refuses.
  static let mapBytes = 1 << 40
  /// Of the smallest pages, so many fill the map.
  static let mostPages = UInt64(mapBytes / 4_096)
  static let leastMapBytes = 1 << 28
  static let readers: UInt32 = 256
  /// Holds LMDB's table of so many readers, 64 bytes each, and what stands before it.
  static let lockFileBytes = Int(readers) * 64 + 4_096
  static let databases: UInt32 = 16
  /// File permissions: the state holds visitors' addresses.
  static let fileMode: UInt32 = 0o600
  static let directoryMode: UInt32 = 0o700
  /// Beyond what a transaction writes, so much of the file is kept ready for LMDB's own pages.
  static let sparePages = 1_024
}
