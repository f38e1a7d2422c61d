import Configuration
import Console
import SessionModel
import StateStore

/// The rows of a dump on their way to standard output: one table for people, or JSON lines.
///
/// A failed write ends the dump quietly where the reader went away; it shows at `finish`.
struct DumpOutput: ~Copyable {
  private let format: OutputFormat
  private let limit: Int
  private var rows = 0
  private var table: TextTable?
  private var json = JSONWriter()
  private var writer = OutputWriter()
  private var failure: OutputError?

  init(format: OutputFormat, limit: Int) {
    self.format = format
    self.limit = limit
  }

  /// Whether no more rows are wanted.
  var isFull: Bool { rows >= limit || failure != nil }

  /// Adds one row: its cells for people (several rows for a summary), its members for programs.
  mutating func add(
    columns: @autoclosure () -> [TextTable.Column], _ cells: @autoclosure () -> [[String]],
    _ members: (inout JSONWriter) -> Void
  ) {
    if format == .json {
      json.object(members)
      json.endLine()
    }
    put(columns, cells)
  }

  /// The same with a JSON line that is written elsewhere, without its end.
  mutating func add(
    columns: @autoclosure () -> [TextTable.Column], _ cells: @autoclosure () -> [[String]],
    line: (inout [UInt8]) -> Void
  ) {
    if format == .json {
      var bytes: [UInt8] = []
      line(&bytes)
      json.object(written: bytes)
      json.endLine()
    }
    put(columns, cells)
  }

  private mutating func put(_ columns: () -> [TextTable.Column], _ cells: () -> [[String]]) {
    rows += 1
    guard format == .text else { return write(json.take()) }
    var table = self.table ?? TextTable(columns())
    for row in cells() { write(Array(table.add(row).utf8)) }
    self.table = table
  }

  private mutating func write(_ bytes: [UInt8]) {
    if failure != nil || bytes.isEmpty { return }
    do throws(OutputError) { try writer.write(bytes) } catch { failure = error }
  }

  consuming func finish() throws(CommandFailure) {
    if var table {
      write(Array(table.finish().utf8))
    } else if format == .text {
      write(Array("nothing\n".utf8))
    }
    if failure == nil {
      do throws(OutputError) { try writer.flush() } catch { failure = error }
    }
    if case .failed(let reason) = failure { throw CommandFailure(reason, state: .untouched) }
  }
}

/// The summary of a state as rows of name and value.
enum SummaryRows {
  static func rows(
    _ summary: StateReader.Summary, oldest: Microseconds?, identity: JobIdentity
  ) -> [[String]] {
    let state = summary.state
    let counters = state.counters
    var rows = [
      ["job", identity.job], ["topic", identity.fingerprint.topic],
      ["checkpoint", "\(state.checkpoint)"], ["checkpoint at", text(state.frozenAt)],
      ["watermark", text(state.watermark)], ["close line", text(state.closeLine)],
      ["open sessions", "\(state.openSessions)"],
      ["oldest open session", text(oldest ?? .never)],
      ["closing sessions", "\(state.closingSessions)"],
      ["rows in the outbox", "\(state.outboxRows)"],
      ["late", "\(counters.late)"], ["rejected", "\(counters.rejected)"],
      ["addresses with kept geography", "\(summary.geographyRows)"],
    ]
    rows += counters.named.map {
      [String($0.name.map { $0 == "_" ? " " : $0 }), "\($0.value)"]
    }
    for sink in state.sinks {
      rows.append(["sink \(sink.name)", sink.url])
      rows.append(["  position", sink.acknowledged?.description ?? "-"])
    }
    for partition in state.partitions {
      rows.append([
        "partition \(partition.partition)",
        "next offset \(partition.nextOffset), greatest event time \(text(partition.maxEventTime))",
      ])
    }
    return rows + state.settings.map { ["setting \($0.name)", $0.value] }
  }

  private static func text(_ time: Microseconds) -> String {
    time == .never || time == 0 ? "-" : TimeText.timestamp(time)
  }
}
