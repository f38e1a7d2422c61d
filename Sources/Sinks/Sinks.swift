package import SessionModel

/// Makes sinks from their addresses.
package enum Sinks {
  /// - Parameters:
  ///   - table: for sinks that have tables with names; a JSONL directory is one table, and an Iceberg
  ///     address names its own.
  ///   - schema: the columns of the job's table.
  ///   - options: what the addresses do not say.
  /// - Returns: a sink that has touched nothing yet; its `open` does.
  /// - Throws: `SinkAddressError` for an address that its scheme cannot read.
  package static func make(
    _ address: SinkAddress, table: TableName, schema: SessionSchema = .standard,
    options: SinkOptions = SinkOptions()
  ) throws(SinkAddressError) -> any Sink {
    switch address.scheme {
    case .sqlite: SQLiteSink(path: address.rest, table: table, schema: schema)
    case .jsonl: JSONLSink(directory: address.rest, schema: schema)
    case .postgres:
      PostgresSink(
        address: try PostgresAddress(uri: "postgres:" + address.rest), table: table, schema: schema)
    case .kafka: KafkaSink(try KafkaAddress(address), schema: schema)
    case .iceberg:
      try IcebergSink(
        address.rest, helper: IcebergHelper(python: options.icebergPython), schema: schema,
        commitInterval: options.icebergCommitInterval)
    }
  }

  /// - Returns: a place for a side output that has not been touched yet; its `open` does.
  package static func make(
    _ format: SideFormat, _ address: SinkAddress
  ) throws(SinkAddressError) -> any SideSink {
    if address.scheme == .kafka {
      return KafkaSideSink(format, address: try KafkaAddress(address))
    }
    return JSONLSideSink(format, directory: address.rest)
  }
}

/// Settings of sinks that are no part of an address.
package struct SinkOptions: Sendable {
  /// The Python interpreter that drives PyIceberg; nil: where `sojourn iceberg-setup` puts it.
  package var icebergPython: String?
  /// The time between commits to an Iceberg table, µs.
  package var icebergCommitInterval: Microseconds = 60 * .perSecond

  package init(icebergPython: String? = nil) { self.icebergPython = icebergPython }
}
