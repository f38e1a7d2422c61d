package import SessionModel

/// What a sink holds, row by row in the order of arrival (PostgreSQL and Kafka: of positions, since
/// a table there, and a topic's partitions, keep no order; Iceberg: of commits): for comparing one
/// table with another.
///
/// Only to be used while nobody writes to the sink.
package protocol ArrivedRows: AnyObject {
  /// The next row as a JSON object of the columns in the table's order, as `SessionRowJSON` writes
  /// it: equal bytes for equal rows, whatever the sink. Nil at the end.
  ///
  /// - Throws: `SinkError` where the sink cannot be read.
  func next() throws(SinkError) -> [UInt8]?

  /// Whether rows that come out of the order of positions show a fault. False where others may rightly
  /// rewrite what they lie in.
  var isOrdered: Bool { get }
}

extension ArrivedRows {
  package var isOrdered: Bool { true }
}

extension Sinks {
  /// - Throws: `SinkError` where the sink is missing or cannot be read; nothing was changed.
  package static func arrivedRows(
    _ address: SinkAddress, table: TableName, schema: SessionSchema = .standard,
    options: SinkOptions = SinkOptions()
  ) throws(SinkError) -> any ArrivedRows {
    switch address.scheme {
    case .sqlite: try SQLiteArrivedRows(path: address.rest, table: table, schema: schema)
    case .jsonl: try JSONLArrivedRows(directory: address.rest)
    case .postgres:
      try PostgresArrivedRows(
        try PostgresAddress(address), table: table, schema: schema)
    case .kafka: try KafkaArrivedRows(try KafkaAddress(checked: address))
    case .iceberg:
      try arrivedRows(
        ofIceberg: address.rest, helper: IcebergHelper(python: options.icebergPython),
        schema: schema)
    }
  }

  /// - Parameter helper: serves nothing else meanwhile.
  package static func arrivedRows(
    ofIceberg table: String, helper: IcebergHelper, schema: SessionSchema = .standard
  ) throws(SinkError) -> any ArrivedRows {
    IcebergArrivedRows(try IcebergAddress(checked: table), helper: helper, schema: schema)
  }
}
