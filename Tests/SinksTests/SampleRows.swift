import SessionModel
import Sinks

/// Rows made up for tests; row `n` lies before row `n + 1`.
enum SampleRows {
  static let firstEnd: Microseconds = 1_431_857_103_000_000

  static let identity = JobIdentity(
    job: "web", fingerprint: Fingerprint(topic: "events", gap: 300_000_000))
  static let otherJob = JobIdentity(
    job: "shop", fingerprint: Fingerprint(topic: "events", gap: 300_000_000))
  static let otherGap = JobIdentity(
    job: "web", fingerprint: Fingerprint(topic: "events", gap: 600_000_000))

  static func owner(_ number: UInt8) -> OwnerID {
    OwnerID(random: [UInt8](repeating: number, count: 16))
  }

  static func batch(_ numbers: Range<Int>) -> RowBatch {
    var batch = RowBatch()
    for number in numbers { batch.append { append(number, to: &$0) } }
    return batch
  }

  /// Two neighbours in three end at the same time, so that the id decides.
  static func append(_ number: Int, to bytes: inout [UInt8]) {
    let end = firstEnd + Microseconds(number / 3) * 1_000_001
    append(
      number: number, start: end - 61_000_007, end: end, eventCount: UInt64(number % 40 + 1),
      pages: PageCounts(views: UInt64(number % 40), distinct: UInt64(number % 67)),
      texts: [
        .userID: number % 2 == 0 ? nil : "\(number)",
        .ip: "10.0.\(number / 250 % 250).\(number % 250)",
        .landingURL: "https://shop.example/articles/\(number)?from=search",
        .exitURL: "https://shop.example/basket",
        .referrer: number % 3 == 0 ? nil : "https://find.example/",
        .host: "shop.example", .browserFamily: "Firefox", .osFamily: "Linux",
        .deviceFamily: "Other",
      ], to: &bytes)
  }

  static func append(
    number: Int, start: Microseconds, end: Microseconds, eventCount: UInt64 = 1,
    pages: PageCounts = PageCounts(views: 1, distinct: 1), texts: [RowText: String?],
    to bytes: inout [UInt8]
  ) {
    let id = SessionID(words: (UInt64(number), 0x0123_4567_89AB_CDEF, .max, UInt64(number)))
    var owned = texts.compactMapValues { $0.map { Array($0.utf8) } }
    if owned[.ip] == nil { owned[.ip] = Array("192.0.2.1".utf8) }
    if owned[.channel] == nil { owned[.channel] = Array("direct".utf8) }
    let all = RowText.allCases.map { owned[$0] }
    // Each text is copied to a place of its own, since views may not leave `withUnsafeBytes`.
    let buffers = all.map { text -> UnsafeMutableRawBufferPointer? in
      guard let text else { return nil }
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(1, text.count), alignment: 1)
      buffer.copyBytes(from: text)
      return UnsafeMutableRawBufferPointer(rebasing: buffer[..<text.count])
    }
    defer { for buffer in buffers { buffer?.deallocate() } }
    SessionRow.append(
      id: id, start: start, end: end, eventCount: eventCount, pages: pages,
      texts: { text in buffers[text.rawValue].map { TextView($0) } }, to: &bytes)
  }

  /// The rows as JSON lines, as every sink's export must be.
  static func lines(_ batches: RowBatch...) -> [String] {
    var lines: [String] = []
    for batch in batches {
      let json = SessionRowJSON()
      func append(_ row: SessionRow) {
        var bytes: [UInt8] = []
        json.append(row, to: &bytes)
        lines.append(String(decoding: bytes, as: UTF8.self))
      }
      batch.forEachRow(append)
    }
    return lines
  }
}
