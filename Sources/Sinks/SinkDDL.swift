package import SessionModel

/// The statements that make a sink's tables: what `sojourn ddl` prints and what the sinks execute.
package enum SinkDDL {
  package enum Dialect: String, CaseIterable, Sendable {
    case sqlite
    case postgres
    /// Spark SQL with an Iceberg catalog.
    case spark
    /// Trino with its Iceberg connector.
    case trino
  }

  /// Where SQL sinks keep, for each table, its job, fingerprint, owner and position.
  static let ledgerTable = "sojourn_sinks"

  /// All statements of a dialect, each ended by a semicolon and a line feed.
  package static func text(
    dialect: Dialect, table: TableName, schema: SessionSchema = .standard
  ) -> String {
    switch dialect {
    case .sqlite: sqliteLedger + sqliteTable(table, schema)
    case .postgres: postgresLedger + postgresTable(table, schema)
    case .spark:
      columns(
        schema, "CREATE TABLE `\(table.text)`", dialect,
        """

        USING iceberg
        PARTITIONED BY (session_date)
        TBLPROPERTIES ('format-version' = '2');

        """)
    case .trino:
      columns(
        schema, "CREATE TABLE \(table.quoted)", dialect,
        """

        WITH (format_version = 2, partitioning = ARRAY['session_date']);

        """)
    }
  }

  /// What the SQLite sink executes where its session table is missing.
  static func sqliteTable(_ table: TableName, _ schema: SessionSchema) -> String {
    columns(schema, "CREATE TABLE \(table.quoted)", .sqlite, ";\n")
  }

  /// What the SQLite sink executes at each opening. Table names differ by more than case, as in
  /// SQLite itself.
  static let sqliteLedger = """
    CREATE TABLE IF NOT EXISTS \(ledgerTable) (
      table_name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
      job TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      owner TEXT NOT NULL,
      position TEXT
    );

    """

  /// What the PostgreSQL sink executes where its session table is missing.
  static func postgresTable(_ table: TableName, _ schema: SessionSchema) -> String {
    columns(schema, "CREATE TABLE \(table.quoted)", .postgres, ";\n")
  }

  /// What the PostgreSQL sink executes before each batch.
  static func postgresStaging(_ name: String, _ schema: SessionSchema) -> String {
    let lines = schema.columns.map { "  \($0.name) \(type(of: $0, .postgres))" }
    return """
      CREATE TEMPORARY TABLE IF NOT EXISTS \(name) (
      \(lines.joined(separator: ",\n"))
      ) ON COMMIT DELETE ROWS;
      """
  }

  static let postgresLedger = """
    CREATE TABLE IF NOT EXISTS \(ledgerTable) (
      table_name text NOT NULL PRIMARY KEY,
      job text NOT NULL,
      fingerprint text NOT NULL,
      owner text NOT NULL,
      position text
    );

    """

  private static func columns(
    _ schema: SessionSchema, _ head: String, _ dialect: Dialect, _ tail: String
  ) -> String {
    let lines = schema.columns.map { column in
      "  \(column.name) \(type(of: column, dialect))\(constraint(on: column, dialect))"
    }
    return "\(head) (\n\(lines.joined(separator: ",\n"))\n)\(tail)"
  }

  private static func constraint(on column: SessionColumn, _ dialect: Dialect) -> String {
    let hasKeys = dialect == .sqlite || dialect == .postgres
    if column == .sessionID, hasKeys { return " NOT NULL PRIMARY KEY" }
    return column.isNullable ? "" : " NOT NULL"
  }

  private static func type(of column: SessionColumn, _ dialect: Dialect) -> String {
    switch (dialect, column.kind) {
    // SQLite has no types for times; its date functions read these texts, and they sort.
    case (.sqlite, .text), (.sqlite, .timestamp), (.sqlite, .date): "TEXT"
    case (.sqlite, .boolean): "BOOLEAN"
    case (.sqlite, .integer): "INTEGER"
    case (.postgres, .text): "text"
    case (.postgres, .boolean), (.trino, .boolean): "boolean"
    case (.postgres, .timestamp): "timestamptz"
    case (.postgres, .date), (.trino, .date): "date"
    case (.postgres, .integer), (.trino, .integer): "bigint"
    case (.spark, .text): "STRING"
    case (.spark, .boolean): "BOOLEAN"
    case (.spark, .timestamp): "TIMESTAMP"
    case (.spark, .date): "DATE"
    case (.spark, .integer): "BIGINT"
    case (.trino, .text): "varchar"
    case (.trino, .timestamp): "timestamp(6) with time zone"
    }
  }
}
