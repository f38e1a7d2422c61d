/// The place of an event in the total order over all events: by time, then partition, then offset.
///
/// "First" and "last" event of a session mean the least and the greatest point, so that every
/// interleaving of the partitions gives the same session.
package struct EventPoint: Comparable, Hashable, Sendable {
  /// Event time in µs since 1970.
  package var time: Microseconds
  package var partition: Int32
  package var offset: Int64

  @inlinable
  package init(time: Microseconds, partition: Int32, offset: Int64) {
    self.time = time
    self.partition = partition
    self.offset = offset
  }

  @inlinable
  package static func < (left: EventPoint, right: EventPoint) -> Bool {
    if left.time != right.time { return left.time < right.time }
    if left.partition != right.partition { return left.partition < right.partition }
    return left.offset < right.offset
  }
}
