import Configuration
import Console
import Pipeline
import SessionModel
import Sinks
import StateStore

/// `sojourn verify-sink`: what sinks hold against what the state has delivered to them.
///
/// It reads only, beside a running process too: the state first, so that rows which come meanwhile
/// lie behind what is compared.
enum VerifySinkCommand {
  static func run(_ settings: VerifySinkSettings) throws(CommandFailure) {
    let (addresses, table) = try places(settings)
    let ledger: RowLedger
    do throws(StateError) {
      ledger = try StateReader.open(directory: settings.stateDirectory).rowLedger()
    } catch {
      throw CommandFailure(error)
    }
    var known: [SinkProgress] = []
    for address in addresses { known.append(try progress(of: address, in: ledger.state)) }
    var differing: [String] = []
    for (address, progress) in zip(addresses, known) {
      let report = try compare(
        address, table, progress, ledger, since: settings.since,
        options: SinkOptions(icebergPython: settings.icebergPython))
      try StandardOutput.write(state: .safe) { (writer) throws(OutputError) in
        switch settings.output {
        case .text: try writer.write(VerificationText.text(report, sink: progress))
        case .json: try writer.write(VerificationText.json(report, sink: progress))
        }
      }
      if !report.isEqual { differing.append(address.name) }
    }
    if differing.isEmpty { return }
    throw CommandFailure(
      .difference, "\(differing.joined(separator: ", ")): not what the state has delivered",
      state: .safe,
      remedy:
        "where rows were deleted on purpose, or are older than the state, name the first date "
        + "that is whole with --since; rows that are lost come again from the log: run into an "
        + "empty table with a new state")
  }

  private static func places(
    _ settings: VerifySinkSettings
  ) throws(CommandFailure) -> ([SinkAddress], TableName) {
    do throws(SinkAddressError) {
      var addresses: [SinkAddress] = []
      for text in settings.sinks {
        var address = try SinkAddress(parsing: text)
        try address.resolveCluster(nil, isTransactional: false)
        addresses.append(address)
      }
      return (addresses, try TableName(parsing: settings.table))
    } catch {
      throw CommandFailure(.usage, error.description, state: .untouched, remedy: nil)
    }
  }

  private static func progress(
    of address: SinkAddress, in state: CheckpointState
  ) throws(CommandFailure) -> SinkProgress {
    if let known = state.sinks.first(where: { $0.name == address.name }) { return known }
    let names = state.sinks.map(\.name).joined(separator: ", ")
    throw CommandFailure(
      .usage, "the state delivers to no sink named \(address.name)", state: .safe,
      remedy: names.isEmpty
        ? "it has delivered to none; name the directory of another run with --state"
        : "its sinks are \(names); write --sink NAME=\(address.redacted)")
  }

  private static func compare(
    _ address: SinkAddress, _ table: TableName, _ progress: SinkProgress, _ ledger: RowLedger,
    since: UInt32, options: SinkOptions
  ) throws(CommandFailure) -> SinkVerification.Report {
    do throws(SinkError) {
      let rows = try Sinks.arrivedRows(
        address, table: table, schema: SessionSchema(key: ledger.key), options: options)
      var verification = SinkVerification(
        of: progress, against: ledger, since: since, isOrdered: rows.isOrdered)
      while let row = try rows.next() { verification.add(row) }
      return verification.finish()
    } catch {
      throw CommandFailure(error.exitCode, error.description, state: .safe, remedy: nil)
    }
  }
}

/// What comparing a sink has found, for people and for programs.
enum VerificationText {
  static func text(_ report: SinkVerification.Report, sink: SinkProgress) -> String {
    var lines = [
      """
      \(report.isEqual ? "equal" : "different"): sink \(sink.name) (\(sink.url)), \
      \(report.rows) rows up to \(sink.acknowledged?.description ?? "none")
      """
    ]
    if report.ahead > 0 { lines.append("  \(report.ahead) rows came since the last checkpoint") }
    if report.unknown > 0 {
      lines.append("  \(report.unknown) rows lie behind the newest that the state knows")
    }
    if report.since > 0 {
      lines.append(
        "  compared from \(date(report.since)) on, \(report.passedOver) rows lie before it")
    }
    for difference in report.differences {
      lines.append(
        "  \(date(difference.date)): \(difference.expected) rows delivered, "
          + "\(difference.found) there: \(verdict(on: difference))")
    }
    for (name, finding) in [
      ("doubled or out of order", report.misplaced), ("foreign", report.foreign),
    ]
    where finding.rows > 0 {
      lines.append("  \(finding.rows) rows \(name), the first:")
      lines += finding.shown.map { "    \(TerminalText.sanitised($0))" }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func verdict(on difference: SinkVerification.Difference) -> String {
    if difference.found < difference.expected {
      return "\(difference.expected - difference.found) missing"
    }
    if difference.found > difference.expected {
      return "\(difference.found - difference.expected) too many"
    }
    return "changed, or others in their place"
  }

  static func json(_ report: SinkVerification.Report, sink: SinkProgress) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("sink", sink.name)
      json.member("equal", report.isEqual)
      json.member("rows", report.rows)
      json.member("acknowledged", sink.acknowledged?.description)
      json.member("since", date(report.since))
      json.member("passed_over", report.passedOver)
      json.member("ahead", report.ahead)
      json.member("unknown", report.unknown)
      json.array("differences") { json in
        for difference in report.differences {
          json.object {
            $0.member("session_date", date(difference.date))
            $0.member("delivered", difference.expected)
            $0.member("found", difference.found)
          }
        }
      }
      add(report.misplaced, "misplaced", to: &json)
      add(report.foreign, "foreign", to: &json)
    }
    json.endLine()
    return json.bytes
  }

  private static func add(
    _ finding: SinkVerification.Finding, _ name: String, to json: inout JSONWriter
  ) {
    json.object(name) { json in
      json.member("rows", finding.rows)
      json.array("shown") { json in
        for line in finding.shown { json.element(line) }
      }
    }
  }

  private static func date(_ days: UInt32) -> String { TimeText.date(Int64(days) * .perDay) }
}
