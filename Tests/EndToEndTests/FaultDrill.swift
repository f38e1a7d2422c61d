import Glibc
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// One log read by a run of the program while its brokers misbehave; the table is compared with
/// that of a run in calm.
final class FaultDrill {
  static let partitions = 4
  static let eventCount = 240

  /// What can be done to the brokers, in the order of a drill.
  enum Moment: String, CaseIterable, Sendable {
    /// Before the program is started.
    case start
    /// Once it has read half of the log.
    case middle
    /// Before the last run asks where the log ends, and reads up to there.
    case end
  }

  let topic: Topic
  let bench = Workbench()
  private(set) var said = ""
  private var run: StartedCommand?
  /// Quick tries, so that a drill takes no longer than its faults.
  static let impatience = [
    "reconnect.backoff.ms=10", "reconnect.backoff.max.ms=50", "retry.backoff.ms=10",
    "fetch.error.backoff.ms=10",
  ].flatMap { ["-X", $0] }

  init(brokers: Int = 1) throws { topic = try Topic(partitions: Self.partitions, brokers: brokers) }

  /// Visitors that come and go over some hours, the same in every drill.
  private static func events(_ numbers: Range<Int>) -> [(partition: Int32, event: String)] {
    numbers.map { number in
      let user = (number * 7) % 23
      return (
        Int32(number % partitions), event(user: user, at: number * 41, url: "/\(number)")
      )
    }
  }

  private func feed(_ numbers: Range<Int>) throws {
    for (partition, event) in Self.events(numbers) { try topic.send(event, partition: partition) }
    try topic.flush()
  }

  /// Reads the log in two runs, of which the first is stopped by a signal; `disturb` is called at
  /// each moment, `settle` after the faults of the middle had their time.
  ///
  /// - Parameter brokers: the address for the program where it is not the cluster's.
  func perform(
    brokers: String? = nil, flags: [String] = [], disturb: (Moment) throws -> Void,
    settle: (StartedCommand) throws -> Void = { _ in }
  ) throws {
    let common =
      ["--brokers", brokers ?? topic.cluster.brokers, "--topic", Topic.name]
      + Self.impatience + flags
    try feed(0..<Self.eventCount / 2)
    try disturb(.start)
    let first = try bench.startRun(
      common + bench.sinks + ["--idle-timeout", "off", "--checkpoint-interval", "10ms"])
    run = first
    try bench.wait(for: "records_read", atLeast: Self.eventCount / 2, of: first)
    try disturb(.middle)
    try feed(Self.eventCount / 2..<Self.eventCount)
    try settle(first)
    try bench.wait(for: "records_read", atLeast: Self.eventCount, of: first)
    first.child.signal(SIGTERM)
    let stopped = try first.answer()
    said = stopped.messages
    #expect(stopped.ended(.success), "\(stopped.messages)")
    try disturb(.end)
    let last = try bench.run(common + bench.sinks + ["--stop-at-end", "--close-all"])
    said += last.messages
    #expect(last.ended(.success), "\(last.messages)")
  }

  /// What the run under way has said.
  var saidSoFar: String { run?.said ?? "" }

  /// Compares both sinks with the calm run's, and that nothing was late.
  func check(_ what: String) throws {
    let calm = try Self.calm.get()
    #expect(try TableExport.sqlite(bench.database) == calm, "\(what): \(said)")
    #expect(try TableExport.jsonl(bench.lines) == calm, "\(what): \(said)")
    let summary = try bench.look()
    #expect(
      isConserved(summary) && JSONLine.number("late", in: summary) == 0, "\(what): \(summary)")
    #expect(JSONLine.number("records_read", in: summary) == Self.eventCount, "\(what): \(summary)")
  }

  /// The table of a run in calm, made once.
  private static let calm = Result { () throws -> [UInt8] in
    let drill = try FaultDrill()
    try drill.feed(0..<eventCount)
    let answer = try drill.bench.run(
      drill.topic.flags + drill.bench.sinks + ["--stop-at-end", "--close-all"])
    #expect(answer.ended(.success), "\(answer.messages)")
    let table = try TableExport.sqlite(drill.bench.database)
    #expect(TableExport.lines(table).count > 100)
    return table
  }
}
