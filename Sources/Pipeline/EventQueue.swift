package import EventDecoding
package import EventSources
package import SessionModel
package import Windowing

/// Events between their decoding and their sessions, a few at a time and in order.
///
/// A table of sessions is larger than any cache, and finding a key's record in it means waiting for memory
/// three times in a row. So an event stays here while the next ones are decoded, and at each
/// of these steps what it needs next is asked for; when it is its turn, all of it is there.
package final class EventQueue {
  private static let length = 4

  private struct Lane: ~Copyable {
    var decoder: EventDecoder
    var event = Event()
    var hash = KeyHash(high: 0, low: 0)
    var slot: UInt32?
    /// The record's place in its batch.
    var index = 0
  }

  private let lanes: UnsafeMutablePointer<Lane>
  private let hasher: KeyHasher
  /// How many events have ever come in, and gone out.
  private var entered = 0
  private var left = 0

  package init(decoding options: DecodingOptions, hasher: KeyHasher) {
    self.hasher = hasher
    lanes = .allocate(capacity: EventQueue.length)
    for lane in 0..<EventQueue.length {
      (lanes + lane).initialize(to: Lane(decoder: EventDecoder(options: options)))
    }
  }

  deinit {
    lanes.deinitialize(count: EventQueue.length)
    lanes.deallocate()
  }

  package var isEmpty: Bool { entered == left }
  package var isFull: Bool { entered - left == EventQueue.length }

  private func lane(_ number: Int) -> UnsafeMutablePointer<Lane> {
    lanes + number % EventQueue.length
  }

  /// Decodes a record into the free place; `enter` makes it the last of the queue.
  ///
  /// - Returns: why it is no event; the queue is as it was then.
  package func decode(_ record: SourceRecord) -> Rejection? {
    let lane = lane(entered)
    return lane.pointee.decoder.decode(
      record.value, valueLength: record.valueLength, recordTime: record.timestamp,
      into: &lane.pointee.event)
  }

  /// The time of the event that was decoded last.
  package var decodedTime: Microseconds { lane(entered).pointee.event.time }

  /// Takes in the event that was decoded last.
  ///
  /// - Parameters:
  ///   - index: of its record in the batch.
  ///   - table: to which it will be added.
  package func enter(index: Int, table: SessionTable) {
    let newest = lane(entered)
    newest.pointee.index = index
    newest.pointee.hash = hasher.hash(newest.pointee.event.key)
    table.prefetchPlace(of: newest.pointee.hash)
    entered += 1
    if entered - left >= 2 {
      let lane = lane(entered - 2)
      lane.pointee.slot = table.prefetchSlot(of: lane.pointee.hash)
    }
    if entered - left >= 3, let slot = lane(entered - 3).pointee.slot {
      table.prefetchRecord(of: slot)
    }
  }

  /// The first event, which its place holds until the next one is decoded.
  package func leave<Result, Failure: Error>(
    _ body: (_ index: Int, Event, KeyHash) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let first = lane(left)
    left += 1
    return try body(first.pointee.index, first.pointee.event, first.pointee.hash)
  }
}
