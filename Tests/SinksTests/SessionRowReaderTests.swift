import SessionModel
import Sinks
import Testing

/// Rows read back from their JSON.
@Suite struct SessionRowReaderTests {
  private func read(_ line: String) -> [UInt8]? {
    var reader = SessionRowReader()
    return reader.encodedRow(Array(line.utf8))
  }

  @Test func `what is written is read back, byte for byte`() {
    for rows in [SampleRows.batch(0..<50), ExtremeRows.batch] {
      var encoded: [[UInt8]] = []
      rows.forEachEncoded { encoded.append(Array($0)) }
      #expect(SampleRows.lines(rows).map(read) == encoded)
    }
  }

  @Test(arguments: [
    (#""duration_ms":61000"#, #""duration_ms":61001"#),
    (#""is_logged_in":false"#, #""is_logged_in":true"#),
    (#""session_date":"2015-05-17""#, #""session_date":"2015-05-18""#),
    (#"10:06:04.000007Z"#, #"10:05:64.000007Z"#),
    (#""event_count":1,"#, #""event_count":01,"#),
    (#""event_count":1,"#, #""event_count":-1,"#),
    (#""host":"#, #""hosts":"#),
    (#","city":null}"#, #"}"#),
    (#"}"#, #",}"#),
    (#"shop.example/basket"#, #"shop.example\/basket"#),
  ])
  func `a line that no row gives is none`(_ change: (from: String, to: String)) throws {
    var batch = RowBatch()
    let start: Microseconds = 1_431_857_103_000_000
    batch.append {
      SampleRows.append(
        number: 1, start: start, end: start + 61_000_007,
        texts: [.host: "shop.example", .exitURL: "https://shop.example/basket"], to: &$0)
    }
    let line = SampleRows.lines(batch)[0]
    #expect(read(line) != nil)
    let range = try #require(line.firstRange(of: change.from), "\(line)")
    var changed = line
    changed.replaceSubrange(range, with: change.to)
    #expect(read(changed) == nil)
    // Nor is a line that ends early.
    #expect(read(String(line.dropLast())) == nil)
  }
}
