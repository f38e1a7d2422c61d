import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

@Suite struct JSONLSideSinkTests {
  let directory = TemporaryDirectory()
  var path: String { directory.path + "/late" }

  private func open(
    _ output: SideOutput = .late, owner: UInt8 = 1, claim: SinkClaim = .first,
    identity: JobIdentity = SampleRows.identity
  ) throws(SinkError) -> any SideSink {
    let sink = JSONLSideSink(SideFormat(output, topic: "web"), directory: path)
    try sink.open(
      identity: identity, owner: SampleRows.owner(owner), claim: claim, adopt: false)
    return sink
  }

  private func refusal(_ body: () throws(SinkError) -> Void) -> String? { failure(body)?.kind }

  private func record(_ offset: Int64, payload: String? = "{}") -> SideEntry {
    .record(
      SideRecord(
        partition: 3, offset: offset, reason: LateReason.allCases[0].rawValue,
        recordTime: 1_431_857_103_000_000, eventTime: 1_431_857_000_000_000,
        watermark: 1_431_857_100_000_000, valueLength: payload.map { Int64($0.utf8.count) } ?? -1,
        payload: Array((payload ?? "").utf8)))
  }

  private func files() throws -> [String] {
    try Files.names(in: path).filter { !$0.hasPrefix("_") }
  }

  private func offsets() throws -> [[Int]] {
    try files().map { name in
      TableExport.lines(try Files.read(path + "/" + name)).map {
        JSONLine.number("offset", in: $0) ?? -1
      }
    }
  }

  @Test func `a batch becomes one file of lines that say where each record was and why`() throws {
    let sink = try open()
    try sink.write([record(7, payload: "a\"\n"), record(8, payload: nil)])
    let name = try #require(try files().first)
    #expect(name.hasPrefix("late-000") && name.hasSuffix(".jsonl"))
    let reason = LateReason.allCases[0].code
    #expect(
      TableExport.lines(try Files.read(path + "/" + name)) == [
        """
        {"topic":"web","partition":3,"offset":7,"reason":"\(reason)","field":null,\
        "record_time":"2015-05-17T10:05:03.000000Z","event_time":"2015-05-17T10:03:20.000000Z",\
        "watermark":"2015-05-17T10:05:00.000000Z","value_length":3,"payload":"a\\"\\n"}
        """,
        """
        {"topic":"web","partition":3,"offset":8,"reason":"\(reason)","field":null,\
        "record_time":"2015-05-17T10:05:03.000000Z","event_time":"2015-05-17T10:03:20.000000Z",\
        "watermark":"2015-05-17T10:05:00.000000Z","value_length":-1,"payload":null}
        """,
      ])
  }

  @Test func `files come in the order of their names`() throws {
    let sink = try open()
    for offset in 0..<20 as Range<Int64> { try sink.write([record(offset)]) }
    #expect(try offsets() == (0..<20).map { [$0] })
  }

  @Test func `what the newest file holds is known after a crash`() throws {
    let first = try open()
    try first.write([record(1)])
    try first.write([record(5), record(6)])
    let second = try open(owner: 2)
    #expect([1, 5, 6, 7].filter { second.holds(record($0)) } == [5, 6])
    #expect(!second.holds(record(6, payload: "another log's")))
    try second.write([record(7)])
    #expect(try offsets() == [[1], [5, 6], [7]])
  }

  @Test func `files that were taken away are not missed`() throws {
    let sink = try open()
    try sink.write([record(1)])
    for name in try files() { try Files.remove(path + "/" + name) }
    try sink.write([record(2)])
    #expect(try offsets() == [[2]])
  }

  @Test func `a process that was replaced writes nothing more`() throws {
    let old = try open()
    let new = try open(owner: 2)
    #expect(refusal { () throws(SinkError) in try old.write([record(1)]) } == "takenOver")
    try new.write([record(1)])
    #expect(try offsets() == [[1]])
  }

  @Test func `another job's directory is refused, and one that holds something else`() throws {
    try open().write([record(1)])
    #expect(
      refusal { () throws(SinkError) in _ = try open(identity: SampleRows.otherJob) } == "foreign")
    #expect(refusal { () throws(SinkError) in _ = try open(.rejected) } == "unsuitable")
    let home = JSONLHome()
    try home.open().0.write(after: nil, rows: SampleRows.batch(0..<1))
    let sink = JSONLSideSink(SideFormat(.late, topic: "web"), directory: home.path)
    let refused = refusal { () throws(SinkError) in
      try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    }
    #expect(refused == "unsuitable")
  }

  @Test func `a directory that goes away is down, and not made again`() throws {
    let sink = try open()
    TemporaryDirectory.remove(path)
    #expect(refusal { () throws(SinkError) in try sink.write([record(1)]) } == "unavailable")
    #expect(
      refusal { () throws(SinkError) in _ = try open(claim: .again) } == "unavailable")
    #expect(!Files.exists(path))
  }
}
