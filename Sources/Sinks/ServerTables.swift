/// Tables on servers that several parties share: for drills, which make tables of their own there.
extension Sinks {
  /// - Throws: `.unsuitable` where the table is there already, or what is kept about it; other
  ///   `SinkError`s where that cannot be seen.
  package static func requireMissing(
    _ address: SinkAddress, table: TableName, options: SinkOptions = SinkOptions()
  ) throws(SinkError) {
    if address.scheme == .kafka { return try requireMissingTopic(KafkaAddress(checked: address)) }
    if address.scheme == .iceberg { return try requireMissing(IcebergAddress(address), options) }
    guard address.scheme == .postgres else { return }
    let server = try PostgresAddress(address)
    let ledger = PostgresLedger(table: table, place: "table \(table.text) in \(server.place)")
    let connection = try PostgresConnection.open(server)
    if try ledger.isTableMissing(connection) { return }
    throw .unsuitable(
      "\(ledger.place) is there already. Nothing was changed. Drop it, with its line in "
        + "\(SinkDDL.ledgerTable), or name another database.")
  }

  private static func requireMissingTopic(_ address: KafkaAddress) throws(SinkError) {
    if try KafkaTopic(address).partitionCount() == nil { return }
    throw .unsuitable(
      "\(address.place) is there already. Nothing was changed. Delete it, or name another.")
  }

  private static func requireMissing(
    _ address: IcebergAddress, _ options: SinkOptions
  ) throws(SinkError) {
    if try IcebergHelper(python: options.icebergPython).load(address) == nil { return }
    throw .unsuitable(
      "\(address.place) is there already. Nothing was changed. Drop it, or name another namespace.")
  }

  /// Drops the table with what is kept about it, or the topic. Does nothing for sinks of files.
  package static func drop(
    _ address: SinkAddress, table: TableName, options: SinkOptions = SinkOptions()
  ) throws(SinkError) {
    if address.scheme == .kafka { return try KafkaTopic(KafkaAddress(checked: address)).delete() }
    if address.scheme == .iceberg {
      return try IcebergHelper(python: options.icebergPython).purge(try IcebergAddress(address))
    }
    guard address.scheme == .postgres else { return }
    let server = try PostgresAddress(address)
    let ledger = PostgresLedger(table: table, place: "table \(table.text) in \(server.place)")
    let connection = try PostgresConnection.open(server)
    try connection.execute("DROP TABLE IF EXISTS \(table.quoted)")
    if try ledger.hasEntry(connection) { try ledger.forget(connection) }
  }
}
