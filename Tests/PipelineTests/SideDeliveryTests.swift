import Pipeline
import Platform
import SessionModel
import Sinks
import StateStore
import TestSupport
import Testing

/// A directory of a side output that can be down, or answer that it is after a write.
private final class FlakySideSink: SideSink {
  struct Weather {
    var isDown = false
    /// The next writes end so, last first; nil: as they should.
    var failures: [MemoryTable.Failure?] = []
  }

  private let sink: JSONLSideSink
  private let weather: Monitor<Weather>

  init(_ output: SideOutput, directory: String, weather: Monitor<Weather>) {
    sink = JSONLSideSink(SideFormat(output, topic: "visits"), directory: directory)
    self.weather = weather
  }

  func open(
    identity: JobIdentity, owner: OwnerID, claim: SinkClaim, adopt: Bool
  ) throws(SinkError) {
    if weather.read({ $0.isDown }) { throw .unavailable("down") }
    try sink.open(identity: identity, owner: owner, claim: claim, adopt: adopt)
  }

  func write(_ entries: [SideEntry]) throws(SinkError) {
    let failure: MemoryTable.Failure? = weather.change { $0.failures.popLast() ?? nil }
    if failure == .before || weather.read({ $0.isDown }) { throw .unavailable("before the write") }
    try sink.write(entries)
    if failure == .behind { throw .unavailable("behind the write") }
  }

  func holds(_ entry: SideEntry) -> Bool { sink.holds(entry) }

  func close() { sink.close() }
}

/// A job whose side outputs go to directories.
private struct SideJob {
  var job: TestJob
  let weather = Monitor(FlakySideSink.Weather())
  var pauseAt = SideTotals(rows: .max, bytes: .max)
  let logs: [[[UInt8]]]

  init() {
    job = TestJob(gap: .perSecond, outOfOrderness: 0)
    job.options.dropsBots = true
    job.options.closeAll = true
    logs = (0..<2).map { partition in
      var values: [[UInt8]] = []
      for number in 0..<400 {
        // Every tenth record is late, another one broken, and of each ten one session is a bot's:
        // its events are a gap and a second from those around them.
        let second = Int64(number % 10 == 3 ? 0 : 100 + 2 * number)
        let event = LoggedEvent(
          point: EventPoint(time: second * .perSecond, partition: 0, offset: 0),
          userID: "\(partition)", ip: "a", url: "/\(number)", referrer: nil,
          device: number % 10 == 5 ? "Spider" : nil)
        values.append(number % 10 == 7 ? Array("broken \(number)".utf8) : event.json)
      }
      return values
    }
  }

  func path(_ output: SideOutput) -> String { "\(job.directory.path)/\(output.rawValue)" }

  func sides(owner: UInt8) -> [SideToOpen] {
    SideOutput.allCases.map { output in
      SideToOpen(
        output, sink: FlakySideSink(output, directory: path(output), weather: weather),
        identity: job.identity, owner: OwnerID(random: [UInt8](repeating: owner, count: 16)),
        adopt: false, pauseAt: pauseAt)
    }
  }

  func source(seed: UInt64 = 1) throws -> MemorySource { try MemorySource(logs, seed: seed) }

  @discardableResult
  func run(
    _ source: MemorySource, owner: UInt8 = 1, stop: StopRequest = StopRequest(),
    notice: @escaping (String) -> Void = { _ in }
  ) throws -> RunSummary {
    try job.run(source, stop: stop, owner: owner, sides: sides(owner: owner), notice: notice)
  }

  /// All lines of an output's directory.
  func lines(_ output: SideOutput) throws -> [String] {
    try Files.names(in: path(output)).filter { $0.hasPrefix(output.rawValue) }.flatMap {
      TableExport.lines(try Files.read(path(output) + "/" + $0))
    }
  }

  /// What the state keeps, as lines.
  func kept(_ output: SideOutput) throws -> [String] {
    var lines: [String] = []
    let format = SideFormat(output, topic: "visits")
    try StateReader.open(directory: job.state).forEachEntry(of: output) { entry in
      var bytes: [UInt8] = []
      format.append(entry, to: &bytes)
      lines.append(String(decoding: bytes, as: UTF8.self))
      return true
    }
    return lines
  }

  /// What a run without side outputs keeps.
  static func expected(_ output: SideOutput) throws -> [String] {
    let calm = SideJob()
    _ = try calm.job.run(try calm.source())
    return try calm.kept(output)
  }
}

@Suite struct SideDeliveryTests {
  @Test func `the entries of side outputs leave the state for their directories`() throws {
    let job = SideJob()
    let state = try job.run(try job.source()).state
    for output in SideOutput.allCases {
      let expected = try SideJob.expected(output)
      #expect(!expected.isEmpty)
      #expect(try job.lines(output).sorted() == expected.sorted())
      #expect(state.kept[output] == SideTotals())
      #expect(try job.kept(output) == [])
    }
    #expect(state.counters.late == UInt64(try job.lines(.late).count))
    #expect(state.counters.rejected == UInt64(try job.lines(.rejected).count))
    #expect(state.counters.botSessions == UInt64(try job.lines(.bots).count))
  }

  @Test func `what an earlier run kept is moved as well`() throws {
    let job = SideJob()
    _ = try job.job.run(try job.source())
    try job.run(try job.source())
    #expect(try job.lines(.late) == SideJob.expected(.late))
    #expect(try job.kept(.late) == [])
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `kills and unknown outcomes neither lose nor double a line`(seed: UInt64) throws {
    let job = SideJob()
    var random = RandomNumbers(seed: seed)
    var kills = 0
    for life in 1...200 as ClosedRange<UInt8> {
      job.weather.change { weather in
        weather.failures = (0..<random.below(4)).map { _ in
          random.oneIn(2) ? nil : random.oneIn(2) ? .before : .behind
        }
      }
      let source = try job.source(seed: seed * 1_000 + UInt64(life))
      if life < 20 { source.failsAtCall = 1 + random.below(60) }
      do {
        try job.run(source, owner: life)
        break
      } catch {
        kills += 1
      }
    }
    #expect(kills > 5)
    for output in SideOutput.allCases {
      #expect(try job.lines(output).sorted() == SideJob.expected(output).sorted())
      #expect(try job.kept(output) == [])
    }
  }

  @Test func `a directory that is down holds records in the state and pauses reading`() throws {
    var job = SideJob()
    job.pauseAt.rows = 10
    job.job.options.isBounded = false
    job.weather.change { $0.isDown = true }
    let source = try MemorySource(job.logs, stops: false)
    let stop = StopRequest()
    var notices: [String] = []
    var callsPaused = 0
    source.onCall = { [weather = job.weather] _ in
      if notices.contains(where: { $0.hasPrefix("reading pauses") }) { callsPaused += 1 }
      if callsPaused == 5 { weather.change { $0.isDown = false } }
      if source.progress(of: 0).nextOffset + source.progress(of: 1).nextOffset == 800 {
        stop.request()
      }
    }
    let state = try job.run(source, stop: stop) { notices.append($0) }.state
    #expect(callsPaused >= 5)
    #expect(notices.contains("late records wait in the state: down"))
    #expect(notices.contains("late records are written again after: down"))
    #expect(state.counters.recordsRead == 800)
    #expect(try job.lines(.late).sorted() == SideJob.expected(.late).sorted())
  }

  @Test func `sessions of bots that are moved pause reading, and are never refused`() throws {
    var job = SideJob()
    // As a run with a place for them has it.
    job.job.stateOptions.sideLimits[.bots] = nil
    job.pauseAt.rows = 2
    job.weather.change { $0.isDown = true }
    var notices: [String] = []
    let source = try job.source()
    source.onCall = { [weather = job.weather] call in
      if call == 40 { weather.change { $0.isDown = false } }
    }
    let state = try job.run(source) { notices.append($0) }.state
    #expect(notices.contains { $0.hasPrefix("reading pauses") })
    #expect(notices.contains("sessions of bots wait in the state: down"))
    #expect(state.counters.botSessions > 50)
    #expect(try job.lines(.bots) == SideJob.expected(.bots))
  }

  @Test func `a state that is at its cap is emptied before more is read`() throws {
    var job = SideJob()
    job.job.stateOptions.sideLimits[.late]!.rows = 60
    job.job.options.bounds.sideRecords = 10
    let full = #expect(throws: RunFailure.self) { try job.job.run(try job.source()) }
    #expect(full?.exitCode == .inputOutput)
    job.pauseAt.rows = 30
    // Each batch has a late record, and the directory comes back only after a first one.
    job.job.stateOptions.sideLimits[.late]!.rows = UInt64(try job.kept(.late).count)
    job.weather.change { $0.isDown = true }
    let source = try job.source()
    source.batchRecords = 20
    source.onCall = { [weather = job.weather] call in
      if call == 30 { weather.change { $0.isDown = false } }
    }
    let state = try job.run(source).state
    #expect(state.counters.recordsRead == 800)
    #expect(try job.lines(.late).sorted() == SideJob.expected(.late).sorted())
  }

  @Test func `a run that ends before its directory is back says so, and the next delivers`() throws
  {
    var job = SideJob()
    job.job.options.shutdownTimeout = 200_000
    job.weather.change { $0.isDown = true }
    let source = try job.source()
    let failure = #expect(throws: RunFailure.self) { try job.run(source) }
    #expect(failure?.exitCode == .unavailable)
    #expect(failure?.description.contains("late records (down)") == true)
    #expect(try job.kept(.late) == SideJob.expected(.late))
    job.weather.change { $0.isDown = false }
    try job.run(try job.source(), owner: 2)
    #expect(try job.lines(.late) == SideJob.expected(.late))
  }
}
