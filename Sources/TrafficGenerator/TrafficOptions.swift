package import SessionModel

/// What traffic to make; the same values make the same bytes on every machine.
package struct TrafficOptions: Equatable, Sendable {
  package var events: Int
  package var seed: UInt64 = 1
  /// People who come, go and come back; at least 1.
  package var visitors: Int = 1_000
  /// Events per second of event time.
  package var rate: Int = 100
  /// The first event's time, µs since 1970.
  package var start: Microseconds = 0
  /// One event in 20 comes up to this many µs behind the newest one.
  package var disorder: Microseconds = 20 * .perSecond

  package init(events: Int) { self.events = events }
}

/// The shape of a visit. Times in µs.
enum Visit {
  /// One visit in this many is a single event.
  static let bounceOneIn: UInt64 = 8
  /// The others have so many events: 14 on average, 12.4 with the bounces.
  static let events: ClosedRange<UInt64> = 4...24
  static let meanEventsTimesTen: Int64 = 124
  /// Between two events of a visit.
  static let pause: ClosedRange<UInt64> = 500_000...40_000_000
  /// One pause in this many is long enough to end the session in between.
  static let breakOneIn: UInt64 = 60
  static let breakLength: ClosedRange<UInt64> = 360_000_000...1_500_000_000
  /// One event in this many comes late (`TrafficOptions.disorder`).
  static let disorderOneIn: UInt64 = 20
  /// One visitor in this many has an account; half of their visits log in midway.
  static let accountOneIn: UInt64 = 3
  /// One visitor in this many has an IPv6 address.
  static let sixOneIn: UInt64 = 10
}

extension SplitMix {
  mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

  mutating func oneIn(_ n: UInt64) -> Bool { below(n) == 0 }

  mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }
}
