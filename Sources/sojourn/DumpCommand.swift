import Configuration
import Console
import SessionModel
import Sinks
import StateStore

/// `sojourn dump`: what a state holds, for people as tables, for programs as JSON lines.
enum DumpCommand {
  static func run(_ settings: DumpSettings) throws(CommandFailure) {
    var output = DumpOutput(format: settings.output, limit: settings.limit ?? .max)
    do throws(StateError) {
      let reader = try StateReader.open(directory: settings.stateDirectory)
      switch settings.view {
      case .summary: try summary(reader, into: &output)
      case .offsets: try offsets(reader, into: &output)
      case .watermarks: try watermarks(reader, into: &output)
      case .sessions: try sessions(reader, settings, into: &output)
      case .outbox: try outbox(reader, into: &output)
      case .late: try side(.late, of: reader, into: &output)
      case .rejected: try side(.rejected, of: reader, into: &output)
      case .bots: try side(.bots, of: reader, into: &output)
      }
    } catch {
      throw CommandFailure(error)
    }
    try output.finish()
  }

  private static func summary(
    _ reader: StateReader, into output: inout DumpOutput
  ) throws(StateError) {
    let summary = try reader.summary()
    let oldest = oldestOpenSession(reader, closeLine: summary.state.closeLine)
    output.add(
      columns: [.init("what"), .init("value", maxWidth: 120)],
      SummaryRows.rows(summary, oldest: oldest, identity: reader.identity)
    ) { json in
      json.member("job", reader.identity.job)
      json.object("fingerprint") { json in
        for part in reader.identity.fingerprint.parts { json.member(part.name, part.value) }
      }
      json.object("settings") { json in
        for setting in summary.state.settings { json.member(setting.name, setting.value) }
      }
      SummaryText.members(
        of: summary.state, topic: reader.identity.fingerprint.topic, into: &json)
      json.member("oldest_open_session", time: oldest)
      json.member("late_kept", summary.state.kept.late.rows)
      json.member("rejected_kept", summary.state.kept.rejected.rows)
      json.member("bots_kept", summary.state.kept.bots.rows)
      json.member("geography_kept", summary.geographyRows)
      json.member("log_bytes", summary.logBytes)
      json.member("live_bytes", summary.liveBytes)
    }
  }

  /// The start of the oldest session that is not closed: all records are read for it. Nil where they
  /// cannot be read: the rest of the summary is worth showing then, too.
  private static func oldestOpenSession(
    _ reader: StateReader, closeLine: Microseconds
  ) -> Microseconds? {
    var oldest: Microseconds?
    do throws(StateError) {
      try reader.forEachRecord { record in
        for session in record.sessions where session.last.time >= closeLine {
          oldest = min(oldest ?? .max, session.first.time)
        }
        return true
      }
      return oldest
    } catch {
      return nil
    }
  }

  private static func offsets(
    _ reader: StateReader, into output: inout DumpOutput
  ) throws(StateError) {
    let topic = reader.identity.fingerprint.topic
    for partition in try reader.summary().state.partitions where !output.isFull {
      output.add(
        columns: [
          .init("topic"), .init("partition", isNumber: true), .init("next_offset", isNumber: true),
          .init("last_record_time"),
        ],
        [
          [
            topic, "\(partition.partition)", "\(partition.nextOffset)",
            text(partition.lastRecordTime ?? .never),
          ]
        ]
      ) { json in
        json.member("topic", topic)
        json.member("partition", partition.partition)
        json.member("next_offset", partition.nextOffset)
        json.member("last_record_time", time: partition.lastRecordTime)
      }
    }
  }

  private static func watermarks(
    _ reader: StateReader, into output: inout DumpOutput
  ) throws(StateError) {
    let state = try reader.summary().state
    let topic = reader.identity.fingerprint.topic
    for partition in state.partitions where !output.isFull {
      output.add(
        columns: [
          .init("topic"), .init("partition", isNumber: true), .init("max_event_time"),
          .init("task watermark"), .init("close line"),
        ],
        [
          [
            topic, "\(partition.partition)", text(partition.maxEventTime), text(state.watermark),
            text(state.closeLine),
          ]
        ]
      ) { json in
        json.member("topic", topic)
        json.member("partition", partition.partition)
        json.member("max_event_time", time: partition.maxEventTime)
        json.member("task_watermark", time: state.watermark)
        json.member("close_line", time: state.closeLine)
      }
    }
  }

  private static func sessions(
    _ reader: StateReader, _ settings: DumpSettings, into output: inout DumpOutput
  ) throws(StateError) {
    let closeLine = try reader.summary().state.closeLine
    let key = reader.identity.fingerprint.key
    var wanted: [UInt8]?
    if key == .standard, let user = settings.user, let ip = settings.ip {
      wanted = Array(user.utf8) + [KeyLayout.separator] + Array(ip.utf8)
    }
    try reader.forEachRecord(of: wanted) { record in
      for session in record.sessions where !output.isFull {
        let shown = ShownSession(session, of: record, key)
        if let user = settings.user, shown.userID != user { continue }
        if let ip = settings.ip, shown.ip != ip { continue }
        add(shown, closeLine: closeLine, to: &output)
      }
      return !output.isFull
    }
  }

  /// A session with the fields of its key as texts.
  private struct ShownSession {
    let session: Session
    let userID: String?
    let ip: String?
    let own: [(name: String, value: String)]

    init(_ session: Session, of record: SessionRecord, _ key: KeyLayout) {
      func field(_ index: Int) -> String {
        record.key.withUnsafeBytes {
          String(decoding: KeyLayout.field(index, of: $0), as: UTF8.self)
        }
      }
      func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
      self.session = session
      let user = key.userID.map(field) ?? text(session.userID)
      userID = user == "" ? nil : user
      ip = key.ip.map(field) ?? text(session.ip)
      own = key.own.map { (key.fields[$0], field($0)) }
    }
  }

  private static func add(
    _ shown: ShownSession, closeLine: Microseconds, to output: inout DumpOutput
  ) {
    let session = shown.session
    let status = session.last.time < closeLine ? "closing" : "open"
    output.add(
      columns: shown.own.map { .init($0.name) } + [
        .init("user_id"), .init("ip"), .init("status"), .init("session_start"),
        .init("last_event"), .init("events", isNumber: true), .init("landing_url", maxWidth: 40),
        .init("exit_url", maxWidth: 40),
      ],
      [
        shown.own.map(\.value) + [
          shown.userID ?? "-", shown.ip ?? "-", status, text(session.first.time),
          text(session.last.time), "\(session.eventCount)", string(session.landingURL),
          string(session.exitURL),
        ]
      ]
    ) { json in
      for field in shown.own { json.member(field.name, field.value) }
      json.member("user_id", shown.userID)
      json.member("ip", shown.ip)
      json.member("status", status)
      json.member("session_start", time: session.first.time)
      json.member("last_event", time: session.last.time)
      json.member("event_count", session.eventCount)
      json.member("first_seen_checkpoint", session.firstSeenCheckpoint)
      for (name, text) in [
        ("landing_url", session.landingURL), ("exit_url", session.exitURL),
        ("referrer", session.referrer), ("host", session.host),
        ("browser_family", session.browserFamily), ("os_family", session.osFamily),
        ("device_family", session.deviceFamily),
      ] {
        json.member(name, text.map { string($0) })
      }
    }
  }

  static func text(_ time: Microseconds) -> String {
    time == .never ? "-" : TimeText.timestamp(time)
  }

  private static func string(_ bytes: [UInt8]?) -> String {
    bytes.map { String(decoding: $0, as: UTF8.self) } ?? "-"
  }
}
