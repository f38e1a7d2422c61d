import SessionModel

/// What every SQL sink asks of a session table and says of it; the sinks read the catalogues.
struct SQLTable {
  /// A column of the table as its database has it.
  struct Column {
    /// As it was declared, for messages.
    var type: String
    /// Whether every value of a session column's kind comes back as it was put in.
    var keeps: (ColumnKind) -> Bool
    var isNotNull: Bool
    /// A default, an identity or a generated value.
    var hasOwnValue: Bool
    var isGenerated: Bool
  }

  /// For messages.
  var place: String
  var dialect: SinkDDL.Dialect
  var columns: [String: Column]
  /// The job's columns.
  var schema: SessionSchema
  /// Whether `session_id` alone has a unique key that an upsert can use.
  var hasKey: Bool

  /// Can the table take the rows?
  ///
  /// - Throws: `.unsuitable`, naming everything that is wrong.
  func check() throws(SinkError) {
    var faults = schema.columns.compactMap { fault($0) }
    if !hasKey { faults.append("session_id has no unique key of its own") }
    let ours = Set(schema.names)
    for (name, column) in columns.sorted(by: { $0.key < $1.key })
    where !ours.contains(name) && column.isNotNull && !column.hasOwnValue {
      faults.append("the further column \(name) is NOT NULL without a default")
    }
    if faults.isEmpty { return }
    throw .unsuitable(
      "\(place) cannot take the rows: \(faults.joined(separator: "; ")). Nothing was changed. Change "
        + "the table (`sojourn ddl --dialect \(dialect)` shows what is needed), or name another.")
  }

  private func fault(_ column: SessionColumn) -> String? {
    guard let found = columns[column.name] else {
      return "column \(column.name) is missing"
    }
    if found.isGenerated { return "column \(column.name) is generated" }
    if !found.keeps(column.kind) {
      return "column \(column.name) has the type \(found.type), "
        + "which does not keep the \(column.kind) values"
    }
    if column.isNullable, found.isNotNull {
      return "column \(column.name) is NOT NULL, but its values may be null"
    }
    return nil
  }

  /// - Throws: `.unsuitable` where a table is missing that held rows.
  static func requireNeverFilled(_ entry: SinkEntry?, place: String) throws(SinkError) {
    guard let position = entry?.position else { return }
    throw .unsuitable(
      "\(place) is gone, though it held rows up to \(position). Nothing was changed. Restore it, or "
        + "delete its line in \(SinkDDL.ledgerTable) and the state to derive all rows again.")
  }

  /// The statement that puts rows into the table, each by its `session_id`. A row that is there with
  /// the same values is left alone, which makes replays cheap.
  ///
  /// - Parameters:
  ///   - columns: the names, in the table's order.
  ///   - source: `VALUES …` or `SELECT … FROM …`, the columns in the table's order.
  ///   - differs: the dialect's comparison of two rows that takes null for a value.
  static func upsert(
    into table: TableName, columns: [String], _ source: String, differs: String
  ) -> String {
    let values = columns.filter { $0 != SessionColumn.sessionID.name }
    func list(_ form: (String) -> String) -> String {
      values.map(form).joined(separator: ", ")
    }
    return """
      INSERT INTO \(table.quoted) AS kept (\(columns.joined(separator: ", ")))
      \(source)
      ON CONFLICT (session_id) DO UPDATE SET \(list { "\($0) = excluded.\($0)" })
      WHERE (\(list { "kept.\($0)" })) \(differs) (\(list { "excluded.\($0)" }))
      """
  }
}
