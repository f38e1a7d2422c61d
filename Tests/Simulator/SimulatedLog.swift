import SessionModel
import TestSupport

/// A small random log over a few partitions, with what a reader must make of each record.
///
/// Times coincide often, lie exactly at the gap and at the border of lateness, and one microsecond
/// beside both. Every third event is a bot's.
struct SimulatedLog {
  struct Record {
    var offset: Int64
    /// The Kafka timestamp; `.never` for none.
    var timestamp: Microseconds
    /// Nil for a null value.
    var value: [UInt8]?
    var content: Content
    /// Texts of the event that are longer than what is kept of them.
    var cutTexts = 0
  }

  enum Content {
    case event(LoggedEvent)
    case rejected(RejectReason, EventField?)
  }

  /// Spans that the events are made for.
  struct Spans {
    var gap: Microseconds
    var outOfOrderness: Microseconds
    /// `--max-future-skew`; nil for off.
    var futureSkew: Microseconds?
  }

  private(set) var partitions: [[Record]] = []
  /// Behind the last record of each partition, and behind control records after it.
  private(set) var ends: [Int64] = []

  init(_ random: inout RandomNumbers, _ spans: Spans) {
    let hasTimestamps = spans.futureSkew != nil || random.oneIn(2)
    let users = random.pick([[""], ["", "1"]])
    let addresses = random.pick([["8.8.8.8"], ["8.8.8.8", "b"]])
    for partition in 0..<Int32(1 + random.below(4)) {
      var records: [Record] = []
      var clock: Microseconds = 1_000 * .perSecond
      var offset: Int64 = random.oneIn(4) ? 7 : 0
      for _ in 0..<random.below(random.pick([2, 12, 30])) {
        clock += random.pick([
          0, 0, 100_000, spans.gap / 2, spans.gap - 1, spans.gap, spans.gap + 1, 2 * spans.gap,
        ])
        let back = random.pick([
          0, 0, 0, 0, 1, spans.outOfOrderness / 2, spans.outOfOrderness, spans.outOfOrderness + 1,
          spans.gap, 2 * spans.gap + spans.outOfOrderness,
        ])
        records.append(
          SimulatedLog.record(
            EventPoint(time: clock - back, partition: partition, offset: offset), &random, spans,
            hasTimestamps: hasTimestamps, users: users, addresses: addresses))
        offset += random.oneIn(12) ? 3 : 1
      }
      partitions.append(records)
      ends.append((records.last?.offset ?? offset - 1) + (random.oneIn(4) ? 3 : 1))
    }
  }

  /// Where an event of one visitor stands, in the order in which a log is read.
  struct Place {
    var partition: Int
    /// µs after the first of the log's times.
    var time: Microseconds
  }

  /// Events of one visitor, each with its own page; offsets without holes.
  init(_ places: [Place], partitions count: Int) {
    partitions = (0..<count).map { _ in [] }
    for (index, place) in places.enumerated() {
      let point = EventPoint(
        time: 1_000 * .perSecond + place.time, partition: Int32(place.partition),
        offset: Int64(partitions[place.partition].count))
      let event = LoggedEvent(point: point, userID: "", ip: "a", url: "/\(index)", referrer: nil)
      partitions[place.partition].append(
        Record(offset: point.offset, timestamp: .never, value: event.json, content: .event(event)))
    }
    ends = partitions.map { Int64($0.count) }
  }

  private static func record(
    _ point: EventPoint, _ random: inout RandomNumbers, _ spans: Spans, hasTimestamps: Bool,
    users: [String], addresses: [String]
  ) -> Record {
    var event = LoggedEvent(
      point: point, userID: random.pick(users), ip: random.pick(addresses),
      url: "/" + String(repeating: "x", count: random.below(40)),
      referrer: random.pick([nil, "r"]),
      device: (point.offset + Int64(point.partition)) % 3 == 0 ? "Spider" : nil)
    var record = Record(
      offset: point.offset, timestamp: hasTimestamps ? point.time + 1_000 : .never,
      value: event.json, content: .event(event))
    if random.oneIn(40) {
      // Cut before the character of two bytes that the limit would halve.
      let kept = "/" + String(repeating: "x", count: Limits.keptTextBytes - 2)
      event.url = kept + "\u{e9}"
      record.value = event.json
      event.url = kept
      record.content = .event(event)
      record.cutTexts = 1
    }
    if let skew = spans.futureSkew, random.oneIn(10) {
      let isAhead = random.oneIn(2)
      record.timestamp = point.time - skew - (isAhead ? 1 : 0)
      if isAhead { record.content = .rejected(.aheadOfRecord, .eventTime) }
    }
    if random.oneIn(12) {
      let (value, reason, field): ([UInt8]?, RejectReason, EventField?) = random.pick([
        (nil, .nullValue, nil), (Array("x".utf8), .notJSON, nil),
        (Array("[1]".utf8), .notObject, nil),
        (Array("{\"event_time\":1000000}".utf8), .missingIP, .ip),
      ])
      record.value = value
      record.content = .rejected(reason, field)
    }
    return record
  }

  /// Where reading stands once the first `count` records of a partition were read.
  func position(_ partition: Int, behind count: Int) -> Int64 {
    count == 0
      ? (partitions[partition].first?.offset ?? ends[partition])
      : partitions[partition][count - 1].offset + 1
  }
}
