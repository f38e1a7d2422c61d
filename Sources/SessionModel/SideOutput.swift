/// What is kept beside the rows for sinks.
package enum SideOutput: String, CaseIterable, Sendable {
  /// Records whose event came too late.
  case late
  /// Records that are no events.
  case rejected
  /// Rows of bots' sessions, where `--drop-bots` keeps them from the sinks.
  case bots

  /// What it holds, in words.
  package var contents: String {
    switch self {
    case .late: "late records"
    case .rejected: "rejected records"
    case .bots: "sessions of bots"
    }
  }
}

/// One entry of a side output: kept in the state until it is purged or written elsewhere.
package enum SideEntry: Hashable, Sendable {
  /// Of the late or of the rejected ones.
  case record(SideRecord)
  /// Of the bots: an encoded `SessionRow`.
  case row([UInt8])

  /// Where it belongs, in words.
  package var place: String {
    switch self {
    case .record(let record): "partition \(record.partition), offset \(record.offset)"
    case .row(let bytes): SessionRow.position(ofEncoded: bytes).description
    }
  }
}
