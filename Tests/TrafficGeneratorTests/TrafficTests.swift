import EventDecoding
import SessionModel
import TestSupport
import Testing
import TrafficGenerator

@Suite struct TrafficTests {
  private struct Key: Hashable {
    var userID: [UInt8]
    var ip: [UInt8]
  }

  private struct MadeEvent {
    var key: Key
    var time: Microseconds
    var bytes: Int
  }

  private func options(
    _ events: Int, _ change: (inout TrafficOptions) -> Void = { _ in }
  ) -> TrafficOptions {
    var options = TrafficOptions(events: events)
    change(&options)
    return options
  }

  private func text(_ options: TrafficOptions) -> [UInt8] {
    var generator = TrafficGenerator(options)
    var bytes: [UInt8] = []
    while generator.next(into: &bytes) { bytes.append(UInt8(ascii: "\n")) }
    return bytes
  }

  /// Makes and decodes events; each that is none is an issue.
  private func events(_ options: TrafficOptions) -> [MadeEvent] {
    var generator = TrafficGenerator(options)
    var decoder = EventDecoder()
    var made: [MadeEvent] = []
    var bytes: [UInt8] = []
    var event = Event()
    while generator.next(into: &bytes) {
      bytes.withUnsafeBytes { value in
        let rejection = decoder.decode(
          value, valueLength: value.count, recordTime: .never, into: &event)
        #expect(rejection == nil)
        #expect(event.url != nil && event.host != nil && event.browserFamily != nil)
        #expect(event.osFamily != nil && event.deviceFamily != nil)
        let key = Key(userID: Array(event.userID), ip: Array(event.ip))
        made.append(MadeEvent(key: key, time: event.time, bytes: value.count))
      }
      bytes.removeAll(keepingCapacity: true)
    }
    return made
  }

  /// Events per session, by sort and scan with a gap of five minutes.
  private func sessionLengths(_ events: [MadeEvent]) -> [Int] {
    var times: [Key: [Microseconds]] = [:]
    for event in events { times[event.key, default: []].append(event.time) }
    var lengths: [Int] = []
    for list in times.values {
      var last = Microseconds.never
      for time in list.sorted() {
        if time > last + 300_000_000 { lengths.append(0) }
        lengths[lengths.count - 1] += 1
        last = time
      }
    }
    return lengths
  }

  @Test func `the same options make the same bytes, on every machine`() {
    let small = options(2_000) { $0.seed = 7 }
    let bytes = text(small)
    #expect(bytes == text(small))
    let hash = bytes.withUnsafeBytes { KeyHasher(seed: (0, 0)).hash($0) }
    #expect(String(hash.high, radix: 16) == "fd3f8268081ba079")
    #expect(String(hash.low, radix: 16) == "f19543807db74c82")
  }

  @Test func `another seed makes other traffic`() {
    #expect(text(options(50) { $0.seed = 1 }) != text(options(50) { $0.seed = 2 }))
  }

  @Test(arguments: [0, 1, 1_000])
  func `as many events are made as were asked for, and then nothing`(count: Int) {
    var generator = TrafficGenerator(options(count))
    var bytes: [UInt8] = []
    var answers: [Bool] = []
    for _ in 0..<count { answers.append(generator.next(into: &bytes)) }
    let made = bytes
    for _ in 0..<2 { answers.append(generator.next(into: &bytes)) }
    #expect(answers == Array(repeating: true, count: count) + [false, false])
    #expect(bytes == made)
  }

  @Test func `fewer events are the beginning of more`() {
    #expect(text(options(1_000)).starts(with: text(options(300))))
  }

  @Test func `events are of the size and sessions of the length of real traffic`() {
    // One visitor per 50 events, as `sojourn generate` has it where nothing else is said.
    let made = events(options(60_000) { $0.visitors = 1_200 })
    let mean = made.map(\.bytes).reduce(0, +) / made.count
    #expect((600...700).contains(mean), "\(mean) bytes")
    let lengths = sessionLengths(made)
    let events = Double(made.count) / Double(lengths.count)
    #expect(events >= 12 && events < 50, "\(events) events a session")
    #expect(lengths.contains(1))
    #expect(lengths.contains { $0 > 20 })
  }

  @Test func `event time rises with the rate that was asked for`() {
    let made = events(options(120_000) { $0.rate = 200 })
    // The first visits only just begin: the rate holds once as many end as come.
    let settled = made[60_000...].map(\.time)
    let seconds = Double(settled.max()! - settled.min()!) / 1e6
    let rate = Double(settled.count) / seconds
    #expect(rate > 160 && rate < 240, "\(rate) events/s")
  }

  @Test func `some events come late, by less than the disorder`() {
    let start: Microseconds = 1_700_000_000_000_000
    var newest = start
    var late = 0
    let disorder = 5 * Microseconds.perSecond
    for event in events(
      options(20_000) {
        $0.start = start
        $0.disorder = disorder
      })
    {
      #expect(event.time >= start)
      #expect(event.time > newest - disorder)
      if event.time < newest { late += 1 }
      newest = max(newest, event.time)
    }
    #expect(late > 200 && late < 2_000, "\(late) of 20,000")
  }

  @Test func `without disorder events come in the order of their times`() {
    let times = events(options(5_000) { $0.disorder = 0 }).map(\.time)
    #expect(times == times.sorted())
  }

  @Test func `visitors log in midway, come back, and some have IPv6`() {
    let made = events(options(30_000) { $0.visitors = 500 })
    var usersByAddress: [[UInt8]: Set<[UInt8]>] = [:]
    for event in made { usersByAddress[event.key.ip, default: []].insert(event.key.userID) }
    #expect(usersByAddress.count <= 500)
    #expect(usersByAddress.values.contains { $0.contains([]) && $0.count > 1 })
    #expect(usersByAddress.keys.contains { $0.contains(UInt8(ascii: ":")) })
    let loggedIn = made.count { !$0.key.userID.isEmpty }
    #expect(loggedIn > made.count / 20 && loggedIn < made.count / 2)
    #expect(sessionLengths(made).count > usersByAddress.count)
  }
}
