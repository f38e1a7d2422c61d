import Platform
package import SessionModel

/// Sessions as rows of a table in a SQLite file, each once.
///
/// Invariants:
/// - rows and position change in one transaction, which first checks owner and position;
/// - the table holds no row behind the position but those of an adopted table;
/// - a transaction is durable when `write` returns (WAL, synced at each commit);
/// - after a failure the connection is closed, and only `open` makes another.
package final class SQLiteSink: Sink {
  /// How long a statement waits for the lock of another connection.
  private static let busyTimeoutMilliseconds: Int32 = 5_000

  /// What is prepared once the tables are there.
  private final class Statements {
    let ledger: SQLiteLedger
    var upsert: SQLiteUpsert

    init(_ ledger: consuming SQLiteLedger, _ upsert: consuming SQLiteUpsert) {
      self.ledger = ledger
      self.upsert = upsert
    }
  }

  private final class Connected {
    let connection: SQLiteConnection
    let statements: Statements
    let owner: OwnerID

    init(_ connection: consuming SQLiteConnection, _ statements: Statements, _ owner: OwnerID) {
      self.connection = connection
      self.statements = statements
      self.owner = owner
    }
  }

  private let path: String
  private let table: TableName
  private let schema: SessionSchema
  private let busyTimeoutMilliseconds: Int32
  private var connected: Connected?

  /// - Parameters:
  ///   - path: of the database file; made if missing, its directory is not.
  ///   - schema: the table's columns.
  ///   - busyTimeoutMilliseconds: bounds the waits for locks; for tests.
  package init(
    path: String, table: TableName, schema: SessionSchema = .standard,
    busyTimeoutMilliseconds: Int32 = SQLiteSink.busyTimeoutMilliseconds
  ) {
    self.path = path
    self.table = table
    self.schema = schema
    self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
  }

  private var place: String { "table \(table.text) in the SQLite file \(path)" }

  package func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    close()
    let connection = try SQLiteConnection.open(
      path, create: claimant.claim == .first, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    let (statements, position) = try connection.transaction { () throws(SinkError) in
      try connection.execute(SinkDDL.sqliteLedger)
      let ledger = try SQLiteLedger(connection, table: table, path: path)
      let position = try self.claim(claimant, connection, ledger)
      let upsert = try SQLiteUpsert(connection, table: table, schema: schema)
      return (Statements(ledger, upsert), position)
    }
    connected = Connected(connection, statements, claimant.owner)
    return position
  }

  package var isMissing: Bool { !Files.exists(path) }

  private func claim(
    _ claimant: SinkClaimant, _ connection: borrowing SQLiteConnection,
    _ ledger: borrowing SQLiteLedger
  ) throws(SinkError) -> RowPosition? {
    let entry = try ledger.entry()
    let present = try SQLiteCatalogue.read(table, schema, connection, place: place)
    let isPresent = present != nil
    try present?.check()
    try SinkRules.checkClaim(claimant, on: place, entry: entry) { () throws(SinkError) in
      isPresent ? try holdsRows(connection) : false
    }
    if !isPresent {
      try SQLTable.requireNeverFilled(entry, place: place)
      try connection.execute(SinkDDL.sqliteTable(table, schema))
    }
    try ledger.put(
      SinkEntry(
        job: claimant.identity.job, fingerprint: claimant.identity.fingerprint.text,
        owner: claimant.owner.text, position: entry?.position))
    return entry?.position
  }

  private func holdsRows(_ connection: borrowing SQLiteConnection) throws(SinkError) -> Bool {
    let statement = try connection.prepare("SELECT EXISTS (SELECT 1 FROM \(table.quoted))")
    return try statement.step() && statement.integer(0) != 0
  }

  package func write(after: RowPosition?, rows: RowBatch) throws(SinkError) {
    guard let last = rows.lastPosition, let first = rows.firstPosition else {
      preconditionFailure("a sink is given rows")
    }
    precondition(after.map { $0 < first } ?? true, "rows come in the order of their positions")
    guard let connected else { throw .unavailable("\(place) is not open; it is opened again.") }
    let statements = connected.statements
    do throws(SinkError) {
      if connected.connection.fileHasMoved { throw .moved(SinkError.replacedFile(path)) }
      try connected.connection.transaction { () throws(SinkError) in
        try SinkRules.checkWrite(
          by: connected.owner, after: after, on: place, entry: try statements.ledger.entry())
        try statements.upsert.write(rows)
        try statements.ledger.advance(to: last)
      }
    } catch {
      close()
      throw error
    }
  }

  package func close() { connected = nil }
}
