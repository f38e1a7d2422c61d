import SessionModel

/// Can a session table that is already there take the rows? Reads the catalogue, changes nothing.
struct PostgresTableCheck {
  private struct Column {
    var type: String
    var isNotNull: Bool
    /// A default, an identity or a generated value.
    var hasOwnValue: Bool
    var isGenerated: Bool
  }

  private let place: String
  private let columns: [String: Column]
  private let hasKey: Bool

  /// - Returns: nil where no table of that name is there.
  static func read(
    _ table: TableName, _ connection: borrowing PostgresConnection, place: String
  ) throws(SinkError) -> PostgresTableCheck? {
    let kinds = try connection.query(
      "SELECT relkind FROM pg_class WHERE oid = to_regclass($1)", [table.quoted])
    guard let kind = kinds.first?.first ?? nil else { return nil }
    guard kind == "r" || kind == "p" else {
      throw .unsuitable(
        "\(place) is no table, but a view or the like. Nothing was changed. Name a table with "
          + "--table.")
    }
    return PostgresTableCheck(
      place: place, columns: try readColumns(of: table, connection),
      hasKey: try hasKey(table, connection))
  }

  private static func readColumns(
    of table: TableName, _ connection: borrowing PostgresConnection
  ) throws(SinkError) -> [String: Column] {
    let rows = try connection.query(
      """
      SELECT attname, format_type(atttypid, atttypmod), attnotnull,
        atthasdef OR attidentity <> '' OR attgenerated <> '', attgenerated <> ''
      FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
      """, [table.quoted])
    var columns: [String: Column] = [:]
    for row in rows {
      columns[row[0] ?? ""] = Column(
        type: row[1] ?? "", isNotNull: row[2] == "t", hasOwnValue: row[3] == "t",
        isGenerated: row[4] == "t")
    }
    return columns
  }

  /// Whether `session_id` alone has a unique index that `ON CONFLICT` can use.
  private static func hasKey(
    _ table: TableName, _ connection: borrowing PostgresConnection
  ) throws(SinkError) -> Bool {
    let rows = try connection.query(
      """
      SELECT 1 FROM pg_index AS i JOIN pg_attribute AS a
        ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indimmediate AND i.indisvalid
        AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = 1
        AND a.attname = 'session_id'
      """, [table.quoted])
    return !rows.isEmpty
  }

  /// - Throws: `.unsuitable`, naming everything that is wrong.
  func check() throws(SinkError) {
    var faults = SessionColumn.allCases.compactMap { fault($0) }
    if !hasKey { faults.append("session_id has no unique key of its own") }
    let ours = Set(SessionColumn.allCases.map(\.rawValue))
    for (name, column) in columns.sorted(by: { $0.key < $1.key })
    where !ours.contains(name) && column.isNotNull && !column.hasOwnValue {
      faults.append("the further column \(name) is NOT NULL without a default")
    }
    if faults.isEmpty { return }
    throw .unsuitable(
      "\(place) cannot take the rows: \(faults.joined(separator: "; ")). Nothing was changed. Change "
        + "the table (`sojourn ddl --dialect postgres` shows what is needed), or name another.")
  }

  private func fault(_ column: SessionColumn) -> String? {
    guard let found = columns[column.rawValue] else {
      return "column \(column.rawValue) is missing"
    }
    if found.isGenerated { return "column \(column.rawValue) is generated" }
    if !PostgresTableCheck.types(keeping: column.kind).contains(found.type) {
      return "column \(column.rawValue) has the type \(found.type), "
        + "which does not keep the \(column.kind) values"
    }
    if column.isNullable, found.isNotNull {
      return "column \(column.rawValue) is NOT NULL, but its values may be null"
    }
    return nil
  }

  /// Types, as `format_type` writes them, that hold every value of the kind unchanged.
  private static func types(keeping kind: ColumnKind) -> Set<String> {
    switch kind {
    case .text: ["text", "character varying"]
    case .boolean: ["boolean"]
    case .timestamp: ["timestamp with time zone", "timestamp(6) with time zone"]
    case .date: ["date"]
    case .integer: ["bigint", "numeric"]
    }
  }
}
