import SessionModel

/// Reads what a PostgreSQL catalogue says of a session table; changes nothing.
enum PostgresCatalogue {
  /// - Returns: nil where no table of that name is there.
  static func read(
    _ table: TableName, _ schema: SessionSchema, _ connection: borrowing PostgresConnection,
    place: String
  ) throws(SinkError) -> SQLTable? {
    let kinds = try connection.query(
      "SELECT relkind FROM pg_class WHERE oid = to_regclass($1)", [table.quoted])
    guard let kind = kinds.first?.first ?? nil else { return nil }
    guard kind == "r" || kind == "p" else {
      throw .unsuitable(
        "\(place) is no table, but a view or the like. Nothing was changed. Name a table with "
          + "--table.")
    }
    return SQLTable(
      place: place, dialect: .postgres, columns: try readColumns(of: table, connection),
      schema: schema, hasKey: try hasKey(table, connection))
  }

  private static func readColumns(
    of table: TableName, _ connection: borrowing PostgresConnection
  ) throws(SinkError) -> [String: SQLTable.Column] {
    let rows = try connection.query(
      """
      SELECT attname, format_type(atttypid, atttypmod), attnotnull,
        atthasdef OR attidentity <> '' OR attgenerated <> '', attgenerated <> ''
      FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
      """, [table.quoted])
    var columns: [String: SQLTable.Column] = [:]
    for row in rows {
      let type = row[1] ?? ""
      columns[row[0] ?? ""] = SQLTable.Column(
        type: type, keeps: { types(keeping: $0).contains(type) }, isNotNull: row[2] == "t",
        hasOwnValue: row[3] == "t",
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
