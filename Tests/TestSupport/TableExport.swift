import CSQLite
package import Platform
import SessionModel

/// What a sink holds, as JSON lines in the order of the rows: equal bytes for equal tables, whatever
/// the sink. Read without the sinks' own code.
package enum TableExport {
  /// The rows of a table by session end and id.
  package static func sqlite(
    _ path: String, table: String = "sessions"
  ) throws(SQLiteFile.Failure) -> [UInt8] {
    let columns = SessionSchema.standard.columns
    let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
    var bytes: [UInt8] = []
    try SQLiteFile(path).forEachRow(
      "SELECT \(names) FROM \"\(table)\" ORDER BY session_end, session_id"
    ) { statement in
      for (index, column) in columns.enumerated() {
        bytes.append(contentsOf: (index == 0 ? "{" : ",").utf8)
        JSONText.append(column.name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(statement, Int32(index), isBoolean: column.kind == .boolean, to: &bytes)
      }
      bytes.append(contentsOf: "}\n".utf8)
    }
    return bytes
  }

  private static func append(
    _ statement: OpaquePointer, _ column: Int32, isBoolean: Bool, to bytes: inout [UInt8]
  ) {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_NULL: bytes.append(contentsOf: "null".utf8)
    case SQLITE_INTEGER:
      let number = sqlite3_column_int64(statement, column)
      bytes.append(contentsOf: (isBoolean ? String(number == 1) : String(number)).utf8)
    default:
      let text = sqlite3_column_text(statement, column)
      let count = Int(sqlite3_column_bytes(statement, column))
      JSONText.append(UnsafeRawBufferPointer(start: text, count: count), to: &bytes)
    }
  }

  /// The files of rows in a JSONL directory, one behind the other by name.
  package static func jsonl(_ directory: String) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    for name in try Files.names(in: directory)
    where name.hasPrefix("sessions-") && name.hasSuffix(".jsonl") {
      bytes += try Files.read(directory + "/" + name)
    }
    return bytes
  }

  /// The lines of an export, for messages and for comparing row by row.
  package static func lines(_ export: [UInt8]) -> [String] {
    export.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The first place where two exports differ, and their numbers of rows; nil where they are equal.
  package static func difference(_ found: [UInt8], from expected: [UInt8]) -> String? {
    if found == expected { return nil }
    let (found, expected) = (lines(found), lines(expected))
    let place =
      zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset
      ?? min(found.count, expected.count)
    return """
      \(found.count) rows, not \(expected.count); row \(place) is \
      \(found.dropFirst(place).first ?? "none"), not \(expected.dropFirst(place).first ?? "none")
      """
  }
}
