import SessionModel

/// Reads what a SQLite schema says of a session table; changes nothing.
enum SQLiteCatalogue {
  /// How SQLite converts what is put into a column (sqlite.org/datatype3.html, section 3.1).
  private enum Affinity {
    case text, numeric, integer, real, none
    /// A BLOB of a STRICT table: takes neither text nor numbers.
    case bytesOnly

    init(type: String, isStrict: Bool) {
      let type = type.uppercased()
      if isStrict, type == "BLOB" {
        self = .bytesOnly
      } else if type.contains("INT") {
        self = .integer
      } else if ["CHAR", "CLOB", "TEXT"].contains(where: type.contains) {
        self = .text
      } else if type.isEmpty || type.contains("BLOB") || (isStrict && type == "ANY") {
        self = .none
      } else if ["REAL", "FLOA", "DOUB"].contains(where: type.contains) {
        self = .real
      } else {
        self = .numeric
      }
    }

    /// Whether every value of the kind comes back as it was put in.
    func keeps(_ kind: ColumnKind) -> Bool {
      switch kind {
      case .text: self == .text || self == .none
      // `2015-05-17…` does not look like a number and so stays text, as in DATETIME columns.
      case .timestamp, .date: self == .text || self == .none || self == .numeric
      case .boolean, .integer: self == .integer || self == .none || self == .numeric
      }
    }
  }

  /// - Returns: nil where no table of that name is there.
  static func read(
    _ table: TableName, _ schema: SessionSchema, _ connection: borrowing SQLiteConnection,
    place: String
  ) throws(SinkError) -> SQLTable? {
    let objects = try connection.prepare(
      "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')")
    objects.bind(copying: table.text, at: 1)
    guard try objects.step() else { return nil }
    guard objects.text(0) == "table" else {
      throw .unsuitable(
        "\(place) is a view. Nothing was changed. Name a table with --table.")
    }
    return SQLTable(
      place: place, dialect: .sqlite, columns: try readColumns(of: table, schema, connection),
      schema: schema, hasKey: try hasKey(table, connection))
  }

  private static func readColumns(
    of table: TableName, _ schema: SessionSchema, _ connection: borrowing SQLiteConnection
  ) throws(SinkError) -> [String: SQLTable.Column] {
    let statement = try connection.prepare(
      """
      SELECT c.name, c.type, c."notnull", c.dflt_value IS NOT NULL, c.hidden, c.pk,
        (SELECT max(strict) FROM pragma_table_list(?1) WHERE schema = 'main')
      FROM pragma_table_xinfo(?1) AS c
      """)
    statement.bind(copying: table.text, at: 1)
    var columns: [String: SQLTable.Column] = [:]
    while try statement.step() {
      let type = statement.text(1) ?? ""
      let name = (statement.text(0) ?? "").lowercased()
      let affinity = Affinity(type: type, isStrict: statement.integer(6) != 0)
      let isGenerated = statement.integer(4) != 0
      // In a primary key a null would not stand for itself; a further column there fills itself.
      let isOurs = name != SessionColumn.sessionID.name && schema.names.contains(name)
      let isKey = isOurs && statement.integer(5) != 0
      columns[name] = SQLTable.Column(
        type: type, keeps: { affinity.keeps($0) },
        isNotNull: statement.integer(2) != 0 || isKey,
        hasOwnValue: statement.integer(3) != 0 || isGenerated, isGenerated: isGenerated)
    }
    return columns
  }

  /// Whether `session_id` alone is the primary key or has a unique index over all rows.
  private static func hasKey(
    _ table: TableName, _ connection: borrowing SQLiteConnection
  ) throws(SinkError) -> Bool {
    let statement = try connection.prepare(
      """
      SELECT 1 FROM pragma_index_list(?1) AS i WHERE i."unique" AND NOT i.partial
        AND (SELECT group_concat(lower(name)) FROM pragma_index_info(i.name)) = 'session_id'
      """)
    statement.bind(copying: table.text, at: 1)
    return try statement.step()
  }
}
