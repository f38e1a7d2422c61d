package import SessionModel

/// A session row as one JSON object: the columns' names in the table's order, no spaces.
///
/// Timestamps are texts like `2015-05-17T10:05:03.000000Z`; the same row always gives the same bytes.
package struct SessionRowJSON {
  /// Each column with `,"name":`, the first with `{` in front.
  private let members: [(column: SessionColumn, key: [UInt8])]

  package init(_ schema: SessionSchema = .standard) {
    members = schema.columns.enumerated().map { index, column in
      (column, Array("\(index == 0 ? "{" : ",")\"\(column.name)\":".utf8))
    }
  }

  /// Appends the object, without a line feed.
  package func append(_ row: SessionRow, to bytes: inout [UInt8]) {
    for (column, key) in members {
      bytes.append(contentsOf: key)
      SessionRowJSON.append(row.value(of: column), to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private static func append(_ value: SessionValue, to bytes: inout [UInt8]) {
    switch value {
    case .null: JSONText.append(nil, to: &bytes)
    case .text(let text): JSONText.append(text, to: &bytes)
    case .sessionID(let id): appendQuoted(to: &bytes) { id.appendHex(to: &$0) }
    case .boolean(let value): bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    case .timestamp(let time):
      appendQuoted(to: &bytes) { TimeText.appendTimestamp(time, to: &$0) }
    case .date(let time): appendQuoted(to: &bytes) { TimeText.appendDate(time, to: &$0) }
    case .integer(let number): DecimalText.append(number, to: &bytes)
    }
  }

  private static func appendQuoted(to bytes: inout [UInt8], _ content: (inout [UInt8]) -> Void) {
    bytes.append(UInt8(ascii: "\""))
    content(&bytes)
    bytes.append(UInt8(ascii: "\""))
  }
}
