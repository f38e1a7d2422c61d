import CSQLite
import SessionModel

/// The line of `sojourn_sinks` that belongs to one session table. Used inside transactions.
struct SQLiteLedger: ~Copyable {
  private let table: TableName
  private let path: String
  private let selectEntry: SQLiteStatement
  private let putEntry: SQLiteStatement
  private let setPosition: SQLiteStatement

  /// - Throws: `.unsuitable` where a table of that name with other columns is there.
  init(_ connection: borrowing SQLiteConnection, table: TableName, path: String) throws(SinkError) {
    let selectEntry = try connection.prepare(
      """
      SELECT job, fingerprint, owner, position FROM \(SinkDDL.ledgerTable) WHERE table_name = ?1
      """)
    let putEntry = try connection.prepare(
      """
      INSERT INTO \(SinkDDL.ledgerTable) (table_name, job, fingerprint, owner, position)
      VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (table_name) DO UPDATE SET job = excluded.job,
        fingerprint = excluded.fingerprint, owner = excluded.owner, position = excluded.position
      """)
    let setPosition = try connection.prepare(
      "UPDATE \(SinkDDL.ledgerTable) SET position = ?2 WHERE table_name = ?1")
    self.table = table
    self.path = path
    self.selectEntry = selectEntry
    self.putEntry = putEntry
    self.setPosition = setPosition
  }

  func entry() throws(SinkError) -> SinkEntry? {
    defer { selectEntry.reset() }
    selectEntry.bind(copying: table.text, at: 1)
    guard try selectEntry.step() else { return nil }
    var position: RowPosition?
    if let text = selectEntry.text(3) {
      position = RowPosition(text)
      if position == nil {
        throw .unsuitable(
          "SQLite, \(path): the position of table \(table.text) in \(SinkDDL.ledgerTable) is "
            + "\"\(text)\", which this program did not write. Nothing was changed. Restore the file."
        )
      }
    }
    return SinkEntry(
      job: selectEntry.text(0) ?? "", fingerprint: selectEntry.text(1) ?? "",
      owner: selectEntry.text(2) ?? "", position: position)
  }

  func put(_ entry: SinkEntry) throws(SinkError) {
    defer { putEntry.reset() }
    let values = [
      table.text, entry.job, entry.fingerprint, entry.owner,
      entry.position.map { String(describing: $0) },
    ]
    for (index, value) in values.enumerated() {
      putEntry.bind(copying: value, at: Int32(index + 1))
    }
    _ = try putEntry.step()
  }

  func advance(to position: RowPosition) throws(SinkError) {
    defer { setPosition.reset() }
    setPosition.bind(copying: table.text, at: 1)
    setPosition.bind(copying: String(describing: position), at: 2)
    _ = try setPosition.step()
  }
}
