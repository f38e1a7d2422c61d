import EventDecoding
import SessionModel
import Testing
import TrafficGenerator

@Suite struct TrafficGeneratorTests {
  private static func events(_ options: TrafficOptions) -> [[UInt8]] {
    var generator = TrafficGenerator(options)
    var events: [[UInt8]] = []
    var event: [UInt8] = []
    while generator.next(into: &event) {
      events.append(event)
      event = []
    }
    return events
  }

  private static func options(_ count: Int, seed: UInt64) -> TrafficOptions {
    var options = TrafficOptions(events: count)
    options.seed = seed
    options.visitors = 400
    options.start = 1_735_689_600 * .perSecond
    return options
  }

  @Test func `one seed makes the same bytes again, another one others`() {
    let events = Self.events(Self.options(2_000, seed: 1))
    #expect(events.count == 2_000)
    #expect(events == Self.events(Self.options(2_000, seed: 1)))
    #expect(events != Self.events(Self.options(2_000, seed: 2)))
  }

  @Test func `events are whole, of 600 to 700 bytes on average, and out of order within bounds`()
    throws
  {
    let options = Self.options(20_000, seed: 3)
    var decoder = EventDecoder()
    var event = Event()
    var greatest = Microseconds.never
    var bytes = 0
    var loggedIn = 0
    var behind = 0
    for record in Self.events(options) {
      bytes += record.count
      let rejection = record.withUnsafeBytes {
        decoder.decode($0, valueLength: $0.count, recordTime: .never, into: &event)
      }
      try #require(rejection == nil)
      try #require(event.time >= options.start)
      try #require(event.time >= greatest - options.disorder)
      if event.time < greatest { behind += 1 }
      greatest = max(greatest, event.time)
      if !event.userID.isEmpty { loggedIn += 1 }
    }
    #expect((600...700).contains(bytes / 20_000))
    #expect((500...2_000).contains(behind), "about one in 20")
    #expect((2_000...10_000).contains(loggedIn))
    // 20,000 events at 100 a second, give or take the visits that are still going on.
    #expect((100...400).contains((greatest - options.start) / .perSecond))
  }
}
