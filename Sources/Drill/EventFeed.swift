import SessionModel
import TrafficGenerator

/// The drill's log as it will be sent: made traffic, some of it late, some of it broken.
///
/// A pure function of its seed and number of events.
struct EventFeed {
  /// The log covers so many seconds of event time, however many events it has: sessions close all
  /// the time.
  private static let seconds = 6_000
  private static let eventsPerVisitor = 50
  /// Beyond the minute that `run` allows: some events are late.
  private static let disorder: Microseconds = 75 * .perSecond
  /// One event in this many is cut in half, and so rejected.
  private static let brokenOneIn: UInt64 = 1_000

  private let seed: UInt64
  private var traffic: TrafficGenerator
  private(set) var made = 0

  init(events: Int, seed: UInt64) {
    var options = TrafficOptions(events: events)
    options.seed = seed
    options.visitors = max(1, events / EventFeed.eventsPerVisitor)
    options.rate = max(1, events / EventFeed.seconds)
    options.start = 1_735_689_600 * .perSecond
    options.disorder = EventFeed.disorder
    self.seed = seed
    traffic = TrafficGenerator(options)
  }

  /// Makes the next record's value.
  ///
  /// - Returns: the partition for it; nil after the last one.
  mutating func next(partitions: Int, into bytes: inout [UInt8]) -> Int32? {
    bytes.removeAll(keepingCapacity: true)
    guard traffic.next(into: &bytes) else { return nil }
    if SplitMix.mix(seed ^ UInt64(made)) % EventFeed.brokenOneIn == 0 {
      bytes.removeLast(bytes.count / 2)
    }
    // Spread evenly and without a pattern (Fibonacci hashing; Knuth, TAOCP 3, 6.4).
    let hash = UInt64(made) &* 0x9E37_79B9_7F4A_7C15
    made += 1
    return Int32(hash >> 33 % UInt64(partitions))
  }
}
