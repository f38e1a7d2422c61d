import Platform
import SessionModel
import Sinks
import StateStore

/// State and sinks of one side of the comparison.
struct Workplace {
  let directory: String
  let sinks: [SinkAddress]
  /// In sinks that have tables with names.
  let table: TableName
  let options: SinkOptions
  /// More arguments of `run`.
  private let flags: [String]

  var state: String { directory + "/state" }

  /// - Parameters:
  ///   - log: whose cluster has the topics of Kafka sinks, too.
  ///   - table: of its own where the sides share a server.
  ///   - flags: more arguments of `run`.
  init(
    _ directory: String, _ options: DrillOptions, _ log: DrillLog, table: TableName,
    flags: [String]
  ) {
    self.directory = directory
    self.table = table
    self.options = options.sinkOptions
    sinks = options.sinks.map { sink in
      var address: SinkAddress
      switch sink {
      case .own(.kafka):
        address = SinkAddress(name: "kafka", scheme: .kafka, rest: "\(log.topic)-\(table.text)")
      case .own(let scheme):
        address = SinkAddress(
          name: scheme.rawValue, scheme: scheme, rest: Workplace.path(of: scheme, in: directory))
      case .server(let given):
        address = given
        if given.scheme == .kafka { address.rest += "-\(table.text)" }
        if given.scheme == .iceberg { address.rest += "." + table.text }
      }
      if address.scheme == .kafka {
        address.cluster = log.configuration
        address.isTransactional = options.isTransactional
      }
      return address
    }
    self.flags = flags + (options.isTransactional ? ["--transactional"] : [])
  }

  private static func path(of scheme: SinkAddress.Scheme, in directory: String) -> String {
    switch scheme {
    case .sqlite: directory + "/sessions.db"
    case .jsonl: directory + "/rows"
    case .postgres, .kafka, .iceberg:
      preconditionFailure("a server has an address of its own")
    }
  }

  /// Makes the topics that the embedded cluster does not make when asked by the program.
  ///
  /// - Throws: `DrillFailure` where a server has the side's table already; nothing was changed.
  func requireMissingTables(on log: DrillLog) throws(DrillFailure) {
    for sink in sinks {
      if sink.scheme == .kafka, try log.makeEmbeddedTopic(sink.rest) { continue }
      do throws(SinkError) {
        try Sinks.requireMissing(sink, table: table, options: options)
      } catch {
        throw DrillFailure(error.exitCode, error.description)
      }
    }
  }

  /// Drops the side's tables on servers; what fails stays.
  func dropTables() {
    for sink in sinks { try? Sinks.drop(sink, table: table, options: options) }
  }

  /// The arguments of `sojourn` for a life here.
  ///
  /// - Parameters:
  ///   - log: flags that name the topic.
  ///   - checkpointInterval: nil for the default.
  ///   - isClosing: it reads to the end, closes every session and ends.
  func arguments(
    _ log: [String], checkpointInterval: Microseconds?, isClosing: Bool
  ) -> [String] {
    var arguments = ["run", "--state", state, "--table", table.text] + flags + log
    for sink in sinks { arguments += ["--sink", "\(sink.name)=\(sink.redacted)"] }
    if sinks.contains(where: { $0.scheme == .iceberg }) {
      // Many commits, since strikes are to meet them.
      arguments += ["--iceberg-commit-interval", "\(DrillLimits.commitInterval)us"]
      arguments += options.icebergPython.map { ["--iceberg-python", $0] } ?? []
    }
    // What looks at clocks: another time of day would give other rows.
    arguments += ["--idle-timeout", "off", "--quiet-close", "off", "--max-future-skew", "off"]
    if let checkpointInterval {
      arguments += ["--checkpoint-interval", "\(checkpointInterval)us"]
    }
    if isClosing { arguments += ["--stop-at-end", "--close-all", "--shutdown-timeout", "10m"] }
    return arguments
  }

  /// What the state says; nil where there is none yet.
  ///
  /// - Throws: `DrillFailure` where it cannot be read, or does not add up.
  func inspect() throws(DrillFailure) -> CheckpointState? {
    let found: CheckpointState
    do throws(StateError) {
      found = try StateReader.open(directory: state).summary().state
    } catch {
      if case .missing = error { return nil }
      throw DrillFailure(error)
    }
    try Workplace.check(found)
    return found
  }

  /// Every record once: in a session, late or rejected; every closed session delivered or waiting.
  private static func check(_ state: CheckpointState) throws(DrillFailure) {
    let counters = state.counters
    let accounted = counters.eventsInSessions + counters.late + counters.rejected
    let offsets = state.partitions.reduce(0) { $0 + UInt64($1.nextOffset) }
    guard counters.recordsRead == accounted, counters.recordsRead == offsets else {
      throw DrillFailure(
        found: "the state does not add up: records read \(counters.recordsRead), accounted for "
          + "\(accounted), offsets \(offsets)")
    }
    guard counters.sessionsClosed == counters.delivered + state.outboxRows else {
      throw DrillFailure(
        found: "the state does not add up: sessions closed \(counters.sessionsClosed), delivered "
          + "\(counters.delivered), in the outbox \(state.outboxRows)")
    }
  }
}
