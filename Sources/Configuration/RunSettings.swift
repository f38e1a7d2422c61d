package import SessionModel

/// Everything that `sojourn run` was told; spans and times in µs.
package struct RunSettings: Sendable {
  package let input: RunInput
  /// Each `[NAME=]SCHEME:PLACE` as it was written; their names are distinct.
  package let sinks: [String]
  package let stateDirectory: String
  package let job: String

  package let gap: Microseconds
  /// 0: off.
  package let split: Microseconds
  package let outOfOrderness: Microseconds
  /// nil: off.
  package let idleTimeout: Microseconds?
  /// nil: off.
  package let quietClose: Microseconds?
  /// nil: off.
  package let maxFutureSkew: Microseconds?
  /// nil: off.
  package let maxDrift: Microseconds?

  package let checkpointInterval: Microseconds
  package let from: StartPoint
  /// Reading ends where the log ended at the start; always so for files.
  package let stopAtEnd: Bool
  package let closeAll: Bool
  /// nil: no limit.
  package let runFor: Microseconds?
  package let shutdownTimeout: Microseconds

  package let onDataLoss: DataLossPolicy
  /// In rows.
  package let outboxLimit: Int
  /// Rows of bots go to a side output instead of the sinks.
  package let dropsBots: Bool
  package let late: SideSettings
  package let rejected: SideSettings
  package let bots: SideSettings
  package let adoptTable: Bool
  /// Names of sinks.
  package let acceptMissingRows: [String]
  /// Names of sinks, none of them among `sinks`.
  package let dropSinks: [String]
  package let table: String
  /// Kafka sinks write in transactions.
  package let isTransactional: Bool
  package let icebergCommitInterval: Microseconds
  /// nil: the default environment's.
  package let icebergPython: String?

  package let decoding: DecodingSettings
  package let geo: GeoSetting
  package let userAgents: UserAgentSetting
  package let output: OutputFormat
}

/// What becomes of a side output.
package struct SideSettings: Equatable, Sendable {
  /// `SCHEME:PLACE` as written, a place of its own; nil: entries stay in the state.
  package let place: String?
  /// In rows.
  package let limit: Int

  package init(place: String?, limit: Int) {
    self.place = place
    self.limit = limit
  }
}

extension RunSettings {
  package subscript(output: SideOutput) -> SideSettings {
    switch output {
    case .late: late
    case .rejected: rejected
    case .bots: bots
    }
  }
}

/// What a run reads.
package enum RunInput: Equatable, Sendable {
  case kafka(KafkaSettings)
  /// Paths, read one behind the other in this order.
  case files([String])
}

/// Where a new state begins to read.
package enum StartPoint: Equatable, Sendable {
  case earliest
  case latest
  /// At the first record whose Kafka timestamp is this or later; µs since 1970.
  case time(Microseconds)
}

/// What to do when unread records were deleted.
package enum DataLossPolicy: String, Sendable {
  case stop
  case `continue`
}

/// By which definitions raw user-agent headers are parsed.
package enum UserAgentSetting: Equatable, Sendable {
  /// Those of the system, where there are any.
  case system
  case file(String)
  case off
}

/// Where rows get their geography from.
package enum GeoSetting: Equatable, Sendable {
  case none
  /// The path of a file in MaxMind's format.
  case mmdb(String)
  case ip2location(GeographyServiceSettings)
}

/// How a geography service is asked; spans in µs.
package struct GeographyServiceSettings: Equatable, Sendable {
  package let url: String
  /// nil: the key is in the environment, if there is one.
  package let keyFile: String?
  /// nil: off.
  package let deadline: Microseconds?
  /// At once.
  package let requests: Int
  package let timeToLive: Microseconds
  package let cachedAddresses: Int

  static let flags = [
    "geo-key-file", "geo-url", "geo-deadline", "geo-requests", "geo-ttl", "geo-cache",
  ]
}
