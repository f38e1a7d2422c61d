package import SessionModel

/// How records become events.
package struct DecodingOptions: Equatable, Sendable {
  /// `--field`.
  package var mapping = FieldMapping()
  /// `--key`; `mapping` has a path for each of its fields of one's own.
  package var key = KeyLayout.standard
  /// `--assume-utc`: times without an offset from UTC are taken as UTC.
  package var assumeUTC = false
  /// `--event-time-unit`: the unit of times that are numbers.
  package var timeUnit = EventTimeUnit.auto
  /// `--event-time-fallback record`: the record's Kafka timestamp serves where the time is absent or
  /// null.
  package var fallbackToRecordTime = false

  /// `--ip-from header:NAME`: the first public address of this header goes over the mapped one.
  package var ipHeader: String?

  package init() {}
}

/// The unit of event times that are numbers. The raw values are those of `--event-time-unit`.
package enum EventTimeUnit: String, CaseIterable, Sendable {
  /// By magnitude: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds.
  case auto
  case seconds = "s"
  case milliseconds = "ms"
  case microseconds = "us"
}
