package import SessionModel

/// Sessions as rows of a table in a PostgreSQL database, each once.
///
/// Invariants:
/// - rows and position change in one transaction, which first locks its line of the ledger and
///   checks owner and position;
/// - `COMMIT` is sent only after that lock was seen to be held: who holds it next sees the outcome of
///   every transaction before;
/// - everything that a transaction needs is set up inside it, so that a pooler may give each one
///   another connection to the server;
/// - after a failure the connection is closed, and only `open` makes another.
package final class PostgresSink: Sink {
  /// How long a statement waits for another client's lock.
  package static let lockTimeoutMilliseconds = 5_000
  private final class Connected {
    let connection: PostgresConnection
    let owner: OwnerID

    init(_ connection: consuming PostgresConnection, _ owner: OwnerID) {
      self.connection = connection
      self.owner = owner
    }
  }

  private let address: PostgresAddress
  private let table: TableName
  private let schema: SessionSchema
  private let ledger: PostgresLedger
  /// Where a batch stands before it goes into the table; temporary, its rows end with a transaction.
  private let staging: String
  private let beginning: String
  private let copying: String
  private let upserting: String
  private var connected: Connected?

  /// - Parameters:
  ///   - schema: the table's columns.
  ///   - lockTimeoutMilliseconds: for tests.
  package init(
    address: PostgresAddress, table: TableName, schema: SessionSchema = .standard,
    lockTimeoutMilliseconds: Int = PostgresSink.lockTimeoutMilliseconds
  ) {
    self.address = address
    self.table = table
    self.schema = schema
    ledger = PostgresLedger(
      table: table, place: "table \(table.text) in \(address.place)")
    staging = PostgresSink.staging(schema)
    beginning = """
      BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
      \(PostgresLedger.namesAsForTheRole)
      SET LOCAL lock_timeout = \(lockTimeoutMilliseconds);
      SET LOCAL TimeZone = 'UTC';
      SELECT set_config('synchronous_commit', 'on', true)
        WHERE current_setting('synchronous_commit') = 'off';
      """
    copying = "COPY \(staging) FROM STDIN (FORMAT binary)"
    upserting = SQLTable.upsert(
      into: table, columns: schema.names,
      "SELECT \(schema.names.joined(separator: ", ")) FROM \(staging)",
      differs: "IS DISTINCT FROM")
  }

  private var place: String { ledger.place }

  /// A name for each set of columns: behind a pooler, jobs whose columns differ share the server's
  /// connections, and temporary tables are theirs.
  private static func staging(_ schema: SessionSchema) -> String {
    let columns = schema.columns.map { "\($0.name) \($0.kind)" }.joined(separator: ",")
    return "pg_temp.sojourn_batch_" + String(fnv1a(columns), radix: 16)
  }

  /// FNV-1a, 64 bits.
  private static func fnv1a(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  package var isMissing: Bool {
    // What cannot be told makes nothing anew: opening says what is wrong.
    do throws(SinkError) {
      let connection = try PostgresConnection.open(address)
      try connection.execute("BEGIN READ ONLY; " + PostgresLedger.namesAsForTheRole)
      return try ledger.isTableMissing(connection)
    } catch {
      return false
    }
  }

  package func open(
    _ claimant: SinkClaimant, acknowledged: RowPosition?
  ) throws(SinkError) -> RowPosition? {
    close()
    let connection = try PostgresConnection.open(address)
    try connection.execute(beginning)
    try requireUnicode(connection)
    // Two processes that make the same tables at the same time would fail on each other.
    _ = try connection.query(
      "SELECT pg_advisory_xact_lock(hashtext($1))", [SinkDDL.ledgerTable])
    let position = try self.claim(claimant, connection)
    try connection.commit()
    connected = Connected(connection, claimant.owner)
    return position
  }

  private func requireUnicode(_ connection: borrowing PostgresConnection) throws(SinkError) {
    let encoding = try connection.query("SHOW server_encoding").first?.first ?? nil
    if encoding != "UTF8" {
      throw .unsuitable(
        "\(place): the database has the encoding \(encoding ?? "none"), which does not hold every "
          + "text. Nothing was changed. Give a database with the encoding UTF8.")
    }
  }

  private func claim(
    _ claimant: SinkClaimant, _ connection: borrowing PostgresConnection
  ) throws(SinkError) -> RowPosition? {
    try ledger.make(connection)
    let entry = try ledger.lockedEntry(connection)
    let present = try PostgresCatalogue.read(table, schema, connection, place: place)
    let isPresent = present != nil
    try present?.check()
    try SinkRules.checkClaim(claimant, on: place, entry: entry) { () throws(SinkError) in
      isPresent ? try holdsRows(connection) : false
    }
    if !isPresent {
      try SQLTable.requireNeverFilled(entry, place: place)
      try connection.execute(SinkDDL.postgresTable(table, schema))
    }
    try ledger.put(
      SinkEntry(
        job: claimant.identity.job, fingerprint: claimant.identity.fingerprint.text,
        owner: claimant.owner.text, position: entry?.position), connection)
    return entry?.position
  }

  private func holdsRows(_ connection: borrowing PostgresConnection) throws(SinkError) -> Bool {
    let rows = try connection.query("SELECT EXISTS (SELECT 1 FROM \(table.quoted))")
    return rows.first?.first == "t"
  }

  package func write(after: RowPosition?, rows: RowBatch) throws(SinkError) {
    guard let last = rows.lastPosition, let first = rows.firstPosition else {
      preconditionFailure("a sink is given rows")
    }
    precondition(after.map { $0 < first } ?? true, "rows come in the order of their positions")
    guard let connected else { throw .unavailable("\(place) is not open; it is opened again.") }
    do throws(SinkError) {
      try write(after: after, rows, upTo: last, connected)
    } catch {
      close()
      throw error
    }
  }

  private func write(
    after: RowPosition?, _ rows: RowBatch, upTo last: RowPosition, _ connected: Connected
  ) throws(SinkError) {
    try connected.connection.execute(
      beginning + SinkDDL.postgresStaging(staging, schema))
    try SinkRules.checkWrite(
      by: connected.owner, after: after, on: place,
      entry: try ledger.lockedEntry(connected.connection))
    let encoded = PostgresCopy(rows, schema).bytes
    let outcome: Result<Void, SinkError> = encoded.withUnsafeBytes { bytes in
      do throws(SinkError) {
        return .success(try connected.connection.copy(copying, bytes))
      } catch {
        return .failure(error)
      }
    }
    try outcome.get()
    try connected.connection.execute(upserting)
    try ledger.advance(to: last, connected.connection)
    try connected.connection.commit()
  }

  package func close() { connected = nil }
}
