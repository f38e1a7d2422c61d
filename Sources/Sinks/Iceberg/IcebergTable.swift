import SessionModel

/// What the helper says of a table that is there.
struct IcebergTable {
  /// The newest snapshot; empty where there is none. Every commit of rows and every claim changes it.
  var head: [UInt8]
  var holdsRows: Bool
  var entry: SinkEntry?
  /// By name: the type as Iceberg writes it, and whether it is required.
  private var columns: [String: (type: String, isRequired: Bool)] = [:]
  private let place: String

  /// - Returns: nil for an answer that describes no table.
  /// - Throws: `.unsuitable` for a position that this program did not write.
  init?(answer: [[UInt8]], place: String) throws(SinkError) {
    guard answer.count == 9, answer[0].text == "table" else { return nil }
    self.place = place
    head = answer[1]
    holdsRows = answer[2].text == "yes"
    if !answer[3].isEmpty {
      entry = try IcebergTable.entry(answer[4...7].map(\.text), place: place)
    }
    for line in answer[8].text.split(separator: "\n") {
      let parts = IcebergTable.parts(of: line)
      columns[parts.name] = (parts.type, parts.isRequired)
    }
  }

  /// Reads `required TYPE NAME`; types of nested columns hold blanks, names of ours none.
  private static func parts(of line: Substring) -> (name: String, type: String, isRequired: Bool) {
    let words = line.split(separator: " ")
    return (
      String(words.last ?? ""), words.dropFirst().dropLast().joined(separator: " "),
      words.first == "required"
    )
  }

  /// Can the table take the rows?
  ///
  /// - Throws: `.unsuitable`, naming everything that is wrong.
  func check(_ schema: SessionSchema) throws(SinkError) {
    let columns = columns.mapValues { column in
      SQLTable.Column(
        type: column.type, keeps: { IcebergTable.type(of: $0) == column.type },
        isNotNull: column.isRequired, hasOwnValue: false, isGenerated: false)
    }
    try SQLTable(
      place: place, dialect: .spark, columns: columns, schema: schema, hasKey: true
    ).check()
  }

  /// A column's type as Iceberg's specification names it.
  private static func type(of kind: ColumnKind) -> String {
    switch kind {
    case .text: "string"
    case .boolean: "boolean"
    case .timestamp: "timestamptz"
    case .date: "date"
    case .integer: "long"
    }
  }

  /// A job's columns as the helper takes them: a line `NAME KIND required|optional` for each.
  static func text(of schema: SessionSchema) -> [UInt8] {
    schema.columns.map { column in
      "\(column.name) \(column.kind) \(column.isNullable ? "optional" : "required")"
    }.joined(separator: "\n").utf8Bytes
  }

  // MARK: - The entry

  private static let noPosition = "none"

  static func fields(of entry: SinkEntry) -> [[UInt8]] {
    [entry.job, entry.fingerprint, entry.owner, entry.position?.description ?? noPosition]
      .map(\.utf8Bytes)
  }

  private static func entry(_ fields: [String], place: String) throws(SinkError) -> SinkEntry {
    let position = RowPosition(fields[3])
    if position == nil, fields[3] != noPosition {
      throw .unsuitable(
        "\(place): its position, sojourn.position, is \"\(fields[3])\", which this program did not "
          + "write. Nothing was changed. Restore the table.")
    }
    return SinkEntry(
      job: fields[0], fingerprint: fields[1], owner: fields[2], position: position)
  }
}
