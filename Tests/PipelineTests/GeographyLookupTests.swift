import Enrichment
import EventSources
import Glibc
import Pipeline
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// A service that answers when it is told to.
private final class MemoryService: GeographyService {
  /// In the order of asking, each as often as it was asked.
  private(set) var asked: [(address: String, isUrgent: Bool)] = []
  private(set) var givenUp: [String] = []
  private(set) var isClosed = false
  private var answers: [AddressGeography] = []
  /// Answers each address at once.
  var isReady = false

  func ask(_ address: String, isUrgent: Bool) {
    asked.append((address, isUrgent))
    if isReady { answer(address) }
  }

  func answer(_ address: String, at time: Microseconds = Clock.wall) {
    answers.append(
      AddressGeography(address: address, answeredAt: time, country: "DE", city: "of \(address)"))
  }

  func giveUp(_ address: String) { givenUp.append(address) }

  func takeAnswers() -> [AddressGeography] {
    defer { answers = [] }
    return answers
  }

  func takeNotices() -> [String] { [] }
  var name: String { "memory" }
  func close() { isClosed = true }
}

/// Rows that wait for a service, and what the state keeps of it.
@Suite struct GeographyLookupTests {
  private static let addresses = (1...6).map { "8.8.8.\($0)" }

  /// One visitor after the other, each with one session, 10 s apart.
  private static func log(_ addresses: [String], from start: Int64 = 100) -> [[UInt8]] {
    addresses.enumerated().map { index, ip in
      LoggedEvent(
        point: EventPoint(
          time: (start + Int64(index) * 10) * .perSecond, partition: 0, offset: Int64(index)),
        userID: "u", ip: ip, url: "/", referrer: nil
      ).json
    }
  }

  private static func job() -> TestJob {
    var job = TestJob(gap: .perSecond, outOfOrderness: 0)
    job.options.closeAll = true
    job.options.geographyDeadline = nil
    return job
  }

  private func cities(_ job: TestJob) -> [String?] {
    job.tables["table"]!.rows.map { row in
      row.withUnsafeBytes { bytes in
        SessionRow(bytes: bytes)![.city].map { String(decoding: $0, as: UTF8.self) }
      }
    }
  }

  private func state(_ job: TestJob) throws -> CheckpointState {
    try StateReader.open(directory: job.state).summary().state
  }

  @Test func `rows wait for their answers in order, and an address is asked for as it comes`()
    throws
  {
    let job = Self.job()
    let service = MemoryService()
    let source = try MemorySource([Self.log(Self.addresses)])
    let table = job.tables["table"]!
    var pending = Array(Self.addresses.dropFirst())
    source.onCall = { call in
      // The first row holds back all others, whose answers are there.
      if call % 5 == 0, let address = pending.popLast() { service.answer(address) }
      if call < 60 { #expect(table.rows.isEmpty) }
      if call == 60 { service.answer(Self.addresses[0]) }
    }
    let summary = try job.run(source, geography: .service(service))
    #expect(cities(job) == Self.addresses.map { "of \($0)" })
    #expect(summary.state.counters.rowsWithoutGeography == 0)
    #expect(summary.state.closingSessions == 0 && summary.state.outboxRows == 0)
    // Before any session was closed.
    #expect(!service.asked[0].isUrgent && service.asked[0].address == Self.addresses[0])
    #expect(service.isClosed)
  }

  @Test func `after the deadline a row is final without geography, and counted`() throws {
    var job = Self.job()
    job.options.geographyDeadline = 20_000
    let service = MemoryService()
    service.answer(Self.addresses[3])
    let summary = try job.run(
      try MemorySource([Self.log(Self.addresses)]), geography: .service(service))
    #expect(cities(job) == [nil, nil, nil, "of 8.8.8.4", nil, nil])
    #expect(summary.state.counters.rowsWithoutGeography == 5)
    #expect(service.givenUp == Self.addresses.filter { $0 != Self.addresses[3] })
  }

  @Test func `addresses that no service can know are not sent, and nothing waits for them`() throws
  {
    let job = Self.job()
    let service = MemoryService()
    _ = try job.run(
      try MemorySource([Self.log(["10.1.2.3", "2001:db8::1", "unknown"])]),
      geography: .service(service))
    #expect(cities(job) == [nil, nil, nil])
    #expect(service.asked.isEmpty)
  }

  @Test func `a run that is asked to stop leaves what waits, and the next one goes on`() throws {
    let job = Self.job()
    let stop = StopRequest()
    let service = MemoryService()
    let source = try MemorySource([Self.log(Self.addresses)])
    source.onCall = { if $0 == 40 { stop.request() } }
    var notices: [String] = []
    _ = try job.run(source, stop: stop, geography: .service(service)) { notices.append($0) }
    #expect(notices.contains { $0.contains("the geography of closed sessions, of which 6 wait") })
    #expect(try state(job).closingSessions == 6)
    #expect(cities(job).isEmpty)

    let next = MemoryService()
    next.isReady = true
    _ = try job.run(try MemorySource([Self.log(Self.addresses)]), geography: .service(next))
    #expect(cities(job) == Self.addresses.map { "of \($0)" })
    #expect(Set(next.asked.map(\.address)) == Set(Self.addresses))
  }

  @Test func `an answer serves later runs, up to its time to live`() throws {
    var job = Self.job()
    let service = MemoryService()
    service.isReady = true
    let once = Self.log(Self.addresses)
    _ = try job.run(try MemorySource([once]), geography: .service(service))

    let again = once + Self.log(Self.addresses, from: 1_000)
    let silent = MemoryService()
    _ = try job.run(try MemorySource([again]), geography: .service(silent))
    #expect(silent.asked.isEmpty)
    #expect(cities(job) == (Self.addresses + Self.addresses).map { "of \($0)" })

    job.options.geographyTimeToLive = 0
    let late = MemoryService()
    late.isReady = true
    _ = try job.run(
      try MemorySource([again + Self.log(Self.addresses, from: 2_000)]), geography: .service(late))
    #expect(Set(late.asked.map(\.address)) == Set(Self.addresses))
  }

  @Test func `a crash loses no row, and costs no second answer once a checkpoint has it`() throws {
    for call in 2..<30 {
      let job = Self.job()
      var asked = 0
      for life in 0..<3 {
        let service = MemoryService()
        service.isReady = true
        let source = try MemorySource([Self.log(Self.addresses)])
        source.batchRecords = 1
        if life < 2 { source.failsAtCall = call }
        _ = try? job.run(source, geography: .service(service))
        asked = service.asked.count
      }
      #expect(cities(job) == Self.addresses.map { "of \($0)" }, "killed at call \(call)")
      if call > 20 { #expect(asked == 0) }
    }
  }

  @Test func `an answer is durable though nothing else comes`() throws {
    var job = Self.job()
    job.options.isBounded = false
    job.options.closeAll = false
    let service = MemoryService()
    let source = try MemorySource([Self.log([Self.addresses[0]])], stops: false)
    source.onCall = { if $0 == 5 { service.answer(Self.addresses[0]) } }
    source.failsAtCall = 12
    _ = try? job.run(source, geography: .service(service))
    #expect(try StateReader.open(directory: job.state).summary().geographyRows == 1)
    #expect(try state(job).openSessions == 1)
  }

  @Test func `answers are durable while the end waits for one that does not come`() throws {
    let job = Self.job()
    let service = MemoryService()
    let source = try MemorySource([Self.log(Self.addresses)])
    source.onCall = { call in
      if call == 30 { for address in Self.addresses.dropFirst() { service.answer(address) } }
    }
    source.failsAtCall = 40
    _ = try? job.run(source, geography: .service(service))
    #expect(try StateReader.open(directory: job.state).summary().geographyRows == 5)
    #expect(cities(job).isEmpty)
  }

  @Test func `as many sessions wait as the limit says, however the answers trickle in`() throws {
    var job = Self.job()
    job.options.outboxLimit = 20
    job.options.bounds.closingSessions = 10
    let addresses = (0..<400).map { "8.8.\(1 + $0 / 200).\(1 + $0 % 200)" }
    let service = MemoryService()
    let source = try MemorySource([Self.log(addresses)])
    source.batchRecords = 1
    var answered = 0
    var pauses = 0
    var waiting: [Int] = []
    source.onCall = { _ in
      // Slow enough for the first checkpoint to see that rows wait.
      usleep(500)
      if pauses == 0 { return }
      // What was read, less what can be a row.
      waiting.append(Int(source.progress(of: 0).nextOffset) - answered)
      if answered < addresses.count {
        service.answer(addresses[answered])
        answered += 1
        source.wake()
      }
    }
    _ = try job.run(source, geography: .service(service)) {
      if $0.hasPrefix("reading pauses") { pauses += 1 }
    }
    #expect(cities(job) == addresses.map { "of \($0)" })
    let first = try #require(waiting.first)
    #expect(first < 300, "the log was read before the first pause")
    #expect(try #require(waiting.max()) <= max(first, 20) + 5)
  }

  @Test func `reading pauses while too many sessions wait, and goes on`() throws {
    var job = Self.job()
    job.options.outboxLimit = 3
    let addresses = (1...200).map { "8.8.9.\($0)" }
    let service = MemoryService()
    let source = try MemorySource([Self.log(addresses)])
    source.batchRecords = 1
    var readWhenReady: Int64?
    source.onCall = { call in
      guard call == 100 else { return }
      readWhenReady = source.progress(of: 0).nextOffset
      service.isReady = true
    }
    var paused: String?
    _ = try job.run(source, geography: .service(service)) {
      if $0.hasPrefix("reading pauses") { paused = $0 }
    }
    #expect(try #require(paused).contains("the geography of closed sessions"))
    #expect(try #require(readWhenReady) < 100)
    #expect(cities(job) == addresses.map { "of \($0)" })
  }
}
