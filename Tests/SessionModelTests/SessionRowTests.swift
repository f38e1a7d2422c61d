import SessionModel
import TestSupport
import Testing

@Suite struct SessionRowTests {
  private static let id = SessionID(words: (1, 2, 3, 0xFFFF_FFFF_FFFF_FFFF))

  private func encode(
    start: Microseconds = 1_000, end: Microseconds = 2_500_999, count: UInt64 = 7,
    _ texts: [RowText: [UInt8]]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    let all = texts.mapValues { text in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
      copy.copyBytes(from: text)
      return TextView(copy)
    }
    SessionRow.append(
      id: SessionRowTests.id, start: start, end: end, eventCount: count, texts: { all[$0] },
      to: &bytes)
    for view in all.values { view.deallocate() }
    return bytes
  }

  private func randomTexts(_ random: inout RandomNumbers) -> [RowText: [UInt8]] {
    var texts: [RowText: [UInt8]] = [:]
    for text in RowText.allCases where !random.oneIn(3) {
      let length = random.oneIn(4) ? 0 : random.oneIn(10) ? 2_048 : random.below(40)
      texts[text] = (0..<length).map { _ in UInt8(random.below(256)) }
    }
    return texts
  }

  @Test func `a row gives back what was encoded`() throws {
    for seed in 0..<300 as Range<UInt64> {
      var random = RandomNumbers(seed: seed)
      let texts = randomTexts(&random)
      let bytes = encode(texts)
      try bytes.withUnsafeBytes { bytes in
        let row = try #require(SessionRow(bytes: bytes))
        #expect(row.sessionID == SessionRowTests.id)
        #expect(row.sessionStart == 1_000)
        #expect(row.sessionEnd == 2_500_999)
        #expect(row.durationMs == 2_499)
        #expect(row.eventCount == 7)
        #expect(row.isLoggedIn == (texts[.userID] != nil))
        #expect(row.position == RowPosition(sessionEnd: 2_500_999, sessionID: SessionRowTests.id))
        for text in RowText.allCases { #expect(row[text].map { Array($0) } == texts[text]) }
      }
    }
  }

  @Test func `the longest text is told from null`() throws {
    let longest = [UInt8](repeating: 0x61, count: 65_534)
    try encode([.city: longest]).withUnsafeBytes { bytes in
      let row = try #require(SessionRow(bytes: bytes))
      #expect(row[.city].map { Array($0) } == longest)
      #expect(row[.state] == nil)
    }
  }

  @Test func `a row that is cut or longer is none`() {
    let whole = encode([.ip: Array("192.0.2.1".utf8), .city: Array("Bonn".utf8)])
    for count in 0..<whole.count {
      #expect(whole[..<count].withUnsafeBytes { SessionRow(bytes: $0) == nil }, "\(count) bytes")
    }
    #expect((whole + [0]).withUnsafeBytes { SessionRow(bytes: $0) == nil })
    #expect(whole.withUnsafeBytes { SessionRow(bytes: $0) != nil })
  }

  @Test func `a batch gives its rows in order and its ends`() throws {
    var batch = RowBatch()
    #expect(batch.isEmpty && batch.firstPosition == nil && batch.lastPosition == nil)
    let rows = (0..<5).map {
      encode(end: Microseconds(10 + $0), [.ip: [UInt8](repeating: 0x61, count: $0)])
    }
    for (index, row) in rows.enumerated() {
      if index % 2 == 0 {
        row.withUnsafeBytes { batch.append(encoded: $0) }
      } else {
        batch.append { $0 += row }
      }
    }
    #expect(batch.count == 5)
    #expect(batch.firstPosition?.sessionEnd == 10)
    #expect(batch.lastPosition?.sessionEnd == 14)
    var encoded: [[UInt8]] = []
    batch.forEachEncoded { encoded.append(Array($0)) }
    #expect(encoded == rows)
    var ends: [Microseconds] = []
    batch.forEachRow { ends.append($0.sessionEnd) }
    #expect(ends == [10, 11, 12, 13, 14])
  }

  private struct Stop: Error {}

  @Test func `an error in the midst of a batch ends the walk`() {
    var batch = RowBatch()
    for end in 0..<3 { batch.append { $0 += encode(end: Microseconds(end), [:]) } }
    var seen = 0
    #expect(throws: Stop.self) {
      try batch.forEachRow { (_) throws(Stop) in
        seen += 1
        if seen == 2 { throw Stop() }
      }
    }
    #expect(seen == 2)
  }

  @Test func `the table's columns keep their names and their order`() {
    let names = """
      session_id user_id ip is_logged_in session_start session_end session_date duration_ms
      event_count page_views distinct_pages distinct_pages_is_minimum is_bounce landing_url exit_url
      referrer host browser_family os_family device_family is_bot utm_source utm_medium utm_campaign
      click_id click_id_type channel country state city
      """
    #expect(
      SessionSchema.standard.names == names.split(whereSeparator: \.isWhitespace).map(String.init))
  }

  @Test func `every column is defined in its document`() throws {
    let lines = try repositoryFile("docs/schema.md").split(separator: "\n")
    for name in SessionSchema.standard.names {
      #expect(
        lines.contains { $0.hasPrefix("| `") && $0.prefix(80).contains("`\(name)`") }, "\(name)")
    }
  }
}
