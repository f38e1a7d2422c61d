/// Another client's transaction that does not end: holds a table's line of the ledger.
final class PostgresLockHolder: SinkOutage {
  private let connection: PostgresConnection
  private var isHeld = true

  init(_ address: PostgresAddress, table: TableName) throws(SinkError) {
    connection = try PostgresConnection.open(address)
    try connection.execute("BEGIN")
    let ledger = PostgresLedger(table: table, place: "table \(table.text) in \(address.place)")
    _ = try ledger.lockedEntry(connection)
  }

  func end() {
    guard isHeld else { return }
    isHeld = false
    // Nothing was written; closing would end it, too.
    try? connection.execute("ROLLBACK")
  }
}
