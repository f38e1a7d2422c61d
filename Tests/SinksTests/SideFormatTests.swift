import SessionModel
import Sinks
import Testing

@Suite struct SideFormatTests {
  @Test func `a bot's row is the line that sinks write, under its id`() {
    let batch = SampleRows.batch(0..<3)
    var rows: [SideEntry] = []
    batch.forEachEncoded { rows.append(.row(Array($0))) }
    let format = SideFormat(.bots, topic: "web")
    let lines = rows.map { row in
      var bytes: [UInt8] = []
      format.append(row, to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(lines == SampleRows.lines(batch))
    for (line, row) in zip(lines, rows) {
      let key = String(decoding: format.key(of: row), as: UTF8.self)
      #expect(line.hasPrefix("{\"session_id\":\"\(key)\""))
    }
  }

  @Test func `a record's key says where it was`() {
    let record = SideRecord(
      partition: 3, offset: 7, reason: 1, recordTime: .never, valueLength: 0, payload: [])
    let key = SideFormat(.late, topic: "web").key(of: .record(record))
    #expect(String(decoding: key, as: UTF8.self) == "web-3-7")
  }
}
