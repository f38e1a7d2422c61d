/// A sink kept from taking rows, as other programs and administrators do: for fault drills.
///
/// It ends with `end`, or with the object.
package protocol SinkOutage: AnyObject {
  /// The sink can be used again. Once.
  func end()
}

extension Sinks {
  /// The kinds of outages that a scheme knows.
  package static func outages(of scheme: SinkAddress.Scheme) -> [SinkOutageKind] {
    switch scheme {
    case .sqlite: [.locked]
    case .jsonl: [.locked, .away]
    case .iceberg: [.away]
    case .postgres: [.locked]
    // The drill has its own cluster answer for a topic by errors.
    case .kafka: []
    }
  }

  /// Begins an outage of a sink that a process has claimed.
  ///
  /// - Throws: `SinkError` where it cannot be had; nothing was changed.
  package static func beginOutage(
    _ kind: SinkOutageKind, of address: SinkAddress, table: TableName,
    options: SinkOptions = SinkOptions()
  ) throws(SinkError) -> any SinkOutage {
    switch (address.scheme, kind) {
    case (.sqlite, _): try SQLiteLockHolder(path: address.rest)
    case (.jsonl, .locked): try JSONLLockHolder(directory: address.rest)
    case (.jsonl, .away): try JSONLDirectoryAway(directory: address.rest)
    case (.kafka, _): preconditionFailure("no kind of outage is listed for Kafka")
    case (.postgres, _): try PostgresLockHolder(try PostgresAddress(address), table: table)
    case (.iceberg, _):
      try IcebergTableAway(
        IcebergAddress(address), helper: IcebergHelper(python: options.icebergPython))
    }
  }
}

/// What keeps a sink from taking rows.
package enum SinkOutageKind: Sendable {
  /// Another program holds its lock.
  case locked
  /// It is not where it was.
  case away
}
