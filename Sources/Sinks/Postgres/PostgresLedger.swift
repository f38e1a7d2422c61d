import SessionModel

/// The line of `sojourn_sinks` that belongs to one session table. Used inside transactions.
struct PostgresLedger {
  let table: TableName
  let place: String

  /// For a transaction's beginning: names mean what they mean to the role. Behind a pooler the
  /// server's connection may have another path from a client before.
  static let namesAsForTheRole = "SET LOCAL search_path TO DEFAULT;"

  /// Makes the ledger where it is missing. Looked for first, since a user who may write to it need
  /// not have the right to make tables.
  func make(_ connection: borrowing PostgresConnection) throws(SinkError) {
    let found = try connection.query("SELECT to_regclass($1)", [SinkDDL.ledgerTable])
    if found.first?.first == .some(.none) { try connection.execute(SinkDDL.postgresLedger) }
  }

  /// The entry, locked until the transaction ends: an older transaction whose outcome is unknown is
  /// waited for here.
  func lockedEntry(_ connection: borrowing PostgresConnection) throws(SinkError) -> SinkEntry? {
    let rows = try connection.query(
      """
      SELECT job, fingerprint, owner, position FROM \(SinkDDL.ledgerTable)
      WHERE table_name = $1 FOR UPDATE
      """, [table.text])
    guard let row = rows.first else { return nil }
    var position: RowPosition?
    if let text = row[3] {
      position = RowPosition(text)
      if position == nil {
        throw .unsuitable(
          "\(place): its position in \(SinkDDL.ledgerTable) is \"\(text)\", which this program did "
            + "not write. Nothing was changed. Restore the table.")
      }
    }
    return SinkEntry(
      job: row[0] ?? "", fingerprint: row[1] ?? "", owner: row[2] ?? "", position: position)
  }

  /// Whether the database knows nothing of the table: neither it nor its line is there.
  func isTableMissing(_ connection: borrowing PostgresConnection) throws(SinkError) -> Bool {
    let found = try connection.query("SELECT to_regclass($1)", [table.quoted])
    let hasEntry = try hasEntry(connection)
    return found.first?.first == .some(.none) && !hasEntry
  }

  /// Whether there is a line for the table; false too where there is no ledger.
  func hasEntry(_ connection: borrowing PostgresConnection) throws(SinkError) -> Bool {
    let found = try connection.query("SELECT to_regclass($1)", [SinkDDL.ledgerTable])
    if found.first?.first == .some(.none) { return false }
    let rows = try connection.query(
      "SELECT 1 FROM \(SinkDDL.ledgerTable) WHERE table_name = $1", [table.text])
    return !rows.isEmpty
  }

  func forget(_ connection: borrowing PostgresConnection) throws(SinkError) {
    _ = try connection.query(
      "DELETE FROM \(SinkDDL.ledgerTable) WHERE table_name = $1", [table.text])
  }

  func put(_ entry: SinkEntry, _ connection: borrowing PostgresConnection) throws(SinkError) {
    _ = try connection.query(
      """
      INSERT INTO \(SinkDDL.ledgerTable) (table_name, job, fingerprint, owner, position)
      VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (table_name) DO UPDATE SET job = excluded.job,
        fingerprint = excluded.fingerprint, owner = excluded.owner, position = excluded.position
      """,
      [table.text, entry.job, entry.fingerprint, entry.owner, entry.position?.description])
  }

  func advance(
    to position: RowPosition, _ connection: borrowing PostgresConnection
  ) throws(SinkError) {
    _ = try connection.query(
      "UPDATE \(SinkDDL.ledgerTable) SET position = $2 WHERE table_name = $1",
      [table.text, position.description])
  }
}
