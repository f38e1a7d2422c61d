package import SessionModel

/// How the entries of a side output look elsewhere: one JSON object each, under a key.
package struct SideFormat {
  package let output: SideOutput
  /// That the records were read from.
  private let topic: String
  private let rows: SessionRowJSON

  /// - Parameters:
  ///   - topic: stands in the lines of records.
  ///   - schema: the columns of rows.
  package init(_ output: SideOutput, topic: String, schema: SessionSchema = .standard) {
    self.output = output
    self.topic = topic
    rows = SessionRowJSON(schema)
  }

  /// Appends the entry as a JSON object without spaces, and without a line feed; the same entry
  /// always gives the same bytes.
  package func append(_ entry: SideEntry, to bytes: inout [UInt8]) {
    switch entry {
    case .record(let record):
      SideRecordJSON.append(record, of: output, topic: topic, to: &bytes)
    case .row(let encoded):
      encoded.withUnsafeBytes { rows.append(SideFormat.row($0), to: &bytes) }
    }
  }

  func line(of entry: SideEntry) -> [UInt8] {
    var line: [UInt8] = []
    append(entry, to: &line)
    return line
  }

  /// `TOPIC-PARTITION-OFFSET` of a record, the session's id of a row.
  package func key(of entry: SideEntry) -> [UInt8] {
    switch entry {
    case .record(let record): Array("\(topic)-\(record.partition)-\(record.offset)".utf8)
    case .row(let encoded):
      encoded.withUnsafeBytes { Array(SideFormat.row($0).sessionID.hex.utf8) }
    }
  }

  private static func row(_ encoded: UnsafeRawBufferPointer) -> SessionRow {
    guard let row = SessionRow(bytes: encoded) else {
      preconditionFailure("the row of an entry was checked when it was read")
    }
    return row
  }
}
