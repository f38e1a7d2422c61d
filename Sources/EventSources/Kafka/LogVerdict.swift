/// Whether a partition's log still holds what comes next for us.
enum LogVerdict: Equatable {
  case intact
  /// Records from our position up to `low` were deleted unread.
  case deleted(count: UInt64)
  /// The log ends before our position: it was made anew, or cut.
  case shrunk

  /// - Parameters:
  ///   - next: the offset that we read next.
  ///   - low, high: where the log begins and ends.
  init(next: Int64, low: Int64, high: Int64) {
    if high < next {
      self = .shrunk
    } else if low > next {
      self = .deleted(count: UInt64(low - next))
    } else {
      self = .intact
    }
  }
}

/// The messages for lost input; each says what happened, that the state is safe, and the choices.
struct LossMessage {
  var topic: String
  var partition: Int32

  private static let choices =
    "The state is unchanged. Either begin anew with another --state directory (and --job), or go on "
    + "with what the topic holds: --on-data-loss continue."

  func deleted(_ count: UInt64, next: Int64, low: Int64) -> String {
    "topic \(topic) partition \(partition): \(count) offsets from \(next) on were deleted before "
      + "they were read (the log now begins at \(low)). \(Self.choices)"
  }

  func shrunk(next: Int64, high: Int64) -> String {
    "topic \(topic) partition \(partition): the log ends at offset \(high), but it had been read up "
      + "to \(next): the topic was recreated or truncated. \(Self.choices)"
  }

  func replaced(offset: Int64) -> String {
    "topic \(topic) partition \(partition): the record at offset \(offset) is not the one that was "
      + "read there: the topic was recreated or another cluster answers. \(Self.choices)"
  }

  func unrecognised(next: Int64, cluster: String) -> String {
    "topic \(topic) partition \(partition): the brokers are of another cluster (\(cluster)) than the "
      + "one that was read, and the last record read before offset \(next) is not there to recognise "
      + "the log by. \(Self.choices)"
  }

  func missingPartition(count: Int) -> String {
    "topic \(topic) has \(count) partitions, but partition \(partition) had been read: the topic was "
      + "recreated with fewer. \(Self.choices)"
  }
}
