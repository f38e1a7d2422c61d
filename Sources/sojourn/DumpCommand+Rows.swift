import Console
import SessionModel
import Sinks
import StateStore

/// Finished rows, and what is kept beside them.
extension DumpCommand {
  static func outbox(
    _ reader: StateReader, into output: inout DumpOutput
  ) throws(StateError) {
    let json = SessionRowJSON(SessionSchema(key: reader.identity.fingerprint.key))
    try reader.forEachOutboxRow { row in
      if output.isFull { return false }
      output.add(columns: rowColumns, [cells(of: row)], line: { json.append(row, to: &$0) })
      return true
    }
  }

  private static let rowColumns: [TextTable.Column] = [
    .init("session_id", maxWidth: 64), .init("user_id"), .init("ip"), .init("session_start"),
    .init("session_end"), .init("events", isNumber: true),
  ]

  private static func cells(of row: SessionRow) -> [String] {
    [
      row.sessionID.hex, row[.userID].map { String(decoding: $0, as: UTF8.self) } ?? "-",
      String(decoding: row[.ip] ?? TextView(start: nil, count: 0), as: UTF8.self),
      text(row.sessionStart), text(row.sessionEnd), "\(row.eventCount)",
    ]
  }

  static func side(
    _ side: SideOutput, of reader: StateReader, into output: inout DumpOutput
  ) throws(StateError) {
    let fingerprint = reader.identity.fingerprint
    let format = SideFormat(
      side, topic: fingerprint.topic, schema: SessionSchema(key: fingerprint.key))
    try reader.forEachEntry(of: side) { entry in
      if output.isFull { return false }
      output.add(
        columns: side == .bots ? rowColumns : recordColumns,
        [cells(of: entry, in: side, topic: fingerprint.topic)],
        line: { format.append(entry, to: &$0) })
      return true
    }
  }

  private static let recordColumns: [TextTable.Column] = [
    .init("topic"), .init("partition", isNumber: true), .init("offset", isNumber: true),
    .init("reason"), .init("field"), .init("event_time"), .init("watermark"),
    .init("bytes", isNumber: true), .init("payload", maxWidth: 60),
  ]

  private static func cells(
    of entry: SideEntry, in side: SideOutput, topic: String
  ) -> [String] {
    switch entry {
    case .record(let record):
      [
        topic, "\(record.partition)", "\(record.offset)", record.reasonCode(in: side),
        EventField(rawValue: record.field)?.name ?? "-", text(record.eventTime),
        text(record.watermark), "\(record.valueLength)", record.payloadText ?? "-",
      ]
    case .row(let encoded):
      encoded.withUnsafeBytes { SessionRow(bytes: $0).map(cells) ?? [] }
    }
  }
}
