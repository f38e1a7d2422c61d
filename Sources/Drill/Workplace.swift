import Platform
import SessionModel
import Sinks
import StateStore

/// State and sinks of one side of the comparison.
struct Workplace {
  let directory: String
  let sinks: [SinkAddress]

  var state: String { directory + "/state" }

  init(_ directory: String, sinks schemes: [SinkAddress.Scheme]) {
    self.directory = directory
    sinks = schemes.map { scheme in
      SinkAddress(
        name: scheme.rawValue, scheme: scheme, rest: Workplace.path(of: scheme, in: directory))
    }
  }

  private static func path(of scheme: SinkAddress.Scheme, in directory: String) -> String {
    switch scheme {
    case .sqlite: directory + "/sessions.db"
    case .jsonl: directory + "/rows"
    }
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
    var arguments = ["run", "--state", state] + log
    for sink in sinks { arguments += ["--sink", "\(sink.name)=\(sink.redacted)"] }
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
