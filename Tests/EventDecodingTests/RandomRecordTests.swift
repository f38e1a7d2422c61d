import EventDecoding
import SessionModel
import TestSupport
import Testing

@Suite struct RandomRecordTests {
  private static let records: [[UInt8]] = [
    record(
      #""user_id":1640,"url":"/a?q=\u00e9","referrer":"http://r/","host":"h","academy_id":null"#,
      #""user_agent":{"family":"Chrome","device":{"family":"Mac"},"os":{"family":"Mac OS X"}}"#,
      #""headers":{"list":[1,-2.5,true,{"a":"b"}]}"#),
    record(
      ip: #""[2001:DB8::0:1]:443""#, time: #""2015-05-17T10:05:03.25+02:00""#, #""user_id":"7""#),
    record(ip: #""::ffff:1.2.3.4""#, time: "1700000000.25", #""user_agent":"Mozilla/5.0 😀""#),
  ].map { Array($0.utf8) }

  /// Bytes that JSON gives a meaning, and some that break UTF-8.
  private static let spice =
    Array("{}[]\":,\\.-+eE0179ntuf/:%Zz ".utf8) + [0, 0x0A, 0x7F, 0xC3, 0xFF]

  private func mutate(_ record: [UInt8], _ random: inout RandomNumbers) -> [UInt8] {
    var bytes = record
    for _ in 0...random.below(3) where !bytes.isEmpty {
      let place = random.below(bytes.count)
      switch random.below(6) {
      case 0: bytes[place] = random.pick(Self.spice)
      case 1: bytes[place] ^= 1 << UInt8(random.below(8))
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(random.pick(Self.spice), at: place)
      case 4: bytes.removeSubrange(place..<min(bytes.count, place + random.below(12)))
      default:
        let end = min(bytes.count, place + random.below(40))
        bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
      }
    }
    return bytes
  }

  private func check(_ event: DecodedEvent, _ decoder: inout EventDecoder, seed: UInt64) {
    #expect(event.time >= 0 && event.time <= 253_402_300_799_999_999, "seed \(seed)")
    #expect(!event.ip.isEmpty, "seed \(seed)")
    #expect(!event.texts.contains(DecodedEvent.brokenText), "seed \(seed)")
    let keys = Array((event.userID + event.ip).utf8)
    #expect(keys.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "seed \(seed)")
    #expect(decoder.outcome(event.asRecord) == .event(event), "seed \(seed)")
  }

  @Test func `a damaged record gives an event that can be, or a rejection`() {
    var decoder = EventDecoder()
    var other = EventDecoder()
    var events = 0
    var reasons: Set<RejectReason> = []
    for seed in 0..<60_000 as Range<UInt64> {
      var random = RandomNumbers(seed: seed)
      let bytes = mutate(random.pick(Self.records), &random)
      let outcome = decoder.outcome(bytes)
      switch outcome {
      case .event(let event):
        events += 1
        check(event, &other, seed: seed)
      case .rejected(let rejection): reasons.insert(rejection.reason)
      }
      // What was decoded before must not show: `other` has seen other records.
      #expect(other.outcome(bytes) == outcome, "seed \(seed)")
    }
    #expect(events > 5_000)
    let expected: Set<RejectReason> = [
      .notJSON, .badText, .wrongType, .missingIP, .missingTime, .badTime, .timeWithoutOffset,
    ]
    #expect(reasons.isSuperset(of: expected))
  }

  @Test func `bytes at random give a rejection`() {
    var decoder = EventDecoder()
    for seed in 0..<20_000 as Range<UInt64> {
      var random = RandomNumbers(seed: seed)
      let bytes = (0..<random.below(64)).map { _ in
        random.oneIn(2) ? random.pick(Self.spice) : UInt8(random.below(256))
      }
      #expect(decoder.outcome(bytes).rejection != nil, "seed \(seed)")
    }
  }

  @Test func `every beginning of a record is rejected`() {
    var decoder = EventDecoder()
    for whole in Self.records {
      for count in 0..<whole.count {
        #expect(decoder.outcome(Array(whole[..<count])).rejection?.reason == .notJSON)
      }
      #expect(decoder.outcome(whole).event != nil)
    }
  }
}
