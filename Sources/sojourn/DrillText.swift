import Console
import Drill
import SessionModel
import Sinks

/// A drill's report, for people and for programs.
enum DrillText {
  static func text(_ report: DrillReport) -> String {
    var lines = [
      "strikes     " + strikes(report),
      "met         \(phases(report)); \(report.resumedInTheMiddle) lives resumed in the middle",
    ]
    if let full = report.strikes[.diskFull] {
      lines.append("full disks  \(report.stoppedByFullDisk) of \(full) stopped the process")
    }
    lines.append("recovery    \(spread(report.recovery)); exec to first new record")
    if report.resumption.count > 0 {
      lines.append("resumption  \(spread(report.resumption)); outage's end to new durable records")
    }
    let counters = report.counters
    lines.append(
      "records     read \(counters.recordsRead) = in sessions \(counters.eventsInSessions) + late "
        + "\(counters.late) + rejected \(counters.rejected); sent \(report.events) to "
        + "\(report.partitions) partitions")
    for result in report.sinks { lines.append(sink(result)) }
    for difference in report.differences { lines.append("difference  " + difference) }
    for result in report.sinks { lines += shown(result) }
    lines.append("time        \(report.elapsed / .perMillisecond) ms")
    lines.append(
      report.isEqual
        ? "verdict     no difference from the uninterrupted run"
        : "verdict     DIFFERENT from the uninterrupted run")
    return lines.map { TerminalText.sanitised($0) + "\n" }.joined()
  }

  private static func strikes(_ report: DrillReport) -> String {
    Fault.allCases.compactMap { fault in
      report.strikes[fault].map { "\($0) \($0 == 1 ? fault.rawValue : fault.plural)" }
    }.joined(separator: ", ")
  }

  private static func phases(_ report: DrillReport) -> String {
    DrillReport.Phase.allCases.map { "\(report.phases[$0] ?? 0) \(name(of: $0))" }
      .joined(separator: ", ")
  }

  private static func name(of phase: DrillReport.Phase) -> String {
    switch phase {
    case .startUp: "start-up or recovery"
    case .reading: "reading"
    case .draining: "draining"
    }
  }

  private static let quantiles = [("min", 0.0), ("median", 0.5), ("p99", 0.99), ("max", 1.0)]

  private static func spread(_ spread: Spread) -> String {
    if spread.count == 0 { return "none measured" }
    let parts = quantiles.map { name, share in
      "\(name) \((spread.quantile(share) ?? 0) / .perMillisecond) ms"
    }
    return parts.joined(separator: ", ") + " (\(spread.count) times)"
  }

  private static func sink(_ result: DrillReport.SinkResult) -> String {
    let rows = result.comparison
    let head = "rows        \(result.sink.name): \(rows.rows)"
    if rows.isEqual { return head + ", equal in bytes and order" }
    return head + "; lost \(rows.lost), added \(rows.added), changed \(rows.changed), "
      + "doubled or out of order \(rows.misplaced)"
  }

  private static func shown(_ result: DrillReport.SinkResult) -> [String] {
    result.comparison.shown.flatMap {
      [
        "\(result.sink.name), drilled:       \($0.drilled ?? "-")",
        "\(result.sink.name), uninterrupted: \($0.uninterrupted ?? "-")",
      ]
    }
  }

  static func json(_ report: DrillReport) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("equal", report.isEqual)
      json.member("events", report.events)
      json.member("partitions", report.partitions)
      json.object("strikes") { json in
        for fault in Fault.allCases where report.strikes[fault] != nil {
          json.member(fault.rawValue, report.strikes[fault] ?? 0)
        }
      }
      json.object("met") { json in
        for phase in DrillReport.Phase.allCases {
          json.member(phase.rawValue, report.phases[phase] ?? 0)
        }
      }
      json.member("resumed_in_the_middle", report.resumedInTheMiddle)
      json.member("stopped_by_full_disk", report.stoppedByFullDisk)
      add(report.recovery, "recovery_us", to: &json)
      add(report.resumption, "resumption_us", to: &json)
      json.member("records_read", report.counters.recordsRead)
      json.member("events_in_sessions", report.counters.eventsInSessions)
      json.member("late", report.counters.late)
      json.member("rejected", report.counters.rejected)
      json.array("sinks") { json in
        for result in report.sinks { json.object { add(result, to: &$0) } }
      }
      json.array("differences") { json in
        for difference in report.differences { json.element(difference) }
      }
      json.member("elapsed_ms", report.elapsed / .perMillisecond)
    }
    json.endLine()
    return json.bytes
  }

  private static func add(_ spread: Spread, _ name: String, to json: inout JSONWriter) {
    json.object(name) { json in
      json.member("count", spread.count)
      if spread.count == 0 { return }
      for (name, share) in quantiles { json.member(name, spread.quantile(share) ?? 0) }
    }
  }

  private static func add(_ result: DrillReport.SinkResult, to json: inout JSONWriter) {
    let rows = result.comparison
    json.member("name", result.sink.name)
    json.member("rows", rows.rows)
    json.member("lost", rows.lost)
    json.member("added", rows.added)
    json.member("changed", rows.changed)
    json.member("misplaced", rows.misplaced)
    json.array("shown") { json in
      for difference in rows.shown {
        json.object {
          $0.member("drilled", difference.drilled)
          $0.member("uninterrupted", difference.uninterrupted)
        }
      }
    }
  }
}
