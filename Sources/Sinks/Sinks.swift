/// Makes sinks from their addresses.
package enum Sinks {
  /// - Parameter table: for sinks that have tables with names; a JSONL directory is one table.
  /// - Returns: a sink that has touched nothing yet; its `open` does.
  package static func make(_ address: SinkAddress, table: TableName) -> any Sink {
    switch address.scheme {
    case .sqlite: SQLiteSink(path: address.rest, table: table)
    case .jsonl: JSONLSink(directory: address.rest)
    }
  }
}
