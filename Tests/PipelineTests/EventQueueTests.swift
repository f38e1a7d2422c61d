import EventDecoding
import EventSources
import Pipeline
import SessionModel
import TestSupport
import Testing
import Windowing

/// Events that wait behind their decoding.
@Suite struct EventQueueTests {
  private static func record(_ number: Int, _ random: inout RandomNumbers) -> String {
    let users = ["\(number)", "\"user \\u00e9 \(number)\"", "null"]
    let ips = ["10.0.\(number / 256).\(number % 256)", "2001:DB8:0:0::\(number)", "x\(number)"]
    if random.oneIn(5) { return #"{"ip":"10.0.0.1","event_time":}"# }
    let page = "/\\n" + String(repeating: "p", count: random.below(50)) + "\(number)"
    return #"{"user_id":\#(random.pick(users)),"ip":"\#(random.pick(ips))","url":"\#(page)","#
      + #""event_time":"2025-03-01T10:00:0\#(number % 10)Z","referrer":"r\#(number)"}"#
  }

  private static func text(_ event: Event) -> String {
    [event.key, event.userID, event.ip, event.url, event.referrer]
      .map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "–" }.joined(separator: "|")
      + "|\(event.time)"
  }

  @Test func `events come out in order, each as it was decoded, whatever came behind it`() throws {
    var random = RandomNumbers(seed: 7)
    let hasher = KeyHasher(seed: (3, 4))
    let values = (0..<2_000).map { Array(Self.record($0, &random).utf8) }
    // Room behind the text, as librdkafka's messages have.
    let memory = values.map { value in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count + 64, alignment: 1)
      copy.initializeMemory(as: UInt8.self, repeating: 0)
      copy.copyBytes(from: value)
      return UnsafeRawBufferPointer(rebasing: copy[..<value.count])
    }
    defer { for value in memory { value.deallocate() } }

    let table = SessionTable(gap: 1) { _, _, _ in Issue.record("nothing is on disk") }
    let queue = EventQueue(decoding: DecodingOptions(), hasher: hasher)
    var decoder = EventDecoder()
    var event = Event()
    var (found, expected): ([String], [String]) = ([], [])
    func leave() {
      queue.leave { index, event, hash in
        found.append("\(index) \(Self.text(event)) \(hash)")
      }
    }
    for (index, value) in memory.enumerated() {
      let record = SourceRecord(
        offset: Int64(index), timestamp: .never, value: value, valueLength: value.count)
      let rejection = decoder.decode(
        value, valueLength: value.count, recordTime: .never, into: &event)
      #expect(queue.decode(record) == rejection)
      guard rejection == nil else { continue }
      expected.append("\(index) \(Self.text(event)) \(hasher.hash(event.key))")
      #expect(queue.decodedTime == event.time)
      queue.enter(index: index, table: table)
      if queue.isFull { leave() }
      if random.oneIn(20) { while !queue.isEmpty { leave() } }
    }
    while !queue.isEmpty { leave() }
    #expect(found == expected && found.count > 1_000)
  }
}
