package import SessionModel

/// A session row as one JSON object: the columns' names in the table's order, no spaces.
///
/// Timestamps are texts like `2015-05-17T10:05:03.000000Z`; the same row always gives the same bytes.
package enum SessionRowJSON {
  /// `,"name":` of each column; the first with `{` in front.
  private static let keys: [[UInt8]] = SessionColumn.allCases.map { column in
    Array("\(column == .sessionID ? "{" : ",")\"\(column.rawValue)\":".utf8)
  }

  /// Appends the object, without a line feed.
  package static func append(_ row: SessionRow, to bytes: inout [UInt8]) {
    for (column, key) in zip(SessionColumn.allCases, keys) {
      bytes.append(contentsOf: key)
      append(column, of: row, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private static func append(
    _ column: SessionColumn, of row: SessionRow, to bytes: inout [UInt8]
  ) {
    switch column {
    case .sessionID: appendQuoted(to: &bytes) { row.sessionID.appendHex(to: &$0) }
    case .isLoggedIn: appendBoolean(row.isLoggedIn, to: &bytes)
    case .sessionStart:
      appendQuoted(to: &bytes) { TimeText.appendTimestamp(row.sessionStart, to: &$0) }
    case .sessionEnd:
      appendQuoted(to: &bytes) { TimeText.appendTimestamp(row.sessionEnd, to: &$0) }
    case .sessionDate: appendQuoted(to: &bytes) { TimeText.appendDate(row.sessionStart, to: &$0) }
    case .durationMs: DecimalText.append(row.durationMs, to: &bytes)
    case .eventCount: DecimalText.append(row.eventCount, to: &bytes)
    case .userID, .ip, .landingURL, .exitURL, .referrer, .host, .browserFamily, .osFamily,
      .deviceFamily, .country, .state, .city:
      JSONText.append(column.rowText.flatMap { row[$0] }, to: &bytes)
    }
  }

  private static func appendQuoted(to bytes: inout [UInt8], _ content: (inout [UInt8]) -> Void) {
    bytes.append(UInt8(ascii: "\""))
    content(&bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  private static func appendBoolean(_ value: Bool, to bytes: inout [UInt8]) {
    if value {
      bytes.append(contentsOf: "true".utf8)
    } else {
      bytes.append(contentsOf: "false".utf8)
    }
  }
}
