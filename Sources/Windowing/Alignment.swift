package import SessionModel

/// Which partitions wait for slower ones, so that a slow partition does not pile up the open
/// sessions of the others. Pure.
package enum Alignment {
  /// A partition as alignment sees it.
  package struct Partition {
    package var number: Int32
    /// `W_p`; `.never` before the first event.
    package var watermark: Microseconds
    /// Whether records are left to read: not idle, not at its end or stop offset.
    package var hasMore: Bool

    package init(number: Int32, watermark: Microseconds, hasMore: Bool) {
      self.number = number
      self.watermark = watermark
      self.hasMore = hasMore
    }
  }

  /// The partitions that are not read for now: `W_p > A + maxDrift`, with `A` the least watermark
  /// over those with records left. The one with the least watermark is never among them.
  ///
  /// - Parameter maxDrift: µs.
  package static func held(_ partitions: [Partition], maxDrift: Microseconds) -> [Int32] {
    let slowest = partitions.reduce(Microseconds.max) {
      $1.hasMore ? min($0, $1.watermark) : $0
    }
    guard slowest != .max else { return [] }
    return partitions.filter { $0.watermark > slowest + maxDrift }.map(\.number)
  }
}
